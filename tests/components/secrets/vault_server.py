"""A local server that speaks Vault's KV version 2 over HTTP, with its mishaps."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

CREATED = "2026-11-01T08:00:00.000000000Z"


class VaultServer:
    """Versions of secrets by mount and path, the tokens that may read them, and faults that are due.

    Args:
        tokens: Tokens that may read everything.
    """

    def __init__(self, *tokens: str) -> None:
        self.tokens = set(tokens)
        self.versions: dict[str, list[dict[str, Any] | None]] = {}
        self.faults: list[tuple[int, dict[str, str]] | str] = []
        self.sealed = False
        self.requests: list[dict[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def put(self, path: str, **data: Any) -> None:
        """Write one more version; ``path`` starts with the mount."""
        self.versions.setdefault(path, []).append(data)

    def delete(self, path: str) -> None:
        """Delete the newest version, softly as ``vault kv delete`` does."""
        self.versions[path].append(None)

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of one request."""
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, str):
                return 200, {}, fault
            return fault[0], fault[1], {"errors": ["a fault that was asked for"]}
        if self.sealed:
            return 503, {}, {"errors": ["Vault is sealed"]}
        if headers.get("X-Vault-Token") not in self.tokens:
            return 403, {}, {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}
        mount, _, rest = path.removeprefix("/v1/").partition("/data/")
        versions = self.versions.get(f"{mount}/{rest}")
        if not versions:
            return 404, {}, {"errors": []}
        deleted = versions[-1] is None
        number = len(versions) - deleted
        metadata = {
            "created_time": CREATED,
            "custom_metadata": None,
            "deletion_time": CREATED if deleted else "",
            "destroyed": False,
            "version": number,
        }
        body = {
            "request_id": "5d3c9f1e-0000-0000-0000-000000000000",
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": {"data": versions[-1], "metadata": metadata},
            "wrap_info": None,
            "warnings": None,
            "auth": None,
            "mount_type": "kv",
        }
        return (404 if deleted else 200), {}, body


@contextmanager
def running_vault(*tokens: str) -> Iterator[VaultServer]:
    """A server that answers until the block ends."""
    vault = VaultServer(*tokens)
    thread = threading.Thread(target=vault.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield vault
    finally:
        vault.server.shutdown()
        vault.server.server_close()


def _handler(vault: VaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = dict(self.headers.items())
            path = urlsplit(self.path).path
            vault.requests.append({"path": path, **headers})
            status, more, body = vault.answer(path, headers)
            if "X-Sleep" in more:
                time.sleep(float(more.pop("X-Sleep")))
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: Any) -> None: ...

    return Handler
