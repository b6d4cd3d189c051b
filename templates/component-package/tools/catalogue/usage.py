"""Who uses which component: the types in the YAML of other repositories."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FILES = ("defs.yaml", "defs.yml", "component.yaml")
_SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", "site-packages"}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Usage:
    """What was found in a number of repositories.

    Args:
        repositories: Names of all that were looked at.
        instances: How often each component stands in each repository, by component and repository.
        unknown: Types of the package that it does not have, by type and repository.
        unreadable: Files that are no YAML, with the reason.
    """

    repositories: list[str] = field(default_factory=list)
    instances: dict[str, Counter[str]] = field(default_factory=dict)
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def of(self, name: str) -> Counter[str]:
        """The instances of a component in each repository that has any."""
        return self.instances.get(name, Counter())


def find_usage(folders: Iterable[Path], package: str, names: Iterable[str]) -> Usage:
    """How often the components of a package are used.

    Args:
        folders: Repositories, each with any number of projects.
        package: What the types begin with.
        names: The components that there are.

    Raises:
        FileNotFoundError: a folder does not exist.
    """
    usage, known = Usage(), set(names)
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder")
        repository = _unused(folder.resolve().name, usage.repositories)
        usage.repositories.append(repository)
        for file in _files(folder):
            try:
                documents = list(yaml.load_all(file.read_text(encoding="utf-8"), _Loader))
            except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
                where = f"{repository}/{file.relative_to(folder).as_posix()}"
                usage.unreadable.append(f"{where}: {_reason(error)}")
                continue
            for name in _types(documents, package):
                found = usage.instances if name in known else usage.unknown
                found.setdefault(name, Counter())[repository] += 1
    return usage


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.name in FILES and path.is_file() and not _SKIPPED & set(path.relative_to(folder).parts):
            yield path


def _types(value: Any, package: str) -> Iterator[str]:
    """The components that any part of a document names by ``type``, nested ones too."""
    if isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and kind.startswith(f"{package}."):
            yield kind.rsplit(".", 1)[-1]
        for part in value.values():
            yield from _types(part, package)
    elif isinstance(value, list):
        for part in value:
            yield from _types(part, package)


def _unused(name: str, taken: list[str]) -> str:
    """A name that two folders of the same name do not share."""
    choices = (name if number == 1 else f"{name} ({number})" for number in range(1, len(taken) + 2))
    return next(choice for choice in choices if choice not in taken)


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem or error.context}"
    return str(error)
