"""Bedrock: Converse, and the embeddings of Titan and Cohere."""

import json
import re
from typing import Any
from urllib.parse import unquote

from .answers import text_of, tokens_of, value_of, vector_of
from .wire import Request, Response, said


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error in Bedrock's words."""
    kinds = {429: "ThrottlingException", 500: "InternalServerException", 401: "UnrecognizedClientException"}
    kind = kinds.get(status, code)
    return Response(status, {"message": message}, headers={**(headers or {}), "x-amzn-errortype": kind})


def answer(request: Request) -> Response | None:
    """The response to a request of this API; None where it is another's."""
    found = re.fullmatch(r"/model/([^/]+)/(converse|invoke)", request.path)
    if not found:
        return None
    return _converse(request, request.body) if found[2] == "converse" else _invoke(unquote(found[1]), request.body)


def _converse(request: Request, body: dict[str, Any]) -> Response:
    prompt = body["messages"][-1]["content"][0]["text"]
    text = said(request, text_of(prompt, None))
    content: dict[str, Any] = {"text": text}
    stop = "max_tokens" if request.ends("truncated") else "content_filtered" if request.ends("refusal") else "end_turn"
    if "toolConfig" in body and stop == "end_turn":
        tool = body["toolConfig"]["tools"][0]["toolSpec"]
        used = {"something": "else"} if request.ends("wrong_schema") else value_of(tool["inputSchema"]["json"], prompt)
        content, stop = {"toolUse": {"toolUseId": "1", "name": tool["name"], "input": used}}, "tool_use"
        text = json.dumps(used)
    tokens = {"inputTokens": tokens_of(prompt), "outputTokens": tokens_of(text)}
    found = {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": stop,
        "usage": {**tokens, "totalTokens": sum(tokens.values())},
        "metrics": {"latencyMs": 1},
    }
    return Response(body=found, paid=[prompt])


def _invoke(model: str, body: dict[str, Any]) -> Response:
    if "cohere." in model:
        texts = body["texts"]
        if len(texts) > 96:
            return error(400, "ValidationException", "texts: at most 96")
        found: dict[str, Any] = {"embeddings": [vector_of(text) for text in texts]}
    else:
        texts = [body["inputText"]]
        found = {"embedding": vector_of(texts[0], body.get("dimensions"))}
        found["inputTextTokenCount"] = tokens_of(texts[0])
    count = str(sum(map(tokens_of, texts)))
    return Response(body=found, headers={"x-amzn-bedrock-input-token-count": count}, paid=texts)
