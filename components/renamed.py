"""Attributes whose old names still load for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True)
class Renamed:
    """A name that an attribute had.

    Args:
        old: The name that it had.
        new: The name that it has.
        since: Release that renamed it.
        until: Last day on which the old name loads, with a warning.
    """

    old: str
    new: str
    since: str
    until: date

    def ended(self, today: date | None = None) -> bool:
        """Whether the old name loads no more."""
        return (today or datetime.now(UTC).date()) > self.until

    @property
    def advice(self) -> str:
        """What to do about the old name."""
        return (
            f"{self.old} is {self.new} since {self.since}; rename it, or run the migrations: "
            "the project's own tools/update.py does, and so does python -m <component package>.migrations"
        )


def with_new_names(value: Any, renamed: tuple[Renamed, ...]) -> tuple[Any, list[Renamed]]:
    """Attributes under their new names, and the old names that were found.

    Raises:
        ValueError: an old name's time has ended, or both names are there.
    """
    found = [entry for entry in renamed if isinstance(value, Mapping) and entry.old in value]
    for entry in found:
        if entry.ended():
            raise ValueError(f"{entry.old}: loads no more since {entry.until}; {entry.advice}")
        if entry.new in value:
            raise ValueError(f"{entry.old}: {entry.new} is there as well; keep {entry.new}")
    names = {entry.old: entry.new for entry in found}
    return ({names.get(key, key): part for key, part in value.items()} if found else value), found


def schema_with_old_names(schema: dict[str, Any], renamed: tuple[Renamed, ...]) -> None:
    """Let a JSON schema accept old names in their time, marked as deprecated."""
    for entry in renamed:
        if entry.ended() or entry.new not in schema.get("properties", {}):
            continue
        description = f"Deprecated until {entry.until}: {entry.advice}."
        schema["properties"][entry.old] = schema["properties"][entry.new] | {
            "deprecated": True,
            "description": description,
        }
        if entry.new in schema.get("required", []):
            schema["required"] = [name for name in schema["required"] if name != entry.new]
            either = {"oneOf": [{"required": [entry.new]}, {"required": [entry.old]}]}
            schema["allOf"] = [*schema.get("allOf", []), either]
