"""Google Gemini: generated content and embeddings."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ..errors import LimitedError
from ..messages import Answered, Completion, Embedded, Stop
from ..schemas import portable
from .base import ModelProvider, broken_off, counted, not_json, told

_DELAY = re.compile(r"""['"]retryDelay['"]:\s*['"](\d+(?:\.\d+)?)s""")


class Provider(ModelProvider):
    """Gemini through google-genai, with one attempt a call."""

    package = "google-genai"
    most_texts = 100

    @cached_property
    def client(self) -> Any:
        """The SDK's client; threads share it."""
        types = self.sdk("google.genai.types")
        return self.sdk("google.genai").Client(
            api_key=self.key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=self.settings.base_url,
                timeout=int(self.settings.timeout_seconds * 1000),
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts in one call; Gemini does not count their tokens, so four characters are taken for one."""
        with self._explained():
            answer = self.client.models.embed_content(
                model=self.settings.name,
                contents=list(texts),
                config={"output_dimensionality": self.settings.dimensions},
            )
            vectors = [found.values for found in answer.embeddings]
        counted(self.settings, vectors, texts)
        return Embedded(vectors, sum(len(text) // 4 + 1 for text in texts))

    def complete(self, request: Completion) -> Answered:
        """Answer one request."""
        config: dict[str, Any] = {"max_output_tokens": request.max_output_tokens}
        if request.system:
            config["system_instruction"] = request.system
        if request.schema is not None:
            config |= {"response_mime_type": "application/json", "response_json_schema": portable(request.schema)}
        with self._explained():
            answer = self.client.models.generate_content(
                model=self.settings.name, contents=request.prompt, config=config
            )
            usage = answer.usage_metadata
            output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
            return Answered(*_said(answer), usage.prompt_token_count or 0, output)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        errors = self.sdk("google.genai.errors")
        broken = tuple(
            self.sdk(name).HTTPError for name in ("httpx", "httpx2")
        )  # whichever of the two google-genai uses
        try:
            yield
        except errors.APIError as error:
            found = told(self.settings, error.code, error.message or str(error), getattr(error.response, "headers", {}))
            if isinstance(found, LimitedError) and found.retry_after is None:
                delay = _DELAY.search(str(error.details))  # Gemini says it in the body
                found.retry_after = float(delay[1]) if delay else None
            raise found from None
        except broken as error:
            raise broken_off(self.settings, error) from None
        except (json.JSONDecodeError, errors.UnknownApiResponseError, AttributeError, TypeError, ValueError) as error:
            raise not_json(self.settings, error) from None


def _said(answer: Any) -> tuple[str, Stop]:
    """The text of an answer, and why it ended."""
    blocked = answer.prompt_feedback.block_reason if answer.prompt_feedback else None
    if blocked or not answer.candidates:
        return f"blocked: {getattr(blocked, 'value', blocked)}", "refusal"
    candidate = answer.candidates[0]
    parts = (candidate.content.parts if candidate.content else None) or []
    text = "".join(part.text or "" for part in parts if not part.thought)
    reason = getattr(candidate.finish_reason, "value", candidate.finish_reason)
    if reason in (None, "STOP"):
        return text, "end"
    return (text, "truncated") if reason == "MAX_TOKENS" else (text or f"blocked: {reason}", "refusal")
