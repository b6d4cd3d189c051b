"""The provider that is this machine: a lexical baseline, MiniLM, and rules."""

from collections.abc import Sequence

from ..errors import ModelCallError, RefusedError
from ..messages import Answered, Completion, Embedded
from .base import ModelProvider


class Provider(ModelProvider):
    """Local models; free, and within no limit."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed by the model that the settings name."""
        from ..local import lexical, minilm

        if self.settings.name == "rules":
            raise RefusedError("local rules cannot embed; use name: lexical or minilm")
        model = {"lexical": lexical, "minilm": minilm}[self.settings.name]
        try:
            return Embedded(model.embed(texts, self.settings.dimensions), 0)
        except ModelCallError as error:
            raise RefusedError(str(error)) from None

    def complete(self, request: Completion) -> Answered:
        """Answer by rules, which are no language model."""
        from ..local import rules

        if self.settings.name != "rules":
            raise RefusedError(f"local {self.settings.name} only embeds; use name: rules, or another provider")
        return Answered(rules.answer(request), "end", 0, 0)
