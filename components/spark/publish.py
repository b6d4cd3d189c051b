"""Putting a folder that was written beside another in its place, so that readers never see half of it."""

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Place:
    """Where a result belongs, and where it is written first.

    Args:
        target: Folder of the result.
        staged: Folder that it is written to; its name starts with a dot, so that Spark reads nothing in it.
        aside: Folder that the earlier result is in while they change places.
    """

    target: Path
    staged: Path
    aside: Path

    def recover(self) -> None:
        """Put back what an earlier run left aside, where it ended between the two renames."""
        if self.aside.exists():
            if self.target.exists():
                shutil.rmtree(self.aside)
            else:
                self.aside.rename(self.target)

    def publish(self) -> None:
        """Put the new result in its place; the earlier one is gone when this returns."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if self.target.exists():
            self.target.rename(self.aside)
        try:
            self.staged.rename(self.target)
        except OSError:
            self.recover()
            raise
        shutil.rmtree(self.aside, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was written and not published."""
        shutil.rmtree(self.staged, ignore_errors=True)


def place_of(root: Path, partition: str | None) -> Place:
    """The place of a result, or of one partition of it: ``partition_key=<key>`` in its folder.

    Args:
        root: Folder of the whole result.
        partition: Key of the partition, if it has any.
    """
    part = f"partition_key={quote(partition, safe='-_.')}" if partition is not None else None
    target = root / part if part else root
    hidden = f".{root.name}.{part}" if part else f".{root.name}"
    staged = root.with_name(f"{hidden}.writing-{uuid.uuid4().hex[:8]}")
    return Place(target, staged, root.with_name(f"{hidden}.before"))
