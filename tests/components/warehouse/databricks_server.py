"""A fake Databricks workspace: the statement execution API, its SQL run by DuckDB through sqlglot."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

TYPES = {"INTEGER": "INT", "BIGINT": "LONG", "HUGEINT": "LONG", "VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ"}
CHUNK_ROWS = 3


class DatabricksServer:
    """One SQL warehouse; tests script its faults.

    Attributes:
        faults: (status, body, headers) that the next calls answer, oldest first.
        polls: How often a statement says that it runs before it is done; -1 for ever.
        cancelled: Statements that were cancelled.
    """

    token = "dapi-s3cret"

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.lock = threading.Lock()
        self.faults: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        self.polls = 0
        self.asked: dict[str, int] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.chunks: dict[str, list[list[Any]]] = {}
        self.cancelled: list[str] = []
        self.calls: list[str] = []

    def __enter__(self) -> "DatabricksServer":
        outer = self

        class Handler(_Handler):
            workspace = outer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self.database.close()

    def execute(self, statement: str) -> dict[str, Any]:
        """Run a statement and keep its answer."""
        identity = f"st-{len(self.results) + 1}"
        try:
            with self.lock:
                self.results[identity] = self._run(identity, statement)
        except (duckdb.Error, sqlglot.errors.SqlglotError, ValueError) as error:
            failed = {"error_code": "BAD_REQUEST", "message": str(error)}
            self.results[identity] = {"status": {"state": "FAILED", "error": failed}}
        return self.answer(identity)

    def answer(self, identity: str) -> dict[str, Any]:
        asked = self.asked[identity] = self.asked.get(identity, 0) + 1
        if self.polls < 0 or asked <= self.polls:
            return {"statement_id": identity, "status": {"state": "RUNNING"}}
        return {"statement_id": identity, **self.results[identity]}

    def chunk(self, identity: str, index: int) -> dict[str, Any]:
        chunks = self.chunks[identity]
        following = {"next_chunk_index": index + 1} if index + 1 < len(chunks) else {}
        return {"chunk_index": index, "data_array": chunks[index], **following}

    def _run(self, identity: str, statement: str) -> dict[str, Any]:
        [tree] = sqlglot.parse(statement, read="databricks")
        where = tree.args.get("where") if isinstance(tree, exp.Insert) else None
        if where is not None:
            return self._replace_where(tree, where)
        found = self.database.execute(tree.sql("duckdb"))
        fields = [(column[0], str(column[1])) for column in found.description or []]
        rows = [[None if value is None else _text(value) for value in row] for row in found.fetchall()]
        columns = [
            {"name": name, "type_name": TYPES.get(kind, kind.split("(")[0]), "type_text": kind, "position": place}
            for place, (name, kind) in enumerate(fields)
        ]
        self.chunks[identity] = [rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS)] or [[]]
        manifest = {"schema": {"column_count": len(columns), "columns": columns}, "total_row_count": len(rows)}
        return {"status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": self.chunk(identity, 0)}

    def _replace_where(self, tree: exp.Insert, where: exp.Expression) -> dict[str, Any]:
        """Delta's INSERT INTO … REPLACE WHERE: rows outside are refused, the rest is done at once."""
        table, inside, query = (part.sql("duckdb") for part in (tree.this, where, tree.expression))
        inside = inside.removeprefix("WHERE ")
        outside = f"SELECT count(*) FROM ({query}) AS q WHERE ({inside}) IS NOT TRUE"
        count = self.database.execute(outside).fetchone()[0]
        if count:
            raise ValueError(f"[DELTA_REPLACE_WHERE_MISMATCH] {count} rows do not conform to the constraint {inside}")
        self.database.execute("BEGIN")
        try:
            self.database.execute(f"DELETE FROM {table} WHERE {inside}")
            self.database.execute(f"INSERT INTO {table} {query}")
            self.database.execute("COMMIT")
        except duckdb.Error:
            self.database.execute("ROLLBACK")
            raise
        return {"status": {"state": "SUCCEEDED"}, "manifest": {"schema": {"columns": []}}, "result": {}}


class _Handler(BaseHTTPRequestHandler):
    workspace: DatabricksServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self._refused():
            return
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[-1] == "cancel":
            self.workspace.cancelled.append(parts[-2])
            self._send(200, {})
        elif body["warehouse_id"] != "abc123":
            self._send(404, {"error_code": "NOT_FOUND", "message": f"warehouse {body['warehouse_id']} is not there."})
        else:
            self._send(200, self.workspace.execute(body["statement"]))

    def do_GET(self) -> None:
        if self._refused():
            return
        parts = self.path.split("?")[0].strip("/").split("/")
        if "chunks" in parts:
            self._send(200, self.workspace.chunk(parts[-4] if parts[-3] == "result" else parts[-3], int(parts[-1])))
        else:
            self._send(200, self.workspace.answer(parts[-1]))

    def _refused(self) -> bool:
        self.workspace.calls.append(f"{self.command} {self.path}")
        if self.workspace.faults:
            status, body, headers = self.workspace.faults.pop(0)
            self._send(status, body, headers)
            return True
        if self.headers.get("Authorization") != f"Bearer {self.workspace.token}":
            self._send(401, {"error_code": "UNAUTHENTICATED", "message": "Invalid access token."})
            return True
        return False

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def wait_for(condition: Any, seconds: float = 10) -> None:
    """Wait until a condition holds."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.02)
