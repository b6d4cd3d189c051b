"""Gemini: generated content and embeddings."""

import re
from typing import Any

from .answers import text_of, tokens_of, vector_of
from .wire import Request, Response, said


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error in Google's words; the time to wait stands in its details."""
    words = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
    about: dict[str, Any] = {"code": status, "message": message, "status": words.get(status, code.upper())}
    if wait := (headers or {}).get("retry-after"):
        about["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait}s"}]
    return Response(status, {"error": about})


def answer(request: Request) -> Response | None:
    """The response to a request of this API; None where it is another's."""
    found = re.fullmatch(r"/v1(?:beta|alpha)?/models/([^:]+):(\w+)", request.path)
    if not found:
        return None
    return {"generateContent": _content, "batchEmbedContents": _vectors}[found[2]](request, request.body)


def _content(request: Request, body: dict[str, Any]) -> Response:
    prompt = "".join(part.get("text", "") for part in body["contents"][-1]["parts"])
    config = body.get("generationConfig", {})
    text = said(request, text_of(prompt, config.get("responseJsonSchema")))
    reason = "MAX_TOKENS" if request.ends("truncated") else "SAFETY" if request.ends("refusal") else "STOP"
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": reason, "index": 0}
    usage = {"promptTokenCount": tokens_of(prompt), "candidatesTokenCount": tokens_of(text)}
    return Response(body={"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"}, paid=[prompt])


def _vectors(request: Request, body: dict[str, Any]) -> Response:
    if len(body["requests"]) > 100:
        return error(400, "invalid", "at most 100 requests can be in one batch")
    texts = ["".join(part["text"] for part in one["content"]["parts"]) for one in body["requests"]]
    width = body["requests"][0].get("outputDimensionality")
    return Response(body={"embeddings": [{"values": vector_of(text, width)} for text in texts]}, paid=texts)
