"""Servers that speak OpenAI's chat API: Ollama, vLLM, Azure and many more."""

from typing import Any
from urllib.parse import urlsplit

from ..errors import FailedError
from ..messages import Answered, Completion, Stop
from ..schemas import portable
from .base import STREAM_FROM_TOKENS
from .openai import Provider as OpenAI
from .stainless import explained

_STOPS: dict[str | None, Stop] = {"length": "truncated", "content_filter": "refusal"}


class Provider(OpenAI):
    """Chat completions, which more servers know than responses."""

    def complete(self, request: Completion) -> Answered:
        """Answer by the chat API; a long answer is streamed."""
        with explained(self.settings, self.openai):
            body = self._body(request)
            if request.max_output_tokens < STREAM_FROM_TOKENS:
                answer = self.client.chat.completions.create(**body)
                choice = answer.choices[0]
                return self._read(
                    request, choice.message.content, choice.message.refusal, choice.finish_reason, answer.usage
                )
            return self._streamed(request, body)

    def _streamed(self, request: Completion, body: dict[str, Any]) -> Answered:
        text, refusal, reason, usage = "", "", None, None
        stream = self.client.chat.completions.create(**body, stream=True, stream_options={"include_usage": True})
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                refusal += choice.delta.refusal or ""
                reason = choice.finish_reason or reason
        if reason is None:
            raise FailedError(f"{self.settings.title}: the stream ended before its answer did", billed=True)
        return self._read(request, text, refusal, reason, usage)

    def _body(self, request: Completion) -> dict[str, Any]:
        messages = [{"role": "user", "content": request.prompt}]
        if request.system:
            messages.insert(0, {"role": "system", "content": request.system})
        # Azure's newer models refuse the name that Ollama and vLLM know.
        is_azure = (urlsplit(self.settings.base_url or "").hostname or "").endswith(".azure.com")
        most = "max_completion_tokens" if is_azure else "max_tokens"
        body: dict[str, Any] = {"model": self.settings.name, "messages": messages, most: request.max_output_tokens}
        if request.schema is not None:
            schema = {"name": "answer", "schema": portable(request.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def _read(
        self, request: Completion, text: str | None, refusal: str | None, reason: str | None, usage: Any
    ) -> Answered:
        stop: Stop = "refusal" if refusal else _STOPS.get(reason, "end")
        said = refusal or text or ""
        if usage:
            return Answered(said, stop, usage.prompt_tokens, usage.completion_tokens)
        # Some servers do not count; four characters a token is the usual guess.
        return Answered(said, stop, len(request.system + request.prompt) // 4 + 1, len(said) // 4 + 1)
