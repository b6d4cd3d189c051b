"""Serve a search page on this machine, with its index behind it.

python -m <package>.retrieval.serve data/pages/handbook.html
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..llm.errors import ModelCallError
from .answering import Answer, Answering, Question, answers_to
from .page_html import data_of, passage, served
from .search import Index, open_index
from .stores.attributes import StoreSettings
from .stores.base import StoreError

_HERE = ("localhost", "127.0.0.1", "[::1]")
_LONGEST_QUESTION = 2000


class SearchServer(HTTPServer):
    """Answers from one index, to this machine only, one request at a time.

    Args:
        page: Content of the HTML file.
        port: 0 for any that is free.
    """

    def __init__(self, page: str, index: Index, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.page = served(page)
        self.index = index


class _Handler(BaseHTTPRequestHandler):
    server: SearchServer

    def do_GET(self) -> None:
        """The page, or what was found."""
        # Another site's name that points here would let that site read the documents.
        if (self.headers.get("Host") or "").rpartition(":")[0] not in _HERE:
            self._send(403, "text/plain", b"only for this machine")
            return
        parts = urlsplit(self.path)
        if parts.path == "/":
            self._send(200, "text/html; charset=utf-8", self.server.page.encode())
        elif parts.path == "/search":
            text = parse_qs(parts.query).get("q", [""])[0][:_LONGEST_QUESTION].strip()
            self._send(200, "application/json", json.dumps(_found(self.server.index, text)).encode())
        else:
            self._send(404, "text/plain", b"not found")

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Questions are nobody else's business."""


def _found(index: Index, text: str) -> dict[str, Any]:
    if not text:
        return {"hits": [], "sentences": [], "refusal": ""}
    try:
        hits = index.search(text, 8)
        answer: Answer = next(iter(answers_to([Question("1", text)], index, Answering())))
    except (StoreError, ModelCallError) as error:
        return {"error": str(error)}
    sentences = [
        {"text": item.text, "hit": asdict(answer.citations[item.citations[0] - 1])} for item in answer.sentences
    ]
    return {"hits": [passage(hit.record) for hit in hits], "sentences": sentences, "refusal": answer.refusal}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; the exit code."""
    parser = argparse.ArgumentParser(description="Serve a search page on this machine.")
    parser.add_argument("page", type=Path, help="HTML file that a search page's asset wrote")
    parser.add_argument("--project", type=Path, default=Path(), help="the project's root; this folder by default")
    parser.add_argument("--port", type=int, default=8765, help="port on this machine; 0 for any that is free")
    chosen = parser.parse_args(arguments)
    try:
        page = chosen.page.read_text("utf-8")
        data = data_of(page)
        with open_index(chosen.project, data["index"], StoreSettings(**data["store"])) as index:
            server = SearchServer(page, index, chosen.port)
            print(f"http://127.0.0.1:{server.server_port}/  (Ctrl+C ends it)", flush=True)
            with server:
                server.serve_forever()
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError, StoreError, ModelCallError) as error:
        print(f"{chosen.page}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
