"""What a vendor's API is like, written down from its public documentation and not from our connector."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.components.ingestion.rest.paging import Style


@dataclass
class Request:
    """A request as the fake has received it."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None


Check = Callable[[Request], bool]


def bearer(token: str, scheme: str = "Bearer") -> Check:
    return lambda request: request.headers.get("authorization") == f"{scheme} {token}"


def header(**expected: str) -> Check:
    """Headers with these values; underscores stand for hyphens."""
    return lambda request: all(
        request.headers.get(name.replace("_", "-").lower()) == value for name, value in expected.items()
    )


def basic(user: str, password: str = "") -> Check:
    sent = base64.b64encode(f"{user}:{password}".encode()).decode()
    return lambda request: request.headers.get("authorization") == f"Basic {sent}"


@dataclass
class Token:
    """Where access tokens are given, and for which form."""

    url: str
    form: dict[str, str]
    user: tuple[str, str] | None = None
    token: str = "access-token-of-the-fake"


@dataclass
class Since:
    """The parameter that asks for what is new.

    Args:
        param: Its name; for a POST the path in the body.
        how: iso, date, unix, unix_millis, or a pattern of strptime.
        inside: Regular expression whose group is the bound, where the parameter says more.
    """

    param: str
    how: str = "iso"
    inside: str = r"^(.*)$"


@dataclass
class Endpoint:
    """One list of the API.

    Args:
        path: The whole path.
        style: How it pages.
        at: Where the records stand in the answer; empty for a bare list.
        since: How new records are asked for.
        params: Parameters that must be there, with their values; None for any value.
        method: GET, or POST where the vendor reads by it.
        wrap: What the fake makes of each record before it answers.
        takes: Which of the requests to this path it answers, where one path has several lists.
    """

    path: str
    style: Style
    at: str = ""
    since: Since | None = None
    params: dict[str, str | None] = field(default_factory=dict)
    method: str = "GET"
    wrap: Callable[[dict[str, Any]], dict[str, Any]] = lambda record: record
    takes: Check = lambda request: True


@dataclass
class Vendor:
    """One vendor.

    Args:
        host: Host of the API.
        auth: Whether a request is authenticated.
        secrets: Values that the auth check expects, by the names of the secrets.
        endpoints: Lists by the name of the resource.
        variables: Values of the connector's variables.
        token: Where an access token comes from, if one is needed.
    """

    host: str
    auth: Check
    secrets: dict[str, str]
    endpoints: dict[str, Endpoint]
    variables: dict[str, str] = field(default_factory=dict)
    token: Token | None = None
