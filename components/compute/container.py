"""Jobs in a container of this machine, by docker or a command that takes its arguments."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..governance.policy_compute import ContainerProfile
from . import entry
from .job import EndedBy, Job, JobError, JobResult
from .local import thread_variables
from .log import JobLog
from .processes import MARK, ProcessTree
from .remote import settings_of, support_files
from .streams import Lines
from .watch import Watch, result_of

GRACE_SECONDS = 10
_COMMAND_SECONDS = 60
_HERE = "/job"
_REFUSED = 125  # docker's own exit codes: it could not start the container, or the command in it
_STARTLESS = {126, 127}
_KILLED = 137
_OF_THE_COMMAND = {"PATH", "HOME", "USER", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"}
_OF_THE_COMMAND_PREFIXES = ("DOCKER_", "CONTAINER", "CONTAINERD_", "NERDCTL_", "BUILDKIT_", "XDG_", "LD_")


def run_in_container(job: Job, profile: ContainerProfile, folder: Path, log: Callable[[str], None]) -> JobResult:
    """Run a job that is laid out in its folder; the folder is the container's working folder.

    Values of variables are handed over in the environment of the command, so that they stand neither on a command line
    nor in a file.

    Raises:
        JobError: the command is not there, or it refuses to start the container.
    """
    command = shutil.which(profile.command)
    if command is None:
        raise JobError(f"compute profile: the command {profile.command!r} is not installed on this machine")
    values = {**thread_variables(job.size.threads), "HOME": "/tmp", **job.environment, **job.secrets}  # noqa: S108 - its own
    if steering := sorted(name for name in job.secrets if _steers(name)):
        raise JobError(
            f"job {job.name}: a secret may not be called {steering[0]}: {profile.command} itself reads that name"
        )
    for name, path in support_files().items():
        shutil.copyfile(path, folder / name)
    (folder / entry.SETTINGS).write_text(json.dumps(settings_of(job, folder=".")), encoding="utf-8")
    name = f"{job.name[:50]}-{uuid.uuid4().hex[:8]}"
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [command, *_arguments(job, profile, folder, name, values)],
        env={**os.environ, **{key: value for key, value in values.items() if not _steers(key)}, MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return _watched(job, folder, JobLog(log, job.secrets.values()), process, command, name)
    finally:
        if process.poll() is None:  # cancelled
            _tell(command, "stop", "-t", str(GRACE_SECONDS), name)
        ProcessTree(process.pid, mark).end(2.0)
        process.wait()
        _tell(command, "rm", "--force", name)


def _arguments(job: Job, profile: ContainerProfile, folder: Path, name: str, values: dict[str, str]) -> list[str]:
    memory = f"{max(6, round(job.size.memory_gb * 1024))}m"
    arguments = ["run", "--rm", "--name", name, "--cpus", str(job.size.threads), "--memory", memory]
    arguments += ["--memory-swap", memory, "--network", profile.network]
    for key, value in sorted(job.tags.items()):
        arguments += ["--label", f"dagster.{key}={value}"]
    for key, value in values.items():
        arguments += ["--env", f"{key}={value}" if _steers(key) else key]
    if hasattr(os, "getuid") and Path(profile.command).stem == "docker":
        arguments += ["--user", f"{os.getuid()}:{os.getgid()}"]  # or files in the folder would belong to root
    arguments += ["--volume", f"{folder.absolute()}:{_HERE}", "--workdir", _HERE]
    return [*arguments, profile.image, "python", "-u", "entry.py", "."]


def _watched(
    job: Job, folder: Path, log: JobLog, process: subprocess.Popen[bytes], command: str, name: str
) -> JobResult:
    lines = Lines(process)
    watch = Watch(job)
    watch.started()
    ended_by: EndedBy = "itself"
    while process.poll() is None:
        lines.pass_on(log)
        if (cap := watch.passed()) and process.poll() is None:
            ended_by = cap
            _tell(command, "stop", "-t", str(GRACE_SECONDS), name)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=GRACE_SECONDS)
            break
    watch.ended()
    lines.drain(log)
    code = process.poll()
    usage = _usage(folder)
    if ended_by == "itself" and usage is None and code in {_REFUSED, *_STARTLESS}:
        raise JobError(f"{Path(command).name} did not start the container: {log.tail[-1000:]}")
    problem = None
    if ended_by == "itself" and code == _KILLED:
        problem = (
            f"killed (exit code 137): mostly it used more than the {job.size.memory_gb:g} GB of size {job.size_name}"
        )
    peak = usage.get("peak_memory_mb") if usage else None
    return result_of(job, folder, log, watch, code, ended_by, peak_memory_mb=peak, problem=problem)


def _usage(folder: Path) -> dict[str, float] | None:
    with suppress(OSError, ValueError):
        usage = json.loads((folder / entry.USAGE).read_text(encoding="utf-8"))
        return usage if isinstance(usage, dict) else None
    return None


def _tell(command: str, *arguments: str) -> None:
    """Ask for something that may be done already."""
    with suppress(subprocess.TimeoutExpired, OSError):
        subprocess.run([command, *arguments], capture_output=True, timeout=_COMMAND_SECONDS, check=False)


def _steers(name: str) -> bool:
    """Whether the command itself would read a variable of that name."""
    return name in _OF_THE_COMMAND or name.startswith(_OF_THE_COMMAND_PREFIXES)
