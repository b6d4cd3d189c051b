"""Statements on a Databricks SQL warehouse, waited for, cancelled with the run, their results read chunk by chunk."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from typing import Any

from .base import WarehouseError

WAIT = "10s"
LONGEST_PAUSE_SECONDS = 5.0

# Results come as text; other types stay text.
_READ: dict[str, Callable[[str], Any]] = {
    "BYTE": int,
    "SHORT": int,
    "INT": int,
    "LONG": int,
    "FLOAT": float,
    "DOUBLE": float,
    "DECIMAL": Decimal,
    "BOOLEAN": lambda text: text.lower() == "true",
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
    "TIMESTAMP_NTZ": dt.datetime.fromisoformat,
}


class StatementCursor:
    """A DB-API cursor and its connection over the statement execution API.

    Args:
        client: Workspace client.
        warehouse: Id of the SQL warehouse.
        catalog: Catalog of names that have none.
        refusal: What to say of an error of the client.
    """

    def __init__(self, client: Any, warehouse: str, catalog: str | None, refusal: Callable[[Exception], str]) -> None:
        self._client, self._warehouse, self._catalog, self._refusal = client, warehouse, catalog, refusal
        self.description: list[tuple[str, str]] | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, sql: str) -> None:
        """Run one statement to its end.

        Raises:
            WarehouseError: the workspace cannot be reached, or it refuses the statement.
        """
        with self._explained():
            self.run(sql)

    def run(self, sql: str) -> None:
        """The same, with the errors of the client as they are."""
        from databricks.sdk.service.sql import StatementState

        api = self._client.statement_execution
        answer = api.execute_statement(sql, self._warehouse, catalog=self._catalog, wait_timeout=WAIT)
        statement, pause = answer.statement_id, 0.2
        try:
            while answer.status.state in (StatementState.PENDING, StatementState.RUNNING):
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                answer = api.get_statement(statement)
        except BaseException:  # a cancelled run too: the statement would go on, and cost
            api.cancel_execution(statement)
            raise
        if answer.status.state != StatementState.SUCCEEDED:
            failed = answer.status.error
            raise WarehouseError(failed.message if failed and failed.message else f"ended {answer.status.state.value}")
        fields = (answer.manifest.schema.columns if answer.manifest and answer.manifest.schema else None) or []
        self.description = [(field.name, field.type_text) for field in fields]
        readers = [_READ.get(field.type_name.value if field.type_name else "", str) for field in fields]
        self._rows = self._read(statement, answer.result, readers)

    def _read(self, statement: str, chunk: Any, readers: list[Callable[[str], Any]]) -> Iterator[tuple[Any, ...]]:
        """The rows, one chunk in memory at a time."""
        while chunk is not None:
            yield from (_row(readers, row) for row in chunk.data_array or [])
            following = chunk.next_chunk_index
            if following is None:
                return
            with self._explained():
                chunk = self._client.statement_execution.get_statement_result_chunk_n(statement, following)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from databricks.sdk.errors import DatabricksError
        from requests.exceptions import RequestException

        try:
            yield
        except (DatabricksError, RequestException, TimeoutError, OSError, ValueError) as error:
            raise WarehouseError(self._refusal(error)) from None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        return list(self._rows)

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """The next rows, at most so many."""
        return list(islice(self._rows, size))

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        return next(self._rows, None)

    def close(self) -> None:
        """Nothing stays open between statements."""


def _row(readers: list[Callable[[str], Any]], row: list[str | None]) -> tuple[Any, ...]:
    return tuple(None if text is None else read(text) for read, text in zip(readers, row, strict=True))
