"""The local data that a rehearsal runs over, and the comparison of what comes out."""

import math
from pathlib import Path
from typing import Any

import duckdb
from rehearse_sql import Faults

FLOATS = ("FLOAT", "DOUBLE")
SAME = 1e-5


class Stage:
    """A DuckDB in memory in which models are built anew over the local warehouse, which stays as it is.

    Args:
        local: The local warehouse.
    """

    def __init__(self, local: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        # Under the name that dbt's views have for it.
        self._here = '"' + local.stem.replace('"', '""') + '"'
        path = str(local).replace("'", "''")
        self._connection.execute(f"ATTACH '{path}' AS {self._here} (READ_ONLY)")
        self._present = {
            (schema, table)
            for schema, table in self._connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ?", [local.stem]
            ).fetchall()
        }
        for schema, table in sorted(self._present):
            self.keep(schema, table)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def keep(self, schema: str, table: str) -> None:
        """Show a table of the local warehouse as it is."""
        self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        if (schema, table) in self._present:
            self._replace(schema, table, f'SELECT * FROM {self._here}."{schema}"."{table}"')  # noqa: S608

    def build(self, schema: str, table: str, query: str | None, file: Path, faults: Faults) -> None:
        """Make a model, and compare it with the local one; the local one stays in its place where it cannot be made."""
        if query is None:
            return
        schema, table = schema.lower(), table.lower()
        try:
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self._connection.execute(f'CREATE OR REPLACE TABLE memory."{schema}"."{table}__rehearsed" AS {query}')
        except duckdb.Error as error:
            faults.add(file, None, f"fails on the local data: {first_line(error)}")
            return
        made = f'SELECT * FROM memory."{schema}"."{table}__rehearsed"'  # noqa: S608
        if (schema, table) in self._present:
            self.compare_queries(made, f'SELECT * FROM {self._here}."{schema}"."{table}"', file, faults)  # noqa: S608
        self._replace(schema, table, made)

    def _replace(self, schema: str, table: str, query: str) -> None:
        self._connection.execute(f'CREATE OR REPLACE VIEW memory."{schema}"."{table}" AS {query}')

    def count(self, query: str, file: Path, faults: Faults) -> int:
        """How many rows a query has."""
        try:
            [count] = self._connection.execute(f"SELECT count(*) FROM ({query})").fetchone() or (0,)  # noqa: S608
        except duckdb.Error as error:
            faults.add(file, None, f"fails on the local data: {first_line(error)}")
            return 0
        return int(count)

    def compare_queries(self, made: str, local: str, file: Path, faults: Faults) -> None:
        """Compare two queries: their columns, their rows, and numbers with a fraction as closely as those allow."""
        try:
            columns, ours = self._columns(made), self._columns(local)
            if list(columns) != list(ours):
                faults.add(file, None, f"gives the columns {', '.join(columns)}; here it is {', '.join(ours)}")
                return
            told = self._difference(made, local, columns | {n: k for n, k in ours.items() if k in FLOATS})
        except duckdb.Error as error:
            told = f"fails on the local data: {first_line(error)}"
        if told:
            faults.add(file, None, told)

    def _columns(self, query: str) -> dict[str, str]:
        described = self._connection.execute(f"DESCRIBE ({query})").fetchall()
        return {name.lower(): kind for name, kind, *_ in described}

    def _difference(self, made: str, local: str, columns: dict[str, str]) -> str | None:
        """What differs, or None."""
        exact = [f'"{name}"' for name, kind in columns.items() if not fractional(kind)]
        listed = ", ".join(exact) or "1"
        pairs = [
            f"SELECT {listed} FROM ({first}) EXCEPT ALL SELECT {listed} FROM ({second})"  # noqa: S608
            for first, second in ((made, local), (local, made))
        ]
        more, fewer = (self._one(f"SELECT count(*) FROM ({query})")[0] for query in pairs)  # noqa: S608
        if more or fewer:
            return f"gives {more:,} rows that the local run has not, and lacks {fewer:,} that it has"
        # Each number counts with a weight of its row, so that two that changed places are found.
        weight = f"(1 + hash({listed}) % 1000)"
        for name in (name for name, kind in columns.items() if fractional(kind)):
            summed = f'SELECT count("{name}"), coalesce(sum(CAST("{name}" AS DOUBLE) * {weight}), 0)'
            (count, total), (local_count, local_total) = (
                self._one(f"{summed} FROM ({query})") for query in (made, local)
            )
            if count != local_count or not math.isclose(total, local_total, rel_tol=SAME, abs_tol=SAME):
                return f"column {name} has other values than in the local run"
        return None

    def _one(self, query: str) -> tuple[Any, ...]:
        return self._connection.execute(query).fetchone() or ()


def fractional(kind: str) -> bool:
    """Whether values of a type are compared with a tolerance."""
    return kind in FLOATS or kind.startswith("DECIMAL")


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return str(error).strip().splitlines()[0]
