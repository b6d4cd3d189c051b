"""The package that the catalogue is about, as its own files describe it."""

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

REGISTRY = "dagster_dg_cli.registry_modules"


class CatalogueError(Exception):
    """What keeps the catalogue from being built, in words for whoever builds it."""


@dataclass(frozen=True)
class Project:
    """A component package.

    Args:
        root: Folder of pyproject.toml.
        name: Name of the distribution, which is installed.
        package: Name of the module, which components' types begin with.
    """

    root: Path
    name: str
    package: str

    @property
    def source(self) -> Path:
        """The folder of the module."""
        return self.root / "src" / self.package

    @property
    def docs(self) -> Path:
        """Where the hand-written pages are."""
        return self.root / "docs"

    @property
    def generated(self) -> Path:
        """Where everything is put together; git ignores it."""
        return self.docs / "_generated"

    @property
    def history(self) -> Path:
        """The record of what each release had; git keeps it."""
        return self.docs / "history.json"

    @property
    def policy(self) -> Path | None:
        """The policy that the package ships, or that stands in its root."""
        return next((file for file in (self.source / "policy.yaml", self.root / "policy.yaml") if file.exists()), None)


def read_project(root: Path) -> Project:
    """The package in a folder.

    Raises:
        CatalogueError: pyproject.toml is missing, broken, or registers no module.
    """
    file = root / "pyproject.toml"
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CatalogueError(
            f"{file} is missing: the catalogue is built in the folder of a component package"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file}: {error}") from None
    project = settings.get("project", {})
    modules = list(project.get("entry-points", {}).get(REGISTRY, {}).values())
    if len(modules) != 1:
        raise CatalogueError(
            f'{file}: project.entry-points."{REGISTRY}" names {len(modules)} modules; '
            "expected the one that holds the components"
        )
    return Project(root, project.get("name", modules[0]), modules[0])


def git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it fails, as in a folder that is no repository."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None
    return done.stdout
