"""Rows of a database that answers SQL: columns, chunks, and a Parquet file of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..warehouse.engines.base import Column, QueryResult

_FETCHED_ROWS = 50_000
_BACKTICKS = ("databricks", "bigquery")  # double quotes make a text there


@dataclass(frozen=True)
class Rows:
    """A relation in a database that answers SQL.

    Args:
        relation: What may follow FROM, with an alias after it.
        origin: How messages name it.
        connect: Opens a DB-API cursor within a transaction.
        dialect: Name of the engine.
        described: Gives the columns with their types in the engine's own words, where it can.
    """

    relation: str
    origin: str
    connect: Callable[[], AbstractContextManager[Any]]
    dialect: str
    described: Callable[[], list[Column]] | None = None

    def _named(self, columns: list[str]) -> str:
        return ", ".join(quote(name, self.dialect) for name in columns)

    def query(self, sql: str) -> QueryResult:
        """The result of one statement, held in memory."""
        with self.connect() as cursor:
            cursor.execute(sql)
            return QueryResult([column[0] for column in cursor.description or []], cursor.fetchall())

    def columns(self) -> list[Column]:
        """Names and types; types of a query are as the driver tells them."""
        if self.described and (found := self.described()):
            return found
        with self.connect() as cursor:
            cursor.execute(f"SELECT * FROM {self.relation} AS r LIMIT 0")  # noqa: S608 - quoted where it is made
            return [Column(column[0], str(column[1])) for column in cursor.description]

    def chunks(self, columns: list[str], rows: int) -> Iterator[Any]:
        """Data frames of at most so many rows, never more than one in memory."""
        import pandas as pd

        select = f"SELECT {self._named(columns)} FROM {self.relation} AS r"  # noqa: S608 - quoted
        with self.connect() as cursor:
            if self.dialect == "postgres":  # whose driver would fetch the whole result at once
                cursor.execute(f"DECLARE chunks NO SCROLL CURSOR FOR {select}")
            else:
                cursor.execute(select)
            while True:
                if self.dialect == "postgres":
                    cursor.execute(f"FETCH {rows} FROM chunks")
                found = cursor.fetchmany(rows)
                if not found:
                    return
                yield _without_decimals(pd.DataFrame.from_records(found, columns=columns))

    def export(self, columns: list[str], file: Path) -> int:
        """Write columns to a Parquet file; the number of rows."""
        import pandas as pd

        select = f"SELECT {self._named(columns)} FROM {self.relation} AS r"  # noqa: S608 - quoted
        if self.dialect == "duckdb":
            with self.connect() as cursor:
                literal = str(file).replace("'", "''")
                return int(cursor.execute(f"COPY ({select}) TO '{literal}' (FORMAT parquet)").fetchone()[0])
        parts = list(self.chunks(columns, _FETCHED_ROWS))
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        frame.to_parquet(file, index=False)
        return len(frame)


def _without_decimals(frame: Any) -> Any:
    from decimal import Decimal

    for name in frame.columns[[kind.kind == "O" for kind in frame.dtypes]]:
        first = frame[name].first_valid_index()
        if first is not None and isinstance(frame[name][first], Decimal):
            frame[name] = frame[name].astype("float64")
    return frame


def quote(identifier: str, dialect: str = "") -> str:
    """An identifier as the SQL of an engine."""
    mark = "`" if dialect in _BACKTICKS else '"'
    return mark + identifier.replace(mark, mark * 2) + mark


def literal(value: str | int | float | bool) -> str:
    """A value as SQL."""
    if isinstance(value, bool):
        return str(value).upper()
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
