"""Anthropic: messages, streamed or not, and batches of them."""

import json
import re
import uuid
from typing import Any

from .answers import text_of, tokens_of
from .jobs import Jobs
from .wire import Request, Response, event, said


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error in Anthropic's words."""
    kinds = {401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
    about = {"type": kinds.get(status, code), "message": message}
    return Response(status, {"type": "error", "error": about, "request_id": "req_1"}, headers=headers or {})


def answer(request: Request, jobs: Jobs) -> Response | None:
    """The response to a request of this API; None where it is another's."""
    if request.path == "/v1/messages":
        return messages(request, request.body)
    if request.path == "/v1/messages/batches":
        if request.method == "POST":
            return Response(body=jobs.start_anthropic(request.body))
        batches = sorted(jobs.anthropic.values(), key=lambda batch: batch["created_at"], reverse=True)
        return Response(body={"data": batches, "has_more": False, "first_id": None, "last_id": None})
    if found := re.fullmatch(r"/v1/messages/batches/([^/]+)(/results)?", request.path):
        if found[1] not in jobs.anthropic:
            return error(404, "not_found_error", "no such batch")
        if found[2]:
            return Response(raw=jobs.results[found[1]], headers={"content-type": "application/x-jsonl"})
        return Response(body=jobs.poll_anthropic(found[1], f"http://{request.headers['host']}", _batched))
    return None


def messages(request: Request, body: dict[str, Any]) -> Response:
    """One message."""
    form = (body.get("output_config") or {}).get("format") or {}
    prompt = body["messages"][-1]["content"]
    text = said(request, text_of(prompt, form.get("schema")))
    reason = "end_turn"
    if request.ends("truncated"):
        reason = "max_tokens"
    elif request.ends("refusal"):
        reason = "refusal"
    usage = {"input_tokens": tokens_of(prompt + str(body.get("system", ""))), "output_tokens": tokens_of(text)}
    found = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }
    if not body.get("stream"):
        return Response(body=found, paid=[prompt])
    begun = {**found, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    pieces = [text[i : i + 20] for i in range(0, len(text), 20)]
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    return Response(events=[event(one, one["type"]) for one in told], paid=[prompt])


def _batched(asked: dict[str, Any], request: Request) -> tuple[bytes, list[str]]:
    """The line of results for a request of a batch, and what it bills for."""
    done = messages(request, asked["params"])
    result = {"custom_id": asked["custom_id"], "result": {"type": "succeeded", "message": done.body}}
    return json.dumps(result).encode(), done.paid
