"""The HTTP server: keys, faults, limits and latency, in front of the vendors' APIs."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import anthropic_api, bedrock_api, google_api, openai_api
from .answers import tokens_of
from .jobs import Jobs
from .trouble import Limit, Trouble, trouble_of
from .wire import Request, Response

KEY = "sk-fake-0123456789"


@dataclass(frozen=True)
class Seen:
    """A request that came, and what it got."""

    path: str
    status: int
    body: str
    at: float


@dataclass
class FakeModels:
    """A running server; tests change its settings at any time.

    Args:
        url: Where it is, without a path; OpenAI's clients add /v1.
        latency: Seconds that every answer takes.
        limit: The account's limit.
        troubles: Faults, each used up in its turn.
        key: The key that is valid; None takes none.
        seen: Every request, in order.
        paid: What answers were sent for, by text: more than 1 is paid twice.
    """

    url: str = ""
    latency: float = 0.0
    limit: Limit | None = None
    troubles: list[Trouble] = field(default_factory=list)
    key: str | None = KEY
    jobs: Jobs = field(default_factory=Jobs)
    seen: list[Seen] = field(default_factory=list)
    paid: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    most_at_once: int = 0
    lock: Any = field(default_factory=threading.RLock)

    @property
    def statuses(self) -> Counter[int]:
        """How many requests got which status."""
        return Counter(seen.status for seen in self.seen)

    def sent(self) -> str:
        """Everything that was ever sent to it."""
        return "\n".join(seen.body for seen in self.seen)

    def respond(self, request: Request) -> Response:
        """The response to a request, or the error that it gets instead."""
        api = _api_of(request)
        body = request.raw.decode("utf-8", "replace")
        if self.key and api is not bedrock_api and self.key not in _keys_of(request):
            return api.error(401, "invalid_api_key", "Incorrect API key provided")
        trouble = request.trouble = trouble_of(self.troubles, self.lock, body)
        if trouble and trouble.kind == "status":
            return api.error(trouble.status, trouble.code, f"scripted: {trouble.code}", trouble.headers)
        if self.limit and request.method == "POST":
            wait = self.limit.refused(tokens_of(body))
            if wait is not None:
                headers = {"retry-after": f"{wait:.3f}"} if self.limit.says_when else {}
                return api.error(429, "rate_limit_exceeded", "Rate limit reached", headers)
        if trouble and trouble.kind == "slow":
            time.sleep(trouble.seconds)
        if self.latency:
            time.sleep(self.latency)
        if trouble and trouble.kind == "not_json":
            return Response(raw=b'{"id": "x", "choices": [{"mess')
        found = (api.answer(request, self.jobs)) if api in (openai_api, anthropic_api) else api.answer(request)
        return found or Response(404, {"error": {"message": f"no such address: {request.path}"}})


def _api_of(request: Request) -> ModuleType:
    if request.path.startswith("/v1/messages"):
        return anthropic_api
    if request.path.startswith("/model/"):
        return bedrock_api
    return google_api if "/models/" in request.path else openai_api


def _keys_of(request: Request) -> set[str]:
    headers = request.headers
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return {bearer, headers.get("x-api-key", ""), headers.get("x-goog-api-key", ""), headers.get("api-key", "")}


@contextmanager
def model_server(**settings: Any) -> Iterator[FakeModels]:
    """A server on a free port of this machine, for as long as the block runs.

    Args:
        settings: Those of FakeModels.
    """
    fake = FakeModels(**settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.work()

        def do_POST(self) -> None:
            self.work()

        def work(self) -> None:
            address = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, address.path, query, headers, raw)
            with fake.lock:
                fake.under_way += 1
                fake.most_at_once = max(fake.most_at_once, fake.under_way)
            try:
                response = fake.respond(request)
                with fake.lock:
                    body = raw.decode("utf-8", "replace")
                    fake.seen.append(Seen(address.path, response.status, body, time.monotonic()))
                    fake.paid.update(response.paid)
                self.send(response, cut=request.ends("cut"))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with fake.lock:
                    fake.under_way -= 1

        def send(self, response: Response, *, cut: bool) -> None:
            chunks = list(response.chunks())
            kind = "text/event-stream" if response.events is not None else "application/json"
            self.send_response(response.status)
            headers = {"content-type": kind, "x-request-id": "req_1", **response.headers}
            if response.events is None:
                headers["content-length"] = str(sum(map(len, chunks)))
            else:
                headers["transfer-encoding"] = "chunked"
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if response.events is None:
                body = b"".join(chunks)
                self.wfile.write(body[: len(body) // 2] if cut else body)
            else:
                for chunk in chunks[: len(chunks) // 2] if cut else chunks:
                    self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                if not cut:
                    self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
            self.close_connection = self.close_connection or cut

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that was killed

    server = Server(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
