"""The server: logins, faults, delays, a recorder of requests, and the areas that answer them."""

import asyncio
import inspect
import json
import re
import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.databricks.catalog import Catalog
from tests.fakes.databricks.files import Files
from tests.fakes.databricks.jobs import Jobs
from tests.fakes.databricks.logins import Logins
from tests.fakes.databricks.models import Models
from tests.fakes.databricks.pipelines import Pipelines
from tests.fakes.databricks.search import Search
from tests.fakes.databricks.serving import Serving
from tests.fakes.databricks.statements import Statements
from tests.fakes.databricks.tracking import Tracking
from tests.fakes.databricks.wire import Ask, Fault, Refused, Sent

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
TOKEN = "made-up"


class FakeWorkspace:
    """A workspace at an address of its own; tests set what it holds, how slow it is, and what goes wrong.

    Args:
        folder: Where workspace files and volumes are.

    Attributes:
        faults: What the next requests get; each counts down and leaves the list.
        latency: Seconds that every answer takes, whatever else is asked meanwhile.
        requests: Every request, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.latency = 0.0
        self.requests: list[Sent] = []
        self.lock = threading.RLock()
        self.logins = Logins(self)
        self.files = Files(self)
        self.jobs = Jobs(self)
        self.pipelines = Pipelines(self)
        self.sql = Statements(self)
        self.catalog = Catalog(self)
        self.models = Models(self)
        self.tracking = Tracking(self)
        self.serving = Serving(self)
        self.search = Search(self)
        areas = [self.logins, self.files, self.jobs, self.pipelines, self.sql, self.catalog, self.models]
        areas += [self.serving, self.search, self.sql.sessions, self.tracking]
        self._routes = [
            (method, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", _pattern(path))), getattr(area, name))
            for area in areas
            for name, handler in inspect.getmembers(type(area), inspect.isfunction)
            for method, path in getattr(handler, "routes", [])
        ]
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", self._endpoint, methods=_METHODS)])
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def close(self) -> None:
        """End the server and everything it runs."""
        self.jobs.end_all()
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()
        self.sql.close()

    def asked(self, part: str) -> int:
        """How many requests had this in their method and path."""
        return sum(part in f"{sent.method} {sent.path}" for sent in self.requests)

    def sent(self, part: str) -> list[Any]:
        """The bodies of the requests with this in their method and path."""
        return [sent.json for sent in self.requests if part in f"{sent.method} {sent.path}"]

    async def _endpoint(self, request: Request) -> Response:
        raw = await request.body()
        if self.latency:
            await asyncio.sleep(self.latency)
        return await run_in_threadpool(self._answer, request, raw)

    def _answer(self, request: Request, raw: bytes) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        what = f"{request.method} {path}"
        try:
            with self.lock:
                self.requests.append(Sent(request.method, path, raw))
                fault = next((fault for fault in self.faults if fault.part in what), None)
                if fault is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
            if fault is not None and not fault.after:
                raise fault.answer()
            content = self._handled(request, raw)
            if fault is not None:
                raise fault.answer()
        except Refused as refused:
            return _json(refused.payload, refused.status, refused.headers)
        if isinstance(content, Response):
            return content
        return Response(content) if isinstance(content, bytes) else _json(content, 200, {})

    def _handled(self, request: Request, raw: bytes) -> Any:
        path = urlsplit(str(request.url)).path
        login = "" if path.startswith(("/oidc", "/.well-known", "/results")) else self.logins.who(request.headers)
        for method, pattern, handler in self._routes:
            if method == request.method and (found := pattern.fullmatch(path)):
                parts = {name: unquote(part) for name, part in found.groupdict().items()}
                return handler(Ask(dict(request.query_params), raw, request.headers, parts, login, method))
        raise Refused(404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} {path}'")


def _pattern(path: str) -> str:
    """A regular expression of a path in which ``{names}`` are still to be replaced."""
    escaped = re.escape(path).replace(r"\{rest\}", "(?P<rest>.+)")
    return escaped if path.startswith("/") else rf"/api/2\.\d/{escaped}"


def _json(content: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(json.dumps(content), status, headers, "application/json")
