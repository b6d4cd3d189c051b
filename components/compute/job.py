"""One unit of work and what came of it, wherever it ran."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from ..governance.policy_compute import ComputeSize

EndedBy = Literal["itself", "max_runtime", "max_cost", "max_memory", "cancelled"]

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class JobError(Exception):
    """A job cannot be run as it is described, or the place where it should run refused it; says why."""


@dataclass(frozen=True)
class Job:
    """A Python script with its files, variables, size and caps.

    Args:
        name: Lower-case letters, digits and hyphens; unique for each run.
        script: Python file that is run, in a folder of the job's own: ``python <script> <arguments>``.
        arguments: Arguments of the script; everybody on the machine may see them.
        files: Further files by their path in the job's folder, which is the working folder.
        environment: Plain variables.
        secrets: Secret values by variable; never in a command line, a log or metadata.
        outputs: Paths of files in the job's folder that come back, also after a failure.
        size: Resources the job may use.
        size_name: Name of the size in policy.yaml.
        max_runtime_seconds: Seconds from the start, waiting for a machine included, after which it is ended.
        max_cost_usd: US dollars at which it is ended, while it runs.
        tags: Tags that attribute its cost.
        requirements: pip requirements where the runtime installs them (Databricks); images bring their own.
    """

    name: str
    script: Path
    arguments: list[str]
    files: dict[str, Path]
    environment: dict[str, str]
    secrets: dict[str, str] = field(repr=False)
    outputs: list[str]
    size: ComputeSize
    size_name: str
    max_runtime_seconds: float | None
    max_cost_usd: float | None
    tags: dict[str, str]
    requirements: list[str] = field(default_factory=list)

    @property
    def hourly_cost_usd(self) -> float:
        """US dollars an hour, of all nodes together."""
        return self.size.hourly_cost_usd * (1 + self.size.workers)

    def check(self) -> None:
        """Raise JobError where the job could not run anywhere."""
        if not _NAME.fullmatch(self.name) or len(self.name) > 63:
            raise JobError(f"job name {self.name!r}: expected at most 63 lower-case letters, digits and hyphens")
        for name in [*self.environment, *self.secrets]:
            if not _VARIABLE.fullmatch(name):
                raise JobError(f"job {self.name}: {name!r} is no name of a variable")
        for path in [*self.files, *self.outputs]:
            parts = PurePosixPath(path).parts
            if not parts or parts[0] == "/" or ".." in parts or "\\" in path or ":" in parts[0]:
                raise JobError(f"job {self.name}: {path!r} does not lie in the job's folder; expected a relative path")
        for file in [self.script, *self.files.values()]:
            if not file.is_file():
                raise JobError(f"job {self.name}: the file {file} does not exist")

    def lay_out(self, folder: Path) -> None:
        """Copy the script and the files into the job's folder."""
        for path, file in {self.script.name: self.script, **self.files}.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.resolve() != file.resolve():
                shutil.copyfile(file, place)


@dataclass(frozen=True)
class JobResult:
    """How a job ended.

    Args:
        succeeded: The script ended by itself with exit code 0.
        exit_code: Its exit code, where one is known.
        ended_by: ``itself``, or what ended it.
        seconds: How long it ran.
        cost_usd: US dollars, at the price of its size.
        peak_memory_mb: Most memory that all its processes held at once, in megabytes, where known.
        folder: Folder with the outputs that came back.
        log_tail: Last lines of its log, without secrets.
        url: Page where a remote run can be looked at.
        problem: One sentence about what went wrong, where it did.
        run_id: Id of a run of Databricks, by which the bill names it.
    """

    succeeded: bool
    exit_code: int | None
    ended_by: EndedBy
    seconds: float
    cost_usd: float
    peak_memory_mb: float | None
    folder: Path
    log_tail: str
    url: str | None = None
    problem: str | None = None
    run_id: int | None = None
