"""Sessions of the SQL connector over the statement execution API: where names start, and results as Arrow streams."""

import io
import itertools
from typing import Any

import pyarrow as pa

from tests.fakes.databricks.wire import Ask, Refused, route

EXPIRES = "2099-01-01T00:00:00.000Z"


class Sessions:
    """What databricks-sql-connector opens before its first statement.

    Attributes:
        open: Catalog and schema of each session that is open, by its id.
    """

    def __init__(self, workspace: Any, statements: Any) -> None:
        self._workspace = workspace
        self._statements = statements
        self.open: dict[str, dict[str, str | None]] = {}
        self._streams: dict[str, bytes] = {}
        self._numbers = itertools.count(1)

    @route("POST", "sql/sessions")
    def create(self, ask: Ask) -> dict[str, Any]:
        body = ask.body
        if body["warehouse_id"] not in self._statements.warehouses:
            raise Refused(404, "NOT_FOUND", f"warehouse {body['warehouse_id']} is not there.")
        identity = f"session-{next(self._numbers)}"
        self.open[identity] = {"catalog": body.get("catalog"), "schema": body.get("schema")}
        return {"session_id": identity}

    @route("DELETE", "sql/sessions/{session}")
    def close(self, ask: Ask) -> dict[str, Any]:
        if self.open.pop(ask["session"], None) is None:
            raise Refused(404, "NOT_FOUND", f"Session {ask['session']} does not exist.")
        return {}

    @route("DELETE", "sql/statements/{statement}")
    def close_statement(self, ask: Ask) -> dict[str, Any]:
        return {}

    @route("GET", "/results/{statement}")
    def stream(self, ask: Ask) -> bytes:
        return self._streams[ask["statement"]]

    def placed(self, body: dict[str, Any]) -> dict[str, Any]:
        """A statement with the catalog and the schema of its session.

        Raises:
            Refused: the session is not open.
        """
        if "session_id" not in body:
            return body
        if body["session_id"] not in self.open:
            raise Refused(404, "NOT_FOUND", f"Session {body['session_id']} does not exist.")
        return {**body, **self.open[body["session_id"]]}

    def link(self, statement: str, result: dict[str, Any], described: list[Any], rows: list[Any]) -> dict[str, Any]:
        """A result whose rows are behind a link, as an Arrow stream."""
        columns = []
        for place in range(len(described)):
            array = pa.array([row[place] for row in rows])
            columns.append(array.cast(pa.string()) if pa.types.is_null(array.type) else array)
        table = pa.table(columns, names=[name for name, _ in described])
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        self._streams[statement] = sink.getvalue()
        if not rows:
            empty = {"format": "ARROW_STREAM", "total_chunk_count": 0, "total_byte_count": 0}
            return {**result, "manifest": {**result["manifest"], **empty}, "result": {}}
        counts = {"chunk_index": 0, "row_offset": 0, "row_count": len(rows), "byte_count": len(sink.getvalue())}
        manifest = {"format": "ARROW_STREAM", "total_chunk_count": 1, "total_byte_count": counts["byte_count"]}
        link = {"external_link": f"{self._workspace.address}/results/{statement}", "expiration": EXPIRES, **counts}
        return {
            **result,
            "manifest": {**result["manifest"], **manifest, "chunks": [counts]},
            "result": {"external_links": [link]},
        }
