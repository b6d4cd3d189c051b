"""OpenAI: responses, chat, embeddings, files and batches."""

import base64
import json
import re
import struct
import uuid
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from .answers import text_of, tokens_of, vector_of
from .jobs import Jobs
from .wire import Request, Response, event, said


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error in OpenAI's words."""
    about = {"message": message, "type": code, "param": None, "code": code}
    return Response(status, {"error": about}, headers=headers or {})


def answer(request: Request, jobs: Jobs) -> Response | None:
    """The response to a request of this API; None where it is another's."""
    path = request.path.removeprefix("/v1")
    if path == "/responses":
        return responses(request, request.body)
    if path == "/chat/completions":
        return chat(request, request.body)
    if path == "/embeddings":
        return embeddings(request.body)
    if path == "/files" and request.method == "POST":
        return Response(body=jobs.keep_file(*_uploaded(request)))
    if found := re.fullmatch(r"/files/([^/]+)/content", path):
        return Response(raw=jobs.files[found[1]])
    if path == "/batches":
        if request.method == "GET":
            batches = sorted(jobs.openai.values(), key=lambda batch: -batch["created_at"])
            return Response(body={"object": "list", "data": batches, "has_more": False})
        return Response(body=jobs.start_openai(request.body))
    if found := re.fullmatch(r"/batches/([^/]+)", path):
        return Response(body=jobs.poll_openai(found[1], _batched)) if found[1] in jobs.openai else _no_batch()
    return None


def responses(request: Request, body: dict[str, Any]) -> Response:
    """The API of responses, streamed or not."""
    form = body.get("text", {}).get("format", {})
    text = said(request, text_of(body["input"], form.get("schema") if form.get("type") == "json_schema" else None))
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    if request.ends("refusal"):
        part = {"type": "refusal", "refusal": text}
    message = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    incoming = tokens_of(body["input"] + body.get("instructions", ""))
    cut = request.ends("truncated")
    found = {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": body["model"],
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "error": None,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": incoming,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens_of(text),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": incoming + tokens_of(text),
        },
    }
    if not body.get("stream"):
        return Response(body=found, paid=[body["input"]])
    begun = {**found, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": message["id"], "output_index": 0, "content_index": 0, "logprobs": []}
    pieces = [text[i : i + 20] for i in range(0, len(text), 20)]
    last = "response.incomplete" if cut else "response.completed"
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        *({"type": "response.output_text.delta", "delta": piece, **place} for piece in pieces),
        {"type": last, "response": found},
    ]
    events = [event({**one, "sequence_number": number}, one["type"]) for number, one in enumerate(told)]
    return Response(events=events, paid=[body["input"]])


def chat(request: Request, body: dict[str, Any]) -> Response:
    """Chat completions, streamed or not."""
    form = body.get("response_format") or {}
    prompt = body["messages"][-1]["content"]
    text = said(request, text_of(prompt, form.get("json_schema", {}).get("schema")))
    reason = "length" if request.ends("truncated") else "stop"
    refused = request.ends("refusal")
    incoming = sum(tokens_of(message["content"]) for message in body["messages"])
    usage = {
        "prompt_tokens": incoming,
        "completion_tokens": tokens_of(text),
        "total_tokens": incoming + tokens_of(text),
    }
    head = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": body["model"]}
    if not body.get("stream"):
        message = {"role": "assistant", "content": None if refused else text, "refusal": text if refused else None}
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        return Response(body={**head, "object": "chat.completion", "choices": [choice], "usage": usage}, paid=[prompt])
    kind = "refusal" if refused else "content"
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({kind: text[i : i + 20]}, None) for i in range(0, len(text), 20)]
    deltas += [({}, reason)]
    whole = {**head, "object": "chat.completion.chunk"}
    events = [
        event({**whole, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}) for delta, end in deltas
    ]
    return Response(events=[*events, event({**whole, "choices": [], "usage": usage}), event("[DONE]")], paid=[prompt])


def embeddings(body: dict[str, Any]) -> Response:
    """Embeddings, as numbers or as base64."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    if len(texts) > 2048 or not texts:
        return error(400, "invalid_request_error", f"input: expected 1 to 2048 texts, got {len(texts)}")
    data = []
    for index, text in enumerate(texts):
        vector: Any = vector_of(text, body.get("dimensions"))
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    tokens = sum(map(tokens_of, texts))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Response(body={"object": "list", "data": data, "model": body["model"], "usage": usage}, paid=list(texts))


def _uploaded(request: Request) -> tuple[str, bytes]:
    """Name and bytes of the file in a multipart body."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    for part in BytesParser(policy=HTTP).parsebytes(head + request.raw).iter_parts():
        if part.get_filename():
            return str(part.get_filename()), part.get_payload(decode=True)
    raise ValueError("no file in the body")


def _batched(line: bytes, request: Request) -> tuple[bytes, list[str]]:
    """The line of results for a line of a batch's input, and what it bills for."""
    asked = json.loads(line)
    done = {"/v1/responses": responses, "/v1/chat/completions": chat}[asked["url"]](request, asked["body"])
    result = {
        "id": f"batch_req_{asked['custom_id']}",
        "custom_id": asked["custom_id"],
        "response": {"status_code": done.status, "request_id": "1", "body": done.body},
        "error": None,
    }
    return json.dumps(result).encode(), done.paid


def _no_batch() -> Response:
    return error(404, "not_found", "No batch with that id")
