"""Anthropic: messages and batches of them."""

from functools import cached_property
from typing import Any

from ..errors import FailedError
from ..messages import Answered, Completion, Stop
from ..schemas import portable
from .base import STREAM_FROM_TOKENS, ModelProvider
from .stainless import explained

_STOPS: dict[str, Stop] = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refusal",
}


class Provider(ModelProvider):
    """Anthropic through its own SDK, whose retries are off: attempts are counted elsewhere."""

    package = "anthropic"

    @cached_property
    def anthropic(self) -> Any:
        """The SDK."""
        return self.sdk("anthropic")

    @cached_property
    def client(self) -> Any:
        """The SDK's client; threads share it."""
        return self.anthropic.Anthropic(
            api_key=self.key,
            base_url=self.settings.base_url,
            max_retries=0,
            timeout=self.settings.timeout_seconds,
        )

    def complete(self, request: Completion) -> Answered:
        """Answer with one message; a long one is streamed."""
        body = message_body(self.settings.name, request)
        with explained(self.settings, self.anthropic):
            if request.max_output_tokens < STREAM_FROM_TOKENS:
                return read_message(self.client.messages.create(**body))
            with self.client.messages.stream(**body) as stream:
                return read_message(stream.get_final_message())


def message_body(name: str, request: Completion) -> dict[str, Any]:
    """What the API of messages is sent, alone or in a batch."""
    body: dict[str, Any] = {
        "model": name,
        "max_tokens": request.max_output_tokens,
        "messages": [{"role": "user", "content": request.prompt}],
    }
    if request.system:
        body["system"] = request.system
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": portable(request.schema)}}
    return body


def read_message(message: Any) -> Answered:
    """What a message says.

    Raises:
        FailedError: it was cut off before it ended.
    """
    if message.stop_reason is None:
        raise FailedError("anthropic: the stream ended before its answer did", billed=True)
    text = "".join(block.text for block in message.content if block.type == "text")
    usage = message.usage
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return Answered(text, _STOPS.get(message.stop_reason, "end"), usage.input_tokens + cached, usage.output_tokens)
