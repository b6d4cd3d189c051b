"""What each release had: a record that git keeps, and what changed from one to the next.

``docs/history.json`` holds the attributes of every component in every release. It is made from the git tags, each of
which is loaded once; a clone without tags reads the file.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from packaging.version import InvalidVersion, Version

from .library import Entry
from .project import CatalogueError, Project
from .tables import Row

UNRELEASED = "Unreleased"
_FACTS = ("type", "default", "rules", "deprecated")
_RELEASE = re.compile(r"^v?(\d.*)$")


@dataclass(frozen=True)
class Release:
    """One release, or what stands in the working tree.

    Args:
        version: Its number, or ``Unreleased``.
        day: When it was made, as YYYY-MM-DD; empty if nobody knows.
        components: The facts of each attribute by its path, by component.
        problem: Why its components could not be loaded; empty if they could.
    """

    version: str
    day: str
    components: dict[str, dict[str, dict[str, Any]]]
    problem: str = ""

    @classmethod
    def of(cls, version: str, day: str, entries: Iterable[Entry]) -> "Release":
        """A release with these components."""
        return cls(version, day, {entry.name: snapshot(entry.attributes) for entry in entries})


@dataclass(frozen=True)
class Change:
    """What a release did to one component.

    Args:
        version: The release.
        day: Its day.
        what: ``added``, ``removed`` or ``changed``.
        lines: The attributes concerned, one sentence each.
    """

    version: str
    day: str
    what: str
    lines: list[str]


def snapshot(attributes: dict[str, Row]) -> dict[str, dict[str, Any]]:
    """What the record keeps of the attributes of a component; descriptions may change freely."""
    kept = {path: {fact: getattr(row, fact) for fact in _FACTS} for path, row in attributes.items()}
    return {path: {fact: value for fact, value in facts.items() if value} for path, facts in kept.items()}


def version_of(tag: str) -> Version | None:
    """The version that a tag names; None where it names none."""
    found = _RELEASE.match(tag)
    try:
        return Version(found[1]) if found else None
    except InvalidVersion:
        return None


def read_history(project: Project) -> list[Release]:
    """The recorded releases, oldest first.

    Raises:
        CatalogueError: the record is broken.
    """
    if not project.history.exists():
        return []
    try:
        found = json.loads(project.history.read_text(encoding="utf-8"))
        return ordered(Release(**release) for release in found["releases"])
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogueError(
            f"{project.history}: {error}; restore it from git, or delete it: it is made again from the tags"
        ) from None


def write_history(project: Project, releases: Iterable[Release]) -> None:
    """Keep the releases, in an order that makes a difference easy to read."""
    kept = [{key: value for key, value in vars(release).items() if value} for release in ordered(releases)]
    for release in kept:
        release.setdefault("day", "")
        release.setdefault("components", {})
    text = json.dumps({"releases": kept}, indent=1, sort_keys=True)
    project.history.parent.mkdir(parents=True, exist_ok=True)
    project.history.write_text(text + "\n", encoding="utf-8", newline="\n")


def ordered(releases: Iterable[Release]) -> list[Release]:
    """Oldest first."""
    return sorted(releases, key=lambda release: version_of(release.version) or Version("0"))


def changes(releases: list[Release], now: Release) -> dict[str, list[Change]]:
    """What happened to each component, newest release first.

    Args:
        releases: Oldest first; those that could not be loaded are passed over.
        now: The working tree; it is left out where nothing changed since the newest release.
    """
    found: dict[str, list[Change]] = {}
    known = [release for release in releases if not release.problem]
    before: dict[str, dict[str, dict[str, Any]]] = {}
    for release in [*known, now]:
        for name in sorted({*before, *release.components}):
            if change := _change(name, before.get(name), release.components.get(name), release):
                found.setdefault(name, []).insert(0, change)
        before = release.components
    return found


def first_release(history: list[Change]) -> str:
    """The release that brought a component."""
    return history[-1].version if history else UNRELEASED


def _change(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None, release: Release) -> Change | None:
    made = Change(release.version, release.day, "changed", [])
    if old is None and new is not None:
        return replace(made, what="added")
    if new is None:
        return replace(made, what="removed") if old is not None else None
    lines = difference(old or {}, new)
    return replace(made, lines=lines) if lines else None


def difference(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> list[str]:
    """A sentence of Markdown for each attribute that was added, removed or changed."""
    lines = [f"added `{path}`{_needed(new[path])}" for path in new if path not in old]
    lines += [f"removed `{path}`" for path in old if path not in new]
    for path in new:
        if path in old and old[path] != new[path]:
            lines += [f"`{path}`: {text}" for text in _altered(old[path], new[path])]
    return lines


def _needed(facts: dict[str, Any]) -> str:
    return ", required" if facts.get("default") == "required" else ""


def _altered(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    told = []
    if new.get("deprecated") and not old.get("deprecated"):
        told.append("deprecated")
    for fact, empty in (("type", "any"), ("default", "no default"), ("rules", "none")):
        if old.get(fact) != new.get(fact):
            told.append(f"{fact} {old.get(fact) or empty} → {new.get(fact) or empty}")
    return told
