"""Structural changes to the components of defs.yaml files that leave every other byte as it is.

Only the text of the key that changes is replaced: comments, quotes, templates, order and line endings stay.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Migration = Callable[[str, str], str]  # the text of a file and its name: the text as it should be
PRUNED = {"node_modules", "site-packages", "__pycache__", "target"}


class CannotMigrate(Exception):  # noqa: N818 - the file is at fault, not the program
    """A file that a person has to look at; the message has file, line and key."""


def rename_attribute(component: str, old: str, new: str) -> Migration:
    """A migration that renames an attribute of every instance of a component.

    Args:
        component: Class name, the last part of `type`; the package in front of it may be any.
        old: The attribute's name; dots lead into groups and lists of groups, as in `tables.file`.
        new: Its new name, without the groups.

    Returns:
        A function of a file's text and name, which raises CannotMigrate where both names stand in one place, or the
        file is not YAML.
    """
    *groups, key = old.split(".")

    def migrate(text: str, file: str) -> str:
        edits: dict[int, int] = {}
        for attributes in instances(text, file, component):
            for group in descend(attributes, groups):
                keys = {node.value: node for node, _ in group.value}
                if key not in keys:
                    continue
                if new in keys:
                    line = keys[key].start_mark.line + 1
                    raise CannotMigrate(f"{file}:{line}: {component} has both {old} and {new}: keep one of them")
                edits[keys[key].start_mark.index] = keys[key].end_mark.index
        for start in sorted(edits, reverse=True):
            written = text[start : edits[start]]
            text = text[:start] + written.replace(key, new) + text[edits[start] :]
        return text

    return migrate


def instances(text: str, file: str, component: str) -> Iterator[yaml.MappingNode]:
    """The attributes of every instance of a component in a file, also of those inside other components."""
    try:
        waiting: list[Any] = list(yaml.compose_all(text, yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise CannotMigrate(f"{file}: this is not YAML: {error}") from None
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
            waiting += [value for _, value in node.value]
            kind, attributes = keys.get("type"), keys.get("attributes")
            named = isinstance(kind, yaml.ScalarNode) and kind.value.rsplit(".", 1)[-1] == component
            if named and isinstance(attributes, yaml.MappingNode):
                yield attributes


def descend(node: Any, groups: list[str]) -> Iterator[yaml.MappingNode]:
    """The groups that a path leads to; a list on the way stands for each of its entries."""
    if isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from descend(entry, groups)
    elif isinstance(node, yaml.MappingNode) and not groups:
        yield node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == groups[0]:
                yield from descend(value, groups[1:])


def defs_files(folder: Path) -> list[Path]:
    """Every defs.yaml below a folder, leaving out hidden folders and installed packages."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in PRUNED)
        if "defs.yaml" in files:
            found.append(Path(parent) / "defs.yaml")
    return found


def read(path: Path) -> str:
    """A file's text with its line endings as they are."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def migrated(folder: Path, migrations: list[Migration]) -> dict[Path, str]:
    """What every defs.yaml that changes becomes; nothing is written.

    Raises:
        CannotMigrate: for the first file that a person has to look at.
    """
    changed = {}
    for path in defs_files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            before = after = read(path)
        except UnicodeDecodeError as error:
            raise CannotMigrate(f"{name}: this is not UTF-8: {error}") from None
        for migrate in migrations:
            after = migrate(after, name)
        if after != before:
            changed[path] = after
    return changed


def main(*migrations: Migration, arguments: list[str] | None = None) -> int:
    """Migrate a folder, or with --check show what would change; the command line of every migration.

    Returns:
        0: done, or nothing to do. 1: with --check, something would change. 2: nothing was changed, as the message says.
    """
    parser = argparse.ArgumentParser(description="Bring defs.yaml files to the form of the newest release.")
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="the project's folder; this one by default"
    )
    parser.add_argument("--check", action="store_true", help="show what would change, and change nothing")
    chosen = parser.parse_args(arguments)
    try:
        changed = migrated(chosen.folder, list(migrations))
    except CannotMigrate as reason:
        print(f"Nothing was changed. {reason}", file=sys.stderr)
        return 2
    for path, after in changed.items():
        name = path.relative_to(chosen.folder).as_posix()
        old, new = read(path).splitlines(keepends=True), after.splitlines(keepends=True)
        sys.stdout.writelines(difflib.unified_diff(old, new, name, name, n=1))
    if not chosen.check:
        for path, after in changed.items():
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(after)
    return 1 if chosen.check and changed else 0
