"""The tables of an enrichment: what is there, and what a run changes in them, all or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..ml.data import scratch_folder
from ..ml.predictions import put_into_table
from ..warehouse.engines.base import Engine

REASON, ANSWER = "reason", "answer"
HASH = "input_hash"


@dataclass
class Change:
    """What a run found out.

    Args:
        keys: Every key of the source.
        good: Rows to write, as columns and values.
        bad: Rows to set aside.
    """

    keys: list[Any] = field(default_factory=list)
    good: list[dict[str, Any]] = field(default_factory=list)
    bad: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Present:
    """A table as a run finds it.

    Args:
        exists: Whether it is there.
        is_current: Whether it has the columns that it should have.
        hashes: The hash under which each key was answered; empty unless it is current.
    """

    exists: bool
    is_current: bool
    hashes: dict[Any, str]


@dataclass
class Store:
    """A table and the one beside it for rows that were set aside; looked at once, as each look is a connection.

    Args:
        engine: The warehouse.
        schema: Schema of both.
        table: Name of the table.
        key: Column with the key.
        good_columns: Columns of the table, with their Arrow types; None where the value says it.
        bad_columns: Columns of the rejected ones.
    """

    engine: Engine
    schema: str
    table: str
    key: str
    good_columns: dict[str, Any]
    bad_columns: dict[str, Any]

    @property
    def rejected(self) -> str:
        """Name of the table of rows that were set aside."""
        return f"{self.table}_rejected"

    @cached_property
    def good(self) -> _Present:
        """The table before the run."""
        return self._look(self.table, self.good_columns)

    @cached_property
    def bad(self) -> _Present:
        """The table of rejected rows before the run."""
        return self._look(self.rejected, self.bad_columns)

    def known(self) -> dict[Any, str]:
        """The hash under which each key was answered, good or bad."""
        return self.good.hashes | self.bad.hashes

    def counts(self) -> tuple[int, int]:
        """The rows of the table, and the rejected ones, after the run."""
        good, bad = (f"SELECT count(*) FROM {self._at(table)}" for table in (self.table, self.rejected))  # noqa: S608 - quoted
        found = self.engine.query(f"SELECT ({good}), ({bad})").rows[0]
        return int(found[0]), int(found[1])

    def is_whole(self) -> bool:
        """Whether both tables were there with the columns that they should have."""
        return self.good.is_current and self.bad.is_current

    def is_outdated(self) -> bool:
        """Whether the table was there with other columns, so that writing replaces it whole."""
        return self.good.exists and not self.good.is_current

    def apply(self, change: Change) -> None:
        """Write what was found out; rows that are not in it stay, unless their key has left the source."""
        current = f"{self.table[:40]}__current"
        done = {row[self.key] for row in [*change.good, *change.bad]}
        marks = ({self.key: key, "done": key in done} for key in change.keys)
        try:
            self._put(current, marks, {self.key: None, "done": None})
            self._merge(self.table, self.good, self.good_columns, change.good, current)
            self._merge(self.rejected, self.bad, self.bad_columns, change.bad, current)
        finally:
            self._drop(current)

    def _merge(
        self, table: str, present: _Present, columns: dict[str, Any], rows: list[dict[str, Any]], current: str
    ) -> None:
        """Make a table its own rows that stay, and the new ones."""
        if not present.hashes:  # nothing to keep; and nobody knew the types of a table without rows
            if rows or not present.is_current:
                self._put(table, rows, columns)
            return
        key, names = self.engine.quote(self.key), ", ".join(map(self.engine.quote, columns))
        stays = f"SELECT {key} FROM {self._at(current)} WHERE NOT {self.engine.quote('done')}"  # noqa: S608 - quoted
        select = f"SELECT {names} FROM {self._at(table)} WHERE {key} IN ({stays})"  # noqa: S608 - quoted
        incoming = f"{table[:40]}__new"
        try:
            if rows:
                self._put(incoming, rows, columns)
                select += f" UNION ALL SELECT {names} FROM {self._at(incoming)}"  # noqa: S608 - quoted
            self.engine.replace_table(self.schema, table, select)
        finally:
            if rows:
                self._drop(incoming)

    def _look(self, table: str, columns: dict[str, Any]) -> _Present:
        found = {column.name for column in self.engine.columns(self.schema, table)}
        if found != set(columns):
            return _Present(bool(found), False, {})
        names = f"{self.engine.quote(self.key)}, {self.engine.quote(HASH)}"
        return _Present(True, True, dict(self.engine.query(f"SELECT {names} FROM {self._at(table)}").rows))  # noqa: S608 - quoted

    def _at(self, table: str) -> str:
        return self.engine.qualify(self.schema, table)

    def _put(self, table: str, rows: Iterable[dict[str, Any]], columns: dict[str, Any]) -> None:
        with scratch_folder() as folder:
            write_parquet(list(rows), columns, folder / "rows.parquet")
            put_into_table(self.engine, folder, self.schema, table, None)

    def _drop(self, table: str) -> None:
        self.engine.execute(f"DROP TABLE IF EXISTS {self._at(table)}")


def write_parquet(rows: list[dict[str, Any]], columns: dict[str, Any], file: Path) -> None:
    """Rows as a Parquet file; columns without a type have that of their values, or text where there is none."""
    import pyarrow as pa
    from pyarrow import parquet

    arrays = {}
    for name, kind in columns.items():
        made = pa.array([row[name] for row in rows], kind)
        arrays[name] = made.cast(pa.string()) if pa.types.is_null(made.type) else made
    parquet.write_table(pa.table(arrays), file)
