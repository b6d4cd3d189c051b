"""What the streams of a table have taken, kept so that a run that was ended takes nothing twice and loses nothing."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...warehouse.lakehouse import Lakehouse, TableName

Taken = dict[str, dict[str, dict[str, list[int]]]]
"""By flow, by folder, by file: size in bytes and time of change."""


@dataclass
class Checkpoint:
    """The record of one table's streams.

    Before rows are written, what will have been taken is noted beside the version of the table; whether the commit
    came through is then seen from the version alone.

    Args:
        file: Where it stands.
        taken: Files that are in the table.
    """

    file: Path
    taken: Taken = field(default_factory=dict)

    @classmethod
    def load(cls, lakehouse: Lakehouse, name: TableName, version: int | None) -> "Checkpoint":
        """The record of a table; empty where the table is gone, as everything has to be read again.

        Args:
            lakehouse: The folders.
            name: The table.
            version: Its newest version, or None where it is not there.
        """
        file = lakehouse.checkpoints / name.catalog / name.schema / f"{name.table}.json"
        if version is None or not file.is_file():
            return cls(file)
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        pending = kept.get("pending")
        if pending is not None and (pending["after"] is None or version > pending["after"]):
            return cls(file, pending["taken"])  # the commit came through, and the process ended before it said so
        return cls(file, kept["taken"])

    def announce(self, taken: Taken, version: int | None) -> None:
        """Note what the commit that follows takes."""
        self._write({"taken": self.taken, "pending": {"taken": taken, "after": version}})

    def settle(self, taken: Taken) -> None:
        """Note that the commit came through."""
        self.taken = taken
        self._write({"taken": taken})

    def forget(self) -> None:
        """Take everything again, next time."""
        self.taken = {}
        self.file.unlink(missing_ok=True)

    def _write(self, content: dict[str, Any]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        made = self.file.with_suffix(".made")
        made.write_text(json.dumps(content), encoding="utf-8")
        made.replace(self.file)
