"""OpenAI: responses, embeddings and batches."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..errors import FailedError
from ..messages import Answered, Completion, Embedded, Stop
from ..schemas import portable
from .base import STREAM_FROM_TOKENS, ModelProvider, counted
from .stainless import explained


class Provider(ModelProvider):
    """OpenAI through its own SDK, whose retries are off: attempts are counted elsewhere."""

    package = "openai"

    @cached_property
    def openai(self) -> Any:
        """The SDK."""
        return self.sdk("openai")

    @cached_property
    def client(self) -> Any:
        """The SDK's client; threads share it."""
        return self.openai.OpenAI(
            api_key=self.key or "none",
            base_url=self.settings.base_url,
            max_retries=0,
            timeout=self.settings.timeout_seconds,
        )

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts in one call."""
        extra = {"dimensions": self.settings.dimensions} if self.settings.dimensions else {}
        with explained(self.settings, self.openai):
            answer = self.client.embeddings.create(input=list(texts), model=self.settings.name, **extra)
            vectors = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
            tokens = answer.usage.prompt_tokens if answer.usage else sum(len(text) // 4 + 1 for text in texts)
        counted(self.settings, vectors, texts)
        return Embedded(vectors, tokens)

    def complete(self, request: Completion) -> Answered:
        """Answer by the API of responses; a long answer is streamed."""
        with explained(self.settings, self.openai):
            if request.max_output_tokens < STREAM_FROM_TOKENS:
                return read_response(self.client.responses.create(**response_body(self.settings.name, request)))
            final = None
            for event in self.client.responses.create(**response_body(self.settings.name, request), stream=True):
                if event.type in ("response.completed", "response.incomplete", "response.failed"):
                    final = event.response
            if final is None:
                raise FailedError(f"{self.settings.title}: the stream ended before its answer did", billed=True)
            return read_response(final)


def response_body(name: str, request: Completion) -> dict[str, Any]:
    """What the API of responses is sent, alone or in a batch."""
    body: dict[str, Any] = {"model": name, "input": request.prompt, "max_output_tokens": request.max_output_tokens}
    if request.system:
        body["instructions"] = request.system
    if request.schema is not None:
        body["text"] = {
            "format": {"type": "json_schema", "name": "answer", "schema": portable(request.schema), "strict": True}
        }
    return body | {"store": False}


def read_response(response: Any) -> Answered:
    """What a response says.

    Raises:
        FailedError: it reports a failure of the provider.
    """
    if response.status == "failed":
        raise FailedError(f"openai: the response failed: {response.error}")
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    text = "".join(part.text for part in parts if part.type == "output_text")
    stop: Stop = "end"
    if refused := [part.refusal for part in parts if part.type == "refusal"]:
        text, stop = refused[0], "refusal"
    elif response.status == "incomplete":
        stop = "refusal" if response.incomplete_details.reason == "content_filter" else "truncated"
    return Answered(text, stop, response.usage.input_tokens, response.usage.output_tokens)
