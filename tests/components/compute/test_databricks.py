import json
import os
import signal
import threading
import time

import pytest

from components.compute import JobError, run_job
from components.governance.policy_compute import ComputeSize, DatabricksProfile
from tests.components.compute.jobs import SECRET
from tests.fakes.databricks import FakeWorkspace, Fault

SERVERLESS = DatabricksProfile(runs_on="databricks", budget_policy_id="bp-7", secret_scope="research")
CLUSTER = DatabricksProfile(runs_on="databricks", spark_version="16.4.x-scala2.12", secret_scope="research")
NODE = ComputeSize(threads=4, memory_gb=16, hourly_cost_usd=0.5, node_type="m5d.xlarge")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    fake = FakeWorkspace(tmp_path / "workspace")
    fake.files.scopes = {"research": {"TOKEN": SECRET}}
    monkeypatch.setenv("DATABRICKS_HOST", fake.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", "made-up")
    monkeypatch.setattr("components.compute.databricks.POLL_SECONDS", 0.1)
    yield fake
    fake.close()


def submission(workspace):
    return next(iter(workspace.jobs.runs.values()))["asked"]


def assert_nothing_is_left(workspace):
    assert [path for path in workspace.folder.rglob("*") if path.is_file()] == []
    assert all(process.poll() is not None for process in workspace.jobs.processes.values())


def test_a_job_runs_serverless_and_its_outputs_come_back(jobs, workspace):
    workspace.jobs.slow_seconds = 0.5
    job = jobs.job(
        "import os, pathlib, sys\nprint('hello', sys.argv[1], os.environ['COLOUR'])\n"
        "import helper\npathlib.Path('out.txt').write_text(helper.TEXT)",
        arguments=["first"],
        files={"helper.py": jobs.file("helper.py", "TEXT = 'made'")},
        environment={"COLOUR": "blue"},
        outputs=["out.txt"],
        max_runtime_seconds=300,
        requirements=["papermill>=2.6,<3"],
    )
    result = run_job(job, SERVERLESS, jobs.folder, jobs.log)
    assert result.succeeded, result.problem
    assert (result.folder / "out.txt").read_text() == "made"
    assert "hello first blue" in jobs.lines
    assert result.url.startswith(f"{workspace.address}/?o=1#job/1/run/")
    assert result.seconds < 3  # half a second of waiting costs nothing
    sent = submission(workspace)
    assert sent["budget_policy_id"] == "bp-7"
    assert sent["environments"][0]["spec"]["dependencies"] == ["papermill>=2.6,<3"]
    assert sent["timeout_seconds"] == 360
    assert_nothing_is_left(workspace)


def test_a_job_runs_on_a_cluster_of_its_size_with_tags_that_attribute_the_cost(jobs, workspace):
    job = jobs.job("print('done')", size=NODE, size_name="node", requirements=["nbformat"])
    assert run_job(job, CLUSTER, jobs.folder, jobs.log).succeeded
    task = submission(workspace)["tasks"][0]
    cluster = task["new_cluster"]
    assert (cluster["node_type_id"], cluster["num_workers"]) == ("m5d.xlarge", 0)
    assert cluster["custom_tags"] == {"cost_owner": "research", "ResourceClass": "SingleNode"}
    assert task["libraries"] == [{"pypi": {"package": "nbformat"}}]
    assert_nothing_is_left(workspace)


@pytest.mark.parametrize("profile", [SERVERLESS, CLUSTER])
def test_a_secret_comes_from_the_scope_and_is_never_sent(jobs, workspace, profile):
    job = jobs.job("import os; v = os.environ['TOKEN']; print(len(v), v)", size=NODE, secrets={"TOKEN": ""})
    result = run_job(job, profile, jobs.folder, jobs.log)
    assert result.succeeded, result.problem
    assert f"{len(SECRET)} ***" in jobs.lines
    assert not any(SECRET.encode() in body for _, _, body in workspace.requests)
    assert SECRET not in json.dumps(list(workspace.jobs.runs.values()))  # its log among them


def test_secrets_without_a_scope_are_refused_with_what_is_missing(jobs, workspace):
    profile = DatabricksProfile(runs_on="databricks")
    with pytest.raises(JobError, match=r"\(TOKEN\) need secret_scope in the compute profile of policy.yaml"):
        run_job(jobs.job("", secrets={"TOKEN": SECRET}), profile, jobs.folder, jobs.log)
    assert workspace.requests == []


def test_a_busy_workspace_is_outlasted_and_a_lost_answer_starts_no_second_run(jobs, workspace):
    workspace.faults = [
        Fault("workspace/import", 429, {"Retry-After": "1"}),
        Fault("workspace/mkdirs", 500),
        Fault("runs/get?", 502),
        Fault("runs/get-output", 504),
        Fault("workspace/export", 500),
        Fault("workspace/delete", 500),
        Fault("runs/submit", 500, after=True),
    ]
    result = run_job(jobs.job("open('out', 'w').write('x')", outputs=["out"]), SERVERLESS, jobs.folder, jobs.log)
    assert result.succeeded, result.problem
    assert len(workspace.jobs.runs) == 1
    assert workspace.faults == []
    assert_nothing_is_left(workspace)


def test_a_script_that_fails_has_its_exit_code_and_traceback(jobs, workspace):
    script = "open('partial', 'w').write('half')\nraise ValueError('no rows')"
    result = run_job(jobs.job(script, outputs=["partial"]), SERVERLESS, jobs.folder, jobs.log)
    assert (result.succeeded, result.exit_code, result.ended_by) == (False, 1, "itself")
    assert "ValueError: no rows" in result.log_tail
    assert (result.folder / "partial").read_text() == "half"


def test_a_run_that_never_starts_says_what_the_workspace_says(jobs, workspace):
    workspace.jobs.never_starts = "Cluster could not be launched: CLOUD_PROVIDER_RESOURCE_STOCKOUT"
    result = run_job(jobs.job(""), SERVERLESS, jobs.folder, jobs.log)
    assert not result.succeeded
    assert result.problem == "Databricks: FAILED: Cluster could not be launched: CLOUD_PROVIDER_RESOURCE_STOCKOUT"
    assert result.cost_usd == 0


@pytest.mark.parametrize("profile", [SERVERLESS, CLUSTER])
def test_a_cap_cancels_the_run_while_it_runs_and_what_it_had_saved_comes_back(jobs, workspace, monkeypatch, profile):
    monkeypatch.setattr("components.compute.remote.SAVE_EVERY_SECONDS", 0.2)
    dear = ComputeSize(threads=1, memory_gb=1, hourly_cost_usd=3600, node_type="m5d.xlarge")
    script = "import time\nopen('partial', 'w').write('half')\ntime.sleep(60)"
    job = jobs.job(script, size=dear, size_name="dear", max_cost_usd=3, outputs=["partial"])
    result = run_job(job, profile, jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "max_cost")
    assert 3 <= result.cost_usd < 30
    assert (result.folder / "partial").read_text() == "half"
    assert_nothing_is_left(workspace)


def test_a_cancelled_run_is_cancelled_in_the_workspace(jobs, workspace):
    def cancel() -> None:
        while not workspace.jobs.processes:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=cancel).start()
    with pytest.raises(KeyboardInterrupt):
        run_job(jobs.job("import time; time.sleep(60)"), SERVERLESS, jobs.folder, jobs.log)
    assert_nothing_is_left(workspace)


def test_a_run_that_somebody_cancels_in_the_workspace_counts_as_cancelled(jobs, workspace):
    def cancel() -> None:
        while not workspace.jobs.processes:
            time.sleep(0.05)
        workspace.jobs.cancel(7000)

    threading.Thread(target=cancel).start()
    result = run_job(jobs.job("import time; time.sleep(60)"), SERVERLESS, jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "cancelled")


def test_a_workspace_that_is_not_named_or_refuses_says_so(jobs, workspace, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "wrong")
    with pytest.raises(JobError, match="Databricks refused: Credential was not sent"):
        run_job(jobs.job(""), SERVERLESS, jobs.folder, jobs.log)
    monkeypatch.delenv("DATABRICKS_HOST")
    with pytest.raises(JobError, match="the environment variable DATABRICKS_HOST is not set"):
        run_job(jobs.job(""), SERVERLESS, jobs.folder, jobs.log)


def test_a_cluster_needs_the_node_type_of_its_size(jobs, workspace):
    with pytest.raises(JobError, match=r"compute size small: clusters of Databricks need its node_type in policy.yaml"):
        run_job(jobs.job(""), CLUSTER, jobs.folder, jobs.log)
