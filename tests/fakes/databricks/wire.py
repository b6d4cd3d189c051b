"""What goes over the wire: requests, refusals, pages, and shapes that are those of the SDK's own types."""

import dataclasses
import enum
import json
import typing
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple


class Sent(NamedTuple):
    """A request as the recorder keeps it."""

    method: str
    path: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclasses.dataclass
class Ask:
    """A request as a handler gets it."""

    query: dict[str, str]
    raw: bytes
    headers: Any
    parts: dict[str, str]
    login: str
    method: str

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw or b"{}")

    def __getitem__(self, name: str) -> str:
        return self.parts[name]


class Refused(Exception):
    """An answer other than 200, with the payload that Databricks sends."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        self.payload: dict[str, Any] = {"error_code": code, "message": message}


@dataclasses.dataclass
class Fault:
    """What the next request whose method and path contain ``part`` gets instead of an answer.

    Args:
        part: Part of ``POST /api/…``; any request when empty.
        times: How many requests.
        after: Whether the work is done before the answer is lost.
    """

    part: str = ""
    status: int = 500
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: Any = None
    times: int = 1
    after: bool = False

    def answer(self) -> Refused:
        codes = {429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE", 403: "PERMISSION_DENIED"}
        refused = Refused(self.status, codes.get(self.status, "INTERNAL_ERROR"), f"fault {self.status}", self.headers)
        if self.body is not None:
            refused.payload = self.body
        return refused


def route(method: str, *paths: str) -> Callable[[Any], Any]:
    """Mark a handler; paths are written without ``/api/2.x/`` and have ``{names}`` for their parts."""

    def marked(handler: Any) -> Any:
        handler.routes = [*getattr(handler, "routes", []), *((method, path) for path in paths)]
        return handler

    return marked


def checked(call: Any, body: dict[str, Any], *also: str) -> dict[str, Any]:
    """A body that has only what a method of the SDK sends, in the types of the SDK.

    Args:
        call: The method, such as ``JobsAPI.submit``.
        body: What was sent.
        also: Names that older or newer clients send besides.

    Raises:
        Refused: a field is unknown or of another type; the answer says which.
    """
    hints = _hints(call)
    _only(body, hints, also, "")
    return body


def shaped(kind: Any, body: Any) -> Any:
    """A body that fits a type of the SDK, both ways: requests are refused, own answers fail the test."""
    _fits(body, kind, "")
    return body


def page(found: list[Any], query: dict[str, str], name: str, size: int, *, limit: str = "max_results") -> dict:
    """One page of a list, and the token of the next."""
    start = int(query.get("page_token") or 0)
    size = min(int(query.get(limit) or 0) or size, size)
    answer: dict[str, Any] = {name: found[start : start + size]}
    if start + size < len(found):
        answer["next_page_token"] = str(start + size)
    return answer


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    hints.pop("return", None)
    return hints


def _only(body: dict[str, Any], hints: dict[str, Any], also: tuple[str, ...], place: str) -> None:
    for name, value in body.items():
        if name in hints:
            _fits(value, hints[name], f"{place}{name}")
        elif name not in also:
            raise Refused(400, "MALFORMED_REQUEST", f"Could not parse request object: unknown field {place}{name}")


def _fits(value: Any, kind: Any, place: str) -> None:
    origin = typing.get_origin(kind)
    if value is None or kind is Any:
        return
    if origin is typing.Union:
        _fits(value, next(arg for arg in typing.get_args(kind) if arg is not type(None)), place)
    elif origin is list:
        _demand(isinstance(value, list), place, "a list")
        for number, item in enumerate(value):
            _fits(item, typing.get_args(kind)[0], f"{place}[{number}]")
    elif origin is dict:
        _demand(isinstance(value, dict), place, "an object")
        for name, item in value.items():
            _fits(item, typing.get_args(kind)[1], f"{place}.{name}")
    elif dataclasses.is_dataclass(kind):
        _demand(isinstance(value, dict), place, "an object")
        _only(value, _hints(kind), (), f"{place}." if place else "")
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        _demand(value in [member.value for member in kind], place, f"one of {[member.value for member in kind]}")
    elif kind in (str, bool, dict):
        _demand(isinstance(value, kind), place, kind.__name__)
    elif kind in (int, float):
        _demand(isinstance(value, int | float) and not isinstance(value, bool), place, kind.__name__)


def _demand(holds: bool, place: str, expected: str) -> None:
    if not holds:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"Could not parse request object: {place}: expected {expected}")
