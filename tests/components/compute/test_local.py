import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from components.compute import JobError, run_job
from components.governance.policy_compute import ComputeSize, LocalProfile
from tests.components.compute.jobs import SECRET

LOCAL = LocalProfile(runs_on="local")

# A child that leaves the session and ignores the request to stop, as the worst of them do.
STUBBORN = """
import subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child], start_new_session=True, stdout=subprocess.PIPE)
process.stdout.readline()
open("pid", "w").write(str(process.pid))
print("child is up", flush=True)
"""


def is_alive(pid_file: Path) -> bool:
    """Whether a process runs; what has ended may stay in the table where nobody collects it."""
    try:
        return psutil.Process(int(pid_file.read_text())).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_script_runs_with_its_arguments_files_and_variables(jobs):
    script = """
        import os, pathlib, sys
        rows = pathlib.Path("data/rows.csv").read_text().strip()
        pathlib.Path("out.txt").write_text(" ".join([sys.argv[1], os.environ["COLOUR"], os.environ["TOKEN"][:0], rows]))
        print("done")
    """
    job = jobs.job(
        script,
        arguments=["first"],
        files={"data/rows.csv": jobs.file("rows.csv", "1,2")},
        environment={"COLOUR": "blue"},
        secrets={"TOKEN": SECRET},
        outputs=["out.txt"],
    )
    result = run_job(job, LOCAL, jobs.folder, jobs.log)
    assert result.succeeded
    assert (result.exit_code, result.ended_by) == (0, "itself")
    assert (result.folder / "out.txt").read_text() == "first blue  1,2"
    assert jobs.lines == ["done"]


def test_a_secret_that_is_printed_is_masked_in_every_form(jobs):
    job = jobs.job(
        "import os, json, base64\nv = os.environ['TOKEN']\nprint(v); print(json.dumps([v])); print(repr(v + chr(10)))\n"
        "raise RuntimeError(v)",
        secrets={"TOKEN": SECRET},
    )
    result = run_job(job, LOCAL, jobs.folder, jobs.log)
    assert not result.succeeded
    assert SECRET not in "\n".join(jobs.lines) + result.log_tail
    assert "RuntimeError: ***" in result.log_tail
    assert SECRET not in jobs.everything_written()
    assert SECRET not in repr(job)


def test_a_variable_that_is_not_named_does_not_reach_the_script(jobs, monkeypatch):
    monkeypatch.setenv("OTHER_TEAMS_TOKEN", SECRET)
    run_job(jobs.job("import os; print(os.environ.get('OTHER_TEAMS_TOKEN'))"), LOCAL, jobs.folder, jobs.log)
    assert jobs.lines == ["None"]


def test_threads_follow_the_size_unless_the_job_says_otherwise(jobs):
    script = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    run_job(jobs.job(script, environment={"MKL_NUM_THREADS": "7"}), LOCAL, jobs.folder, jobs.log)
    assert jobs.lines == ["2 7"]


def test_peak_memory_counts_children_too(jobs):
    child = "data = bytearray(60_000_000); import time; time.sleep(0.8)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    result = run_job(jobs.job(script), LOCAL, jobs.folder, jobs.log)
    assert 60 < result.peak_memory_mb < 250


def test_a_job_that_passes_the_memory_of_its_size_is_ended(jobs):
    tiny = ComputeSize(threads=1, memory_gb=0.1, hourly_cost_usd=1)
    script = "held = bytearray(200_000_000)\nimport time\ntime.sleep(60)"
    result = run_job(jobs.job(script, size=tiny, size_name="tiny"), LOCAL, jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "max_memory")
    assert "the 0.1 GB of size tiny" in result.problem
    assert result.seconds < 20


def test_max_runtime_ends_the_job_while_it_runs_and_every_descendant(jobs, monkeypatch):
    monkeypatch.setattr("components.compute.local.GRACE_SECONDS", 0.3)
    job = jobs.job(f"{STUBBORN}\nopen('partial', 'w').write('half')\ntime.sleep(60)", max_runtime_seconds=3)
    result = run_job(job, LOCAL, jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "max_runtime")
    assert "cap of 3 s (max_runtime)" in result.problem
    assert 2.9 < result.seconds < 20
    assert (result.folder / "partial").read_text() == "half"
    assert not is_alive(jobs.folder / "pid")


def test_max_cost_ends_the_job_while_it_runs(jobs):
    dear = ComputeSize(threads=1, memory_gb=1, hourly_cost_usd=1800, workers=1)  # a dollar a second
    job = jobs.job("import time; time.sleep(60)", size=dear, size_name="dear", max_cost_usd=0.5)
    result = run_job(job, LOCAL, jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "max_cost")
    assert result.cost_usd == pytest.approx(result.seconds, rel=0.01)
    assert 0.5 <= result.cost_usd < 8
    assert "3600 dollars an hour (dear)" in result.problem


def test_nothing_survives_a_cancelled_run(jobs, monkeypatch):
    monkeypatch.setattr("components.compute.local.GRACE_SECONDS", 0.3)
    pid_file = jobs.folder / "pid"

    def cancel() -> None:
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=cancel).start()
    with pytest.raises(KeyboardInterrupt):
        run_job(jobs.job(f"{STUBBORN}\ntime.sleep(60)"), LOCAL, jobs.folder, jobs.log)
    assert not is_alive(pid_file)


def test_what_a_script_leaves_in_the_background_ends_with_it(jobs, monkeypatch):
    monkeypatch.setattr("components.compute.local.GRACE_SECONDS", 0.3)
    result = run_job(jobs.job(STUBBORN), LOCAL, jobs.folder, jobs.log)
    assert result.succeeded
    assert not is_alive(jobs.folder / "pid")


def test_log_lines_come_while_the_job_runs(jobs):
    seen: list[float] = []
    script = "import time\nprint('first')\ntime.sleep(1)\nprint('last')"
    run_job(jobs.job(script), LOCAL, jobs.folder, lambda line: seen.append(time.monotonic()))
    assert seen[1] - seen[0] > 0.7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Not Legal"}, "job name 'Not Legal': expected at most 63 lower-case letters"),
        ({"outputs": ["../../etc/passwd"]}, "'../../etc/passwd' does not lie in the job's folder"),
        ({"outputs": ["/etc/passwd"]}, "does not lie in the job's folder"),
        ({"secrets": {"A B": "x"}}, "'A B' is no name of a variable"),
        ({"files": {"a.txt": Path("missing.txt")}}, "missing.txt"),
    ],
)
def test_a_job_that_cannot_run_is_refused_with_the_reason(jobs, changes, message):
    with pytest.raises(JobError, match=message.replace("(", r"\(")):
        run_job(jobs.job("print()", **changes), LOCAL, jobs.folder, jobs.log)
