"""The statement execution API: SQL of Databricks run by DuckDB through sqlglot, with pages, waits and failures."""

import datetime as dt
import itertools
import threading
from typing import Any

import duckdb
import sqlglot
from databricks.sdk.service import sql as api
from sqlglot import exp

from tests.fakes.databricks.sessions import Sessions
from tests.fakes.databricks.sql import BadStatement, Dialect
from tests.fakes.databricks.wire import Ask, Refused, checked, route, shaped

TYPES = {"INTEGER": "INT", "BIGINT": "LONG", "HUGEINT": "LONG", "VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP"}
NAIVE = {"TIMESTAMP": "TIMESTAMP_NTZ", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP"}
CHUNK_ROWS = 3


class Statements:
    """SQL warehouses over one DuckDB.

    Attributes:
        polls: How often a statement says that it runs before it is done; -1 for ever.
        cancelled: Statements that were cancelled.
        asked_by: The login of each statement, and its text.
        refused: What a statement that contains a text fails with, by that text.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.database = duckdb.connect()
        self.lock = threading.Lock()
        self.dialect = Dialect(self.database)
        self.warehouses = {"abc123": "SMALL"}
        self.polls = 0
        self.chunk_rows = CHUNK_ROWS
        self.refused: dict[str, str] = {}
        self.cancelled: list[str] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.asked_by: list[tuple[str, str]] = []
        self.sessions = Sessions(workspace, self)
        self._numbers = itertools.count(1)
        self._asked: dict[str, int] = {}
        self._chunks: dict[str, list[list[Any]]] = {}

    def close(self) -> None:
        self.database.close()

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """What somebody else does in the workspace."""
        with self.lock:
            return self.dialect.run(statement)[1]

    @route("POST", "sql/statements", "sql/statements/")
    def execute(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.StatementExecutionAPI.execute_statement, ask.body, "session_id", "result_compression")
        body = self.sessions.placed(body)
        if body["warehouse_id"] not in self.warehouses:
            raise Refused(404, "NOT_FOUND", f"warehouse {body['warehouse_id']} is not there.")
        identity = f"st-{next(self._numbers)}"
        text = body["statement"]
        self.asked_by.append((ask.login, text))
        for parameter in body.get("parameters") or []:
            text = text.replace(f":{parameter['name']}", "'" + str(parameter.get("value")).replace("'", "''") + "'")
        try:
            for part, message in self.refused.items():
                if part in text:
                    raise BadStatement(message)
            with self.lock:
                self.results[identity] = self._run(identity, text, body)
        except (duckdb.Error, sqlglot.errors.SqlglotError, ValueError, BadStatement) as error:
            failed = {"error_code": "BAD_REQUEST", "message": str(error)}
            self.results[identity] = {"status": {"state": "FAILED", "error": failed}}
        return self._answer(identity)

    @route("GET", "sql/statements/{statement}")
    def get(self, ask: Ask) -> dict[str, Any]:
        return self._answer(ask["statement"])

    @route("GET", "sql/statements/{statement}/result/chunks/{index}")
    def chunk(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.ResultData, self._chunk(ask["statement"], int(ask["index"])))

    @route("POST", "sql/statements/{statement}/cancel")
    def cancel(self, ask: Ask) -> dict[str, Any]:
        self.cancelled.append(ask["statement"])
        return {}

    def _answer(self, identity: str) -> dict[str, Any]:
        asked = self._asked[identity] = self._asked.get(identity, 0) + 1
        if self.polls < 0 or asked <= self.polls:
            return shaped(api.StatementResponse, {"statement_id": identity, "status": {"state": "RUNNING"}})
        return shaped(api.StatementResponse, {"statement_id": identity, **self.results[identity]})

    def _chunk(self, identity: str, index: int) -> dict[str, Any]:
        chunks = self._chunks[identity]
        following = {"next_chunk_index": index + 1} if index + 1 < len(chunks) else {}
        return {"chunk_index": index, "data_array": chunks[index], **following}

    def _run(self, identity: str, statement: str, body: dict[str, Any]) -> dict[str, Any]:
        place = (body.get("catalog"), body.get("schema"))
        if (answer := self.dialect.answer(statement, *place)) is None:
            plain = self.dialect.plain(statement)
            [tree] = sqlglot.parse(plain, read="databricks")
            where = tree.args.get("where") if isinstance(tree, exp.Insert) else None
            if where:  # where there is none, sqlglot says False
                return self._replace_where(tree, where)
            answer = self.dialect.run(plain, *place, tree)
        described, rows = answer
        fields = [(name, str(kind)) for name, kind in described]
        texts = [[None if value is None else _text(value) for value in row] for row in rows]
        columns = [
            {"name": name, "type_name": _type(kind), "type_text": kind, "position": place}
            for place, (name, kind) in enumerate(fields)
        ]
        size = self.chunk_rows
        self._chunks[identity] = [texts[start : start + size] for start in range(0, len(texts), size)] or [[]]
        manifest = {"schema": {"column_count": len(columns), "columns": columns}, "total_row_count": len(rows)}
        result = {"status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": self._chunk(identity, 0)}
        if body.get("disposition") == "EXTERNAL_LINKS":
            return self.sessions.link(identity, result, described, rows)
        return result

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


def _type(kind: str) -> str:
    if kind.endswith("[]") or kind.startswith("STRUCT"):
        return "ARRAY" if kind.endswith("[]") else "STRUCT"
    return NAIVE.get(kind) or TYPES.get(kind, kind.split("(")[0])


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
