"""A local Census: its wire protocol for syncs and their runs, with pages, one 500 before it answers, and failures."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "census-key-that-nobody-may-see"
NAMES = {1: "Accounts to CRM", 2: "Leads / Weekly", 3: "Broken sync"}


def sync(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "label": NAMES[number],
        "resource_identifier": NAMES[number],
        "source_attributes": {"connection_id": 10},
        "destination_attributes": {"connection_id": 20},
        "mappings": [{"from": {"type": "column"}, "to": "Email", "field_type": "string"}],
    }


class Census(BaseHTTPRequestHandler):
    """Answers as Census does; the server object holds what it was asked."""

    def reply(self, status: int, body: Any) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer("POST")

    def answer(self, method: str) -> None:
        asked: list[str] = self.server.asked  # type: ignore[attr-defined]
        asked.append(f"{method} {self.path}")
        place, _, query = self.path.removeprefix("/api/v1/").partition("?")
        parts = place.split("/")
        if "Authorization" not in self.headers:
            return self.reply(401, {"message": "no key"})
        if asked.count("GET /api/v1/syncs") == 1 and place == "syncs" and not query:
            return self.reply(500, {"message": "try again"})
        if place == "syncs":
            page = int(query.removeprefix("page=") or 1)
            found = [sync(n) for n in NAMES if (n <= 2) == (page == 1)]
            return self.reply(200, {"data": found, "pagination": {"page": page, "last_page": 2}})
        if parts[0] == "syncs" and parts[-1] == "trigger":
            return self.reply(200, {"data": {"sync_run_id": int(parts[1]) * 100}})
        if parts[0] == "syncs":
            return self.reply(200, {"data": sync(int(parts[1]))})
        if parts[0] in ("sources", "destinations"):
            return self.reply(200, {"data": {"id": int(parts[1]), "name": parts[0]}})
        if parts[0] == "sync_runs":
            return self.run_details(int(parts[1]), asked.count(f"GET {self.path}"))
        return self.reply(404, {"message": "nothing there"})

    def run_details(self, number: int, times: int) -> None:
        details = {"id": number, "sync_id": number // 100, "records_processed": 7, "records_updated": 6}
        slow: bool = self.server.slow  # type: ignore[attr-defined]
        status = "working" if times == 1 or slow else "failed" if number == 300 else "completed"
        self.reply(200, {"data": {**details, "status": status, "error_message": "the CRM refused"}})

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running_census() -> Iterator[ThreadingHTTPServer]:
    """A server on this machine, and on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Census)
    server.asked, server.slow = [], False  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
