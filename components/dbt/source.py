"""Where a dbt project is: a folder that stands, or the clone of a git repository."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from dagster.components.resolved.context import ResolutionContext
from pydantic import BaseModel

from .attributes import GitProject
from .faults import Where, redact

CLONES = ".dbt_projects"
REFRESH = "dg utils refresh-defs-state"
_SEARCHED = ("*/dbt_project.yml", "*/*/dbt_project.yml")


@dataclass(frozen=True)
class LocalFolder:
    """A dbt project used in place.

    Args:
        written: The path as the YAML has it.
        path: The absolute path.
    """

    written: str
    path: Path

    @property
    def identity(self) -> str:
        """What tells this project from another one."""
        return self.path.name

    def locate(self, where: Where, project_root: Path) -> Path:
        """The folder of the dbt project.

        Raises:
            DbtProjectError: there is no such folder, or no dbt_project.yml in it.
        """
        if (self.path / "dbt_project.yml").is_file():
            return self.path
        found = [
            file.parent.relative_to(project_root).as_posix()
            for pattern in _SEARCHED
            for file in project_root.glob(pattern)
            if not any(part.startswith(".") for part in file.relative_to(project_root).parts)
        ]
        problem = f"has no dbt_project.yml (looked in {self.path})" if self.path.is_dir() else "is not a folder"
        problem += f": {self.path} does not exist" if not self.path.exists() else ""
        if found:
            raise where.fault("project", self.written, f"{problem}; dbt projects here: {', '.join(sorted(found))}")
        raise where.fault("project", self.written, f"{problem}; give the folder that holds dbt_project.yml")


@dataclass(frozen=True)
class GitRepository:
    """A dbt project in a git repository.

    Args:
        url: As the YAML has it; credentials in it never reach a command line or a message.
        ref: Branch, tag or commit.
        subfolder: Folder of the dbt project in the repository.
        token_env: Environment variable that holds a token.
    """

    url: str
    ref: str | None = None
    subfolder: str | None = None
    token_env: str | None = None

    def __repr__(self) -> str:
        return f"GitRepository({self.identity!r})"

    @property
    def identity(self) -> str:
        """What tells this project from another one, without credentials."""
        parts = (redact(self.url), f"@{self.ref}" if self.ref else "", f":{self.subfolder}" if self.subfolder else "")
        return "".join(parts)

    def clone_folder(self, project_root: Path) -> Path:
        """Where the repository's files stand once it is cloned."""
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", re.split(r"[/:\\]", self.url.rstrip("/"))[-1].removesuffix(".git"))
        short = hashlib.sha256(self.identity.encode()).hexdigest()[:8]
        return project_root / CLONES / f"{stem}-{short}"

    def locate(self, where: Where, project_root: Path) -> Path:
        """The folder of the dbt project in the clone; never starts git.

        Raises:
            DbtProjectError: the repository has not been cloned.
        """
        clone = self.clone_folder(project_root)
        if not clone.is_dir():
            raise where.fault("project.git", self.url, f"has not been cloned yet; run: {REFRESH}")
        return dbt_folder_in(clone, self, where)


ProjectSource = LocalFolder | GitRepository


def dbt_folder_in(clone: Path, repository: GitRepository, where: Where) -> Path:
    """The dbt project in a checkout of its repository.

    Raises:
        DbtProjectError: the subfolder is not there, leads out of the repository, or has no dbt_project.yml.
    """
    folder = (clone / (repository.subfolder or ".")).resolve()
    if not folder.is_relative_to(clone.resolve()):
        raise where.fault("project.subfolder", repository.subfolder, "leads out of the repository")
    if not (folder / "dbt_project.yml").is_file():
        found = [
            file.parent.relative_to(clone).as_posix()
            for file in clone.rglob("dbt_project.yml")
            if "dbt_packages" not in file.parts
        ]
        place = f"of {repository.identity} has no dbt_project.yml" if folder.is_dir() else f"is not in {repository.url}"
        raise where.fault("project.subfolder", repository.subfolder or ".", place, found)
    return folder


def resolve_project(context: ResolutionContext, model: object) -> ProjectSource:
    """Read the ``project`` attribute: a path, relative to its YAML file, or a mapping that names a repository."""
    if isinstance(model, BaseModel):
        given = GitProject.resolve_from_model(context, model)
        return GitRepository(given.git, given.ref, given.subfolder, given.token_env)
    written = context.resolve_value(model, as_type=str)
    path = Path(context.resolve_source_relative_path(str(Path(written).expanduser())))
    return LocalFolder(written, path.resolve())
