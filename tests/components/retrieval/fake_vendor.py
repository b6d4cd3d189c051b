"""A local HTTP server that stands in for a vector store's vendor; records are kept in memory."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]


class FakeVendor:
    """Routes of one vendor's API; subclasses answer, tests script faults.

    Attributes:
        faults: Answers for the next requests, instead of the real ones: status, headers.
        asked: Method and path of every request.
        key: What the client has to log in with.
    """

    def __init__(self) -> None:
        self.faults: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        self.key = "key-for-tests"
        self.lock = threading.RLock()
        self.url = ""

    def is_allowed(self, headers: Any) -> bool:
        raise AssertionError("subclasses say how one logs in")

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        raise AssertionError("subclasses answer")


@contextmanager
def running(vendor: FakeVendor) -> Iterator[Any]:
    """Serve on a free port of this machine; the vendor knows its url."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            headers: dict[str, str] = {}
            with vendor.lock:
                vendor.asked.append(f"{self.command} {parts.path}")
                if vendor.faults:
                    status, headers = vendor.faults.pop(0)
                    found: Any = {"error_code": "FAULT", "message": "scripted", "error": {"message": "scripted"}}
                elif not vendor.is_allowed(self.headers):
                    status, found = 401, {"error_code": "UNAUTHENTICATED", "message": "wrong key"}
                else:
                    body = json.loads(content) if content else {}
                    status, found = vendor.answer(self.command, parts.path, parse_qs(parts.query), body)
            data = json.dumps(found).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = respond

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vendor.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield vendor
        finally:
            server.shutdown()
            thread.join()


def nearest(
    rows: list[dict[str, Any]], vector: list[float], k: int, takes: Callable[[dict[str, Any]], bool]
) -> list[tuple[float, dict[str, Any]]]:
    """The rows of greatest cosine, each with it."""

    def cosine(row: dict[str, Any]) -> float:
        left, right = row["vector"], vector
        lengths = (sum(x * x for x in left) * sum(x * x for x in right)) ** 0.5
        return sum(x * y for x, y in zip(left, right, strict=True)) / lengths

    found = [(cosine(row), row) for row in rows if takes(row)]
    return sorted(found, key=lambda pair: -pair[0])[:k]
