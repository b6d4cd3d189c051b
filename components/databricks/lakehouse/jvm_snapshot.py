"""Delta tables as plain Parquet folders that Apache Spark reads without Delta Lake's jar: links to the live files."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

READABLE = frozenset({"timestampNtz"})
_EMPTY = "__HIVE_DEFAULT_PARTITION__"
_MARKS = frozenset("\"%'#*/:=?\\{}[]^\x7f") | {chr(code) for code in range(32)}


class UnreadableTableError(Exception):
    """A Delta table that only an engine with Delta of its own can read."""


@dataclass(frozen=True)
class Snapshot:
    """One version of a table as a folder of Parquet files.

    Args:
        folder: Parquet files, below folders of the partitions.
        schema: The columns, as Delta and Spark write them in JSON.
        partition_by: Columns that are in the names of folders only.
    """

    folder: Path
    schema: Mapping[str, Any]
    partition_by: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the table's order."""
        return [field["name"] for field in self.schema["fields"]]


class Snapshots:
    """The versions of tables that a session reads; each is linked once.

    Args:
        folder: Folder for the links, on the file system of the tables: a hard link needs no rights and outlives the
            file that it was made of, so that what is read cannot be swept away meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[Path, int], Snapshot] = {}
        self._numbers = count()

    def of(self, table: Path, version: int | str | None = None) -> Snapshot:
        """A table as it is now, or as it was.

        Args:
            table: Folder of the table.
            version: Number or time of a version, or None for the newest.

        Raises:
            UnreadableTableError: its rows cannot be told from its Parquet files alone.
        """
        from deltalake import DeltaTable

        delta = DeltaTable(table)
        if version is not None:
            delta.load_as_version(version)
        key = (table, delta.version())
        if key not in self._known:
            _check(table, delta)
            self._known[key] = self._linked(delta, table, self._folder / str(next(self._numbers)))
        return self._known[key]

    def _linked(self, delta: Any, table: Path, folder: Path) -> Snapshot:
        partition_by = tuple(delta.metadata().partition_columns)
        folder.mkdir(parents=True)
        for number, add in enumerate(delta.get_add_actions().to_struct_array().to_pylist()):
            place = folder.joinpath(*[f"{_named(name)}={_value(add['partition'][name])}" for name in partition_by])
            place.mkdir(parents=True, exist_ok=True)
            _link(table / unquote(add["path"]), place / f"{number}.parquet")
        return Snapshot(folder, json.loads(delta.schema().to_json()), partition_by)


def _check(table: Path, delta: Any) -> None:
    protocol, settings = delta.protocol(), delta.metadata().configuration
    needed = set(protocol.reader_features or ()) - READABLE
    if settings.get("delta.columnMapping.mode", "none") != "none":
        needed.add("columnMapping")
    if needed:
        raise UnreadableTableError(
            f"the Delta table {table} has {', '.join(sorted(needed))}, which spark_engine: jvm cannot read; "
            "expected spark_engine: sail, or a table written anew without it"
        )


def _link(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except OSError:  # a file system without hard links
        place.symlink_to(file)


def _value(value: Any) -> str:
    """A partition's value as Spark reads it from the name of a folder."""
    if value is None:
        return _EMPTY
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _named(value.replace(tzinfo=None).isoformat(" "))
    if isinstance(value, date):
        return value.isoformat()
    return _named(value.decode() if isinstance(value, bytes) else str(value))


def _named(text: str) -> str:
    """A text as Spark writes it into the name of a folder: marks by their codes, letters as they are."""
    return "".join(f"%{ord(letter):02X}" if letter in _MARKS else letter for letter in text)
