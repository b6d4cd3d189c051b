"""One HTTP server on this machine that stands for every vendor: strict about keys, paths and parameters."""

import base64
import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests.adapters import HTTPAdapter

from tests.components.ingestion.rest.paging import Wrong
from tests.components.ingestion.rest.vendor import Endpoint, Request, Since, Vendor

SENT = HTTPAdapter.send


@dataclass
class Answer:
    """What the fake sends back."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fake:
    """The vendor in force, its records and what was asked of it.

    Args:
        port: Port of the server.
        vendor: The vendor.
        records: Records by resource.
        times: The moment of each record, by resource, for what asks for new ones.
        fault: What a request gets instead, by the number of the request to that list, counted from 1; or None.
        problems: Requests that the vendor would have refused.
        asked: Requests by resource.
        listed: The resource that was listed last; a link to its next page says nothing else.
        bounds: What the first request of each list asked for as new.
    """

    port: int
    vendor: Vendor | None = None
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    times: dict[str, list[dt.datetime]] = field(default_factory=dict)
    fault: Callable[[int, Request], Answer | None] = lambda number, request: None
    problems: list[str] = field(default_factory=list)
    asked: dict[str, list[Request]] = field(default_factory=dict)
    listed: str = ""
    bounds: dict[str, str] = field(default_factory=dict)

    def first(self, resource: str, count: int) -> None:
        """Keep only the first records of a resource."""
        self.records[resource], self.times[resource] = self.records[resource][:count], self.times[resource][:count]

    def answer(self, request: Request) -> Answer:
        assert self.vendor is not None
        token = self.vendor.token
        if token and f"https://{request.host}{request.path}" == token.url:
            return self._token(request)
        if request.host != self.vendor.host:
            return self._refused(404, f"host {request.host}, expected {self.vendor.host}")
        for name, endpoint in self.vendor.endpoints.items():
            following = re.fullmatch(f"({endpoint.path})/(o-[0-9]+)", request.path)
            if following and getattr(endpoint.style, "in_path", False) and name == self.listed:
                request.path, request.query[endpoint.style.param] = following[1], following[2]
            if re.fullmatch(endpoint.path, request.path) and (following or endpoint.takes(request)):
                return self._page(name, endpoint, request)
        return self._refused(404, f"no path {request.path}")

    def _token(self, request: Request) -> Answer:
        assert self.vendor is not None
        assert self.vendor.token is not None
        token = self.vendor.token
        if request.method != "POST" or request.body != token.form:
            return self._refused(400, f"token: {request.method} {request.body}")
        if token.user:
            sent = base64.b64encode(":".join(token.user).encode()).decode()
            if request.headers.get("authorization") != f"Basic {sent}":
                return self._refused(401, "token: wrong user")
        return Answer(body={"access_token": token.token, "token_type": "Bearer", "expires_in": 3600})

    def _page(self, name: str, endpoint: Endpoint, request: Request) -> Answer:
        assert self.vendor is not None
        asked = self.asked.setdefault(name, [])
        asked.append(request)
        self.listed = name
        if fault := self.fault(len(asked), request):
            return fault
        if request.method != endpoint.method:
            return self._refused(405, f"{request.method} {request.path}")
        if not self.vendor.auth(request):
            return self._refused(401, f"{request.path}: wrong access")
        given = dict(request.query) if endpoint.method == "GET" else _flat(request.body)
        try:
            return self._found(name, endpoint, request, given)
        except (Wrong, ValueError) as wrong:
            return self._refused(400, f"{request.path}: {wrong}")

    def _found(self, name: str, endpoint: Endpoint, request: Request, given: dict[str, str]) -> Answer:
        style, since = endpoint.style, endpoint.since
        paging = {key: given[key] for key in style.names() if key in given}
        linked = hasattr(style, "relative") and style.param in given  # a link says what it wants to say
        allowed = {*style.names(), *endpoint.params, *([since.param] if since else [])}
        if endpoint.method == "GET" and (unknown := sorted(set(given) - allowed)):
            raise Wrong(f"unknown parameter {unknown[0]}")
        for key, value in endpoint.params.items():
            if not linked and (key not in given or (value is not None and given[key] != value)):
                if since and since.param == key and re.search(since.inside, given.get(key, "")):
                    continue
                raise Wrong(f"{key} is {given.get(key)!r}, expected {value!r}")
        records, times = self.records[name], self.times[name]
        if since and not linked:
            self.bounds[name] = given.get(since.param, "")
        if since and (found := re.search(since.inside, self.bounds.get(name, ""))) and found[1]:
            first = _parsed(found[1], since)
            records = [record for record, time in zip(records, times, strict=True) if time >= first]
        page = style.page(paging if not linked else given, records, f"https://{request.host}{request.path}")
        body: Any = [endpoint.wrap(record) for record in page.records]
        if endpoint.at:
            body = _with({}, endpoint.at, body)
        for path, value in page.more.items():
            _with(body, path, value)
        return Answer(page.status, b"" if page.status == 204 else body, page.headers)

    def _refused(self, status: int, problem: str) -> Answer:
        self.problems.append(problem)
        return Answer(status, {"error": {"message": problem}})


def _flat(body: Any, prefix: str = "") -> dict[str, str]:
    """A body's values by dotted path."""
    if isinstance(body, dict):
        pairs = [(f"{prefix}{key}", value) for key, value in body.items()]
    elif isinstance(body, list):
        pairs = [(f"{prefix}{place}", value) for place, value in enumerate(body)]
    else:
        return {prefix.rstrip("."): str(body)}
    return {key: text for path, value in pairs for key, text in _flat(value, f"{path}.").items()}


def _with(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *way, last = path.split(".")
    place = body
    for step in way:
        place = place.setdefault(step, {})
    place[last] = value
    return body


def _parsed(text: str, since: Since) -> dt.datetime:
    match since.how:
        case "iso" | "date":
            found = dt.datetime.fromisoformat(text)
        case "unix":
            found = dt.datetime.fromtimestamp(int(text), dt.UTC)
        case "unix_millis":
            found = dt.datetime.fromtimestamp(int(text) / 1000, dt.UTC)
        case pattern:
            found = dt.datetime.strptime(text, pattern)
    if since.how == "date" and len(text) != 10:
        raise Wrong(f"{since.param}: {text!r} is no date")
    if since.how == "iso" and found.tzinfo is None:
        raise Wrong(f"{since.param}: {text!r} has no zone")
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            url = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = self.headers.get("Content-Type") or ""
            body: Any = json.loads(raw) if raw and "json" in kind else dict(parse_qsl(raw.decode())) if raw else None
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = fake.answer(Request(self.command, url.netloc, url.path, query, headers, body))
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def served() -> Iterator[Fake]:
    """The fake, for as long as tests need it."""
    fake = Fake(0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def to_the_fake(port: int) -> Callable[..., Any]:
    """What takes the place of requests' transport: the same request, without TLS, by way of the fake as a proxy."""

    def send(adapter: HTTPAdapter, request: Any, **options: Any) -> Any:
        request.url = re.sub("^https://", "http://", request.url)
        options["proxies"] = {"http": f"http://127.0.0.1:{port}"}
        return SENT(adapter, request, **options)

    return send
