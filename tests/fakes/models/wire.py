"""Requests and responses between the HTTP server and the vendors' APIs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .trouble import Trouble


@dataclass
class Request:
    """What came in.

    Args:
        method: HTTP method.
        path: Path without its query.
        query: The query's first values.
        headers: In lower case.
        raw: The body.
        trouble: The fault that hits it.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    trouble: Trouble | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The body as JSON."""
        return json.loads(self.raw or b"{}")

    def ends(self, kind: str) -> bool:
        """Whether the model ends like this, on purpose."""
        return self.trouble is not None and self.trouble.kind == kind


@dataclass
class Response:
    """What goes out: JSON, bytes, or a stream of events.

    Args:
        body: JSON, unless ``raw`` or ``events`` are there.
        paid: The texts that it bills for.
    """

    status: int = 200
    body: Any = None
    raw: bytes | None = None
    events: list[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    paid: list[str] = field(default_factory=list)

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the body."""
        if self.events is not None:
            yield from self.events
        elif self.raw is not None:
            yield self.raw
        else:
            yield json.dumps(self.body).encode()


def event(data: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def said(request: Request, text: str) -> str:
    """The model's text, spoiled on purpose where a fault says so."""
    match request.trouble.kind if request.trouble else "":
        case "truncated":
            return text[: len(text) // 2]
        case "wrong_schema":
            return json.dumps({"something": "else"})
        case "malformed":
            return "Sure! {broken: json"
        case "says":
            return request.trouble.text if request.trouble else ""
        case "refusal":
            return "I cannot help with that."
    return text
