import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from components.compute import JobError, run_job
from components.governance.policy_compute import ComputeSize, ContainerProfile
from tests.components.compute.jobs import SECRET


class Docker:
    """The fake command, and what it was called with."""

    def __init__(self, folder: Path, fake: str) -> None:
        self.folder = folder
        self.command = folder / "docker"
        self.command.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{fake}' \"$@\"\n")
        self.command.chmod(0o755)

    def profile(self, image: str = "research:1") -> ContainerProfile:
        return ContainerProfile(runs_on="container", image=image, command=str(self.command))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls.jsonl").read_text().splitlines()]

    @property
    def containers(self) -> list[Path]:
        return list(self.folder.glob("*.pid"))


@pytest.fixture
def docker(tmp_path, monkeypatch):
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_FAKE_STATE", str(folder))
    monkeypatch.setattr("components.compute.container.GRACE_SECONDS", 1)
    return Docker(folder, str(Path(__file__).with_name("fake_docker.py")))


def test_a_job_runs_in_a_container_with_its_size_files_and_outputs(jobs, docker):
    job = jobs.job(
        "import os, pathlib, sys\nprint(sys.argv[1], os.environ['OMP_NUM_THREADS'])\n"
        "pathlib.Path('out.txt').write_text(pathlib.Path('data/in.txt').read_text() + os.environ['COLOUR'])",
        arguments=["first"],
        files={"data/in.txt": jobs.file("in.txt", "rows ")},
        environment={"COLOUR": "blue", "PATH": os.environ["PATH"]},
        outputs=["out.txt"],
    )
    result = run_job(job, docker.profile(), jobs.folder, jobs.log)
    assert result.succeeded, result.log_tail
    assert (result.folder / "out.txt").read_text() == "rows blue"
    assert jobs.lines == ["first 2"]
    assert result.peak_memory_mb > 3
    run = docker.calls[0]
    for flag, value in [("--cpus", "2"), ("--memory", "1024m"), ("--network", "none"), ("--workdir", "/job")]:
        assert run[run.index(flag) + 1] == value
    assert "dagster.cost_owner=research" in run
    assert docker.containers == []


def test_a_secret_is_in_the_container_and_on_no_command_line_or_file(jobs, docker):
    value = f"{SECRET}\nsecond line of it"
    job = jobs.job(
        "import os; v = os.environ['TOKEN']; print(len(v), v); print(v.encode().hex()[:0])", secrets={"TOKEN": value}
    )
    result = run_job(job, docker.profile(), jobs.folder, jobs.log)
    assert result.succeeded, result.log_tail
    assert jobs.lines[0].startswith(f"{len(value)} ***")
    assert docker.calls[0][docker.calls[0].index("TOKEN") - 1 :][:2] == ["--env", "TOKEN"]
    written = jobs.everything_written() + json.dumps(docker.calls)
    assert SECRET not in written
    assert "second line of it" not in written


def test_a_cap_stops_the_container_while_it_runs(jobs, docker):
    dear = ComputeSize(threads=1, memory_gb=1, hourly_cost_usd=3600)
    script = "import time\nopen('partial', 'w').write('half')\nprint('up')\ntime.sleep(60)"
    job = jobs.job(script, size=dear, size_name="dear", max_cost_usd=3)
    result = run_job(job, docker.profile(), jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "max_cost")
    assert 3 <= result.seconds < 30
    assert (result.folder / "partial").read_text() == "half"
    assert [call[0] for call in docker.calls] == ["run", "stop", "rm"]
    assert docker.containers == []


def test_a_cancelled_run_leaves_no_container(jobs, docker):
    pid_file = jobs.folder / "pid"

    def cancel() -> None:
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=cancel).start()
    script = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        run_job(jobs.job(script), docker.profile(), jobs.folder, jobs.log)
    assert docker.containers == []
    pid = int(pid_file.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("script", "code", "problem"),
    [
        ("import sys; sys.exit(3)", 3, "the script ended with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, "used more than the 1 GB of size small"),
    ],
)
def test_a_script_that_fails_in_the_container_says_how(jobs, docker, script, code, problem):
    result = run_job(jobs.job(script), docker.profile(), jobs.folder, jobs.log)
    assert (result.succeeded, result.exit_code, result.ended_by) == (False, code, "itself")
    assert problem in result.problem


def test_an_image_that_does_not_exist_is_named(jobs, docker):
    with pytest.raises(JobError, match=r"did not start the container: Unable to find image 'missing:1'"):
        run_job(jobs.job("print()"), docker.profile("missing:1"), jobs.folder, jobs.log)


def test_a_command_that_is_not_installed_is_named(jobs):
    profile = ContainerProfile(runs_on="container", image="research:1", command="no-such-engine")
    with pytest.raises(JobError, match="the command 'no-such-engine' is not installed"):
        run_job(jobs.job("print()"), profile, jobs.folder, jobs.log)


def test_a_secret_that_would_steer_the_command_itself_is_refused(jobs, docker):
    with pytest.raises(JobError, match="a secret may not be called DOCKER_HOST"):
        run_job(jobs.job("print()", secrets={"DOCKER_HOST": "x"}), docker.profile(), jobs.folder, jobs.log)
