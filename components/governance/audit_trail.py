"""The file of the audit trail: lines of JSON that are only ever added, each with the hash of the one before."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock, Timeout

START = "0" * 64
_LOCK_SECONDS = 60
_TAIL = 65_536


class AuditError(ValueError):
    """A line of the trail that is no line of the trail; the message names file and line."""


@dataclass(frozen=True)
class AuditTrail:
    """An append-only file that several processes write.

    Args:
        path: The file; made with its folder when the first line is written.
    """

    path: Path

    def refuse_unwritable(self) -> None:
        """Fail the step before it makes data that the trail would not have.

        Raises:
            Failure: the file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("ab").close()
        except OSError as error:
            raise dg.Failure(
                description=f"the audit trail {self.path} (audit.file of policy.yaml) cannot be written: "
                f"{error.strerror}; nothing was materialised",
                allow_retries=False,
            ) from None

    def append(self, entries: Sequence[dict[str, Any]]) -> None:
        """Add a line for each entry, with the time and the hash of the line before.

        Raises:
            Timeout: another process held the file for a minute.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS), self.path.open("ab") as file:
                previous = self._last_hash()
                lines = []
                for entry in entries:
                    stamped = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}
                    line = json.dumps({**stamped, "previous": previous}, ensure_ascii=False).encode()
                    previous = hashlib.sha256(line).hexdigest()
                    lines.append(line + b"\n")
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
        except Timeout:
            raise dg.Failure(
                description=f"{self.path}: another process has held the audit trail for {_LOCK_SECONDS} seconds"
            ) from None

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry, oldest first.

        Raises:
            AuditError: a line is not JSON.
        """
        for number, line in self._lines():
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                raise AuditError(f"{self.path}:{number}: not a line of the audit trail")
            yield entry

    def verify(self) -> int:
        """The number of lines, each of which follows from the one before.

        A line that was changed, taken out or put in is found; lines cut off at the end are not.

        Raises:
            AuditError: a line does not follow from the one before.
        """
        previous, count = START, 0
        for (number, line), entry in zip(self._lines(), self.entries(), strict=True):
            if entry.get("previous") != previous:
                raise AuditError(f"{self.path}:{number}: does not follow from the line before; the trail was changed")
            previous, count = hashlib.sha256(line).hexdigest(), count + 1
        return count

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip(b"\n")

    def _last_hash(self) -> str:
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            lines = file.read().rstrip(b"\n").split(b"\n")
        return hashlib.sha256(lines[-1]).hexdigest() if lines[-1] else START
