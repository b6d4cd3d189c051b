"""The troubleshooting page, taken apart, and the register of what reproduces its entries."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest

from tests.rendering import ROOT

PAGE = ROOT / "docs" / "how-to" / "troubleshooting.md"
_BLOCK = re.compile(r"```text\n(.*?)```", re.DOTALL)

Fixture = Callable[[str], Any]
Said = Iterator[str]
REPRODUCTIONS: dict[str, Callable[[Fixture], Said]] = {}


@dataclass(frozen=True)
class Entry:
    """One symptom of the page.

    Args:
        symptom: The heading.
        message: The lines of the text block.
        cause: Why it happens.
        fix: What to do.
    """

    symptom: str
    message: list[str]
    cause: str
    fix: str


def entries(page: Path = PAGE) -> dict[str, Entry]:
    """Every entry by its heading of the third level."""
    found = {}
    for part in re.split(r"^### ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        symptom, _, rest = part.partition("\n")
        rest = re.split(r"^## ", rest, flags=re.MULTILINE)[0]
        [block] = _BLOCK.findall(rest)
        cause = re.search(r"\*\*Cause\*\* (.*?)\n\n", rest, re.DOTALL)
        fix = re.search(r"\*\*Fix\*\* (.*)", rest, re.DOTALL)
        assert cause, symptom
        assert fix, symptom
        assert symptom not in found, f"{symptom} is there twice"
        found[symptom] = Entry(symptom, block.strip().splitlines(), cause[1], fix[1].strip())
    return found


def reproduces(symptom: str) -> Callable[[Callable[[Fixture], Said]], Callable[[Fixture], Said]]:
    """Register a generator that yields what is really said, and after that applies the fix and checks it."""

    def register(reproduction: Callable[[Fixture], Said]) -> Callable[[Fixture], Said]:
        assert symptom not in REPRODUCTIONS, symptom
        REPRODUCTIONS[symptom] = reproduction
        return reproduction

    return register


def raised(action: Callable[[], object]) -> str:
    """All messages of the error that a call ends in."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Dagster wraps it several times
        action()
    messages, error = [], caught.value
    while error is not None:
        messages.append(str(error.description) if isinstance(error, dg.Failure) else str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(messages)


def loads(project: Any) -> None:
    """The project's definitions are valid."""
    with project.definitions() as definitions:
        dg.Definitions.validate_loadable(definitions)


def happens(entry: Entry, fixture: Fixture) -> None:
    """What the entry quotes is what is really said, and its fix mends it."""
    steps = REPRODUCTIONS[entry.symptom](fixture)
    said = next(steps)
    assert entry.message
    assert [line for line in entry.message if line.strip() not in said] == [], said
    assert next(steps, None) is None


def reproduced_by(module: ModuleType) -> list[Entry]:
    """The entries of the page that a module's functions reproduce."""
    return [
        entry
        for symptom, entry in entries().items()
        if symptom in REPRODUCTIONS and REPRODUCTIONS[symptom].__module__ == module.__name__
    ]
