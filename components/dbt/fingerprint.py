"""What a manifest was parsed from, as one hash: equal hashes need no new parse."""

import hashlib
import json
import os
import re
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .command import DbtCommand
from .profiles import read_yaml

_ROOT_FILES = ("dbt_project.yml", "packages.yml", "dependencies.yml", "package-lock.yml", "selectors.yml", ".dbtignore")
_PATHS = {
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "macro-paths": ["macros"],
    "test-paths": ["tests"],
    "analysis-paths": ["analyses"],
    "function-paths": ["functions"],
    "docs-paths": [],
}
_ENV_VAR = re.compile(rb"env_var\(\s*['\"](\w+)")
_SECRET = re.compile("SECRET|PASSWORD|TOKEN|_KEY$", re.IGNORECASE)
# dbt itself reads nothing but the path of a larger seed.
_LARGE_SEED = 1 << 20


def fingerprint(command: DbtCommand, dbt_vars: Mapping[str, Any]) -> str:
    """Hash what dbt's parser reads: files, profile, target, vars, versions, and the environment variables named."""
    settings = read_yaml(command.folder / "dbt_project.yml")
    digest = hashlib.sha256()
    named: set[str] = set()
    for file in (command.profiles_dir / "profiles.yml", *_project_files(command.folder, settings)):
        relative = os.path.relpath(file, command.folder).replace(os.sep, "/")
        content = _content(file)
        named.update(name.decode() for name in _ENV_VAR.findall(content))
        digest.update(f"{relative}\0{len(content)}\0".encode())
        digest.update(content)
    environment = command.environment()
    values = {name: _relocatable(environment.get(name), command.folder) for name in sorted(named - _secrets(named))}
    digest.update(json.dumps([command.connection(dbt_vars), values, _versions()]).encode())
    return digest.hexdigest()


def packages_folder(folder: Path) -> Path:
    """Where the dbt project's packages are installed."""
    return folder / str(read_yaml(folder / "dbt_project.yml").get("packages-install-path") or "dbt_packages")


def _project_files(folder: Path, settings: Mapping[str, Any]) -> Iterator[Path]:
    for name in _ROOT_FILES:
        if (folder / name).is_file():
            yield folder / name
    roots = {str(path) for key, default in _PATHS.items() for path in settings.get(key) or default}
    for root in sorted(roots):
        yield from _files(folder / root)
    yield from _files(packages_folder(folder), follow_links=True)


def _files(root: Path, *, follow_links: bool = False) -> Iterator[Path]:
    for current, folders, names in os.walk(root, followlinks=follow_links):
        # Nested packages and a package's own target are no part of what this project parses.
        folders[:] = sorted(name for name in folders if name not in ("target", "logs", ".git", "dbt_packages"))
        for name in sorted(name for name in names if not name.startswith(".")):
            yield Path(current, name)


def _content(file: Path) -> bytes:
    if file.suffix == ".csv" and file.stat().st_size > _LARGE_SEED:
        return str(file.stat().st_size).encode()
    return file.read_bytes()


def _secrets(names: set[str]) -> set[str]:
    return {name for name in names if _SECRET.search(name)}


def _relocatable(value: str | None, folder: Path) -> str | None:
    """Paths from the dbt project's folder: a project that was moved or put into an image as a whole stays parsed."""
    return os.path.relpath(value, folder) if value and Path(value).is_absolute() else value


def _versions() -> list[str]:
    """Name and version of dbt and its adapters; importlib.metadata would read every installed package for it."""
    return sorted(found.name for found in Path(sysconfig.get_path("purelib")).glob("dbt*.dist-info"))
