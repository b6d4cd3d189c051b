"""Jobs of a Databricks workspace are fetched on request, meet the policy, and run to their end."""

from collections.abc import Callable

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from tests.components.stock.databricks import clock, materialised, offline, run, workspace
from tests.fakes.databricks import TOKEN, FakeWorkspace, Fault

__all__ = ["clock", "offline", "workspace"]
ASSETS = {f"databricks/{name}" for name in ("daily_sales_extract", "daily_sales_load", "daily_sales_models")}


@pytest.fixture
def project(workspace: FakeWorkspace, stock_project: Callable):
    made = stock_project(
        "DatabricksWorkspaceComponent", host=workspace.address, job_ids=[1001, 1002], group="databricks"
    )
    made.refresh()
    workspace.requests.clear()
    return made


def test_a_refresh_reads_every_page_and_the_chosen_jobs_only(workspace: FakeWorkspace, stock_project: Callable):
    workspace.faults = [Fault("jobs/get", 429, {"Retry-After": "1"})]
    project = stock_project("DatabricksWorkspaceComponent", host=workspace.address, job_ids=[1001, 1002])
    project.refresh()
    assert set(project.specs()) == ASSETS | {"databricks/cleaning_vacuum"}
    assert workspace.asked("jobs/list") == 3
    assert workspace.asked("job_id=1003") == 0


def test_without_job_ids_every_job_is_there(workspace: FakeWorkspace, stock_project: Callable):
    project = stock_project("DatabricksWorkspaceComponent", host=workspace.address)
    project.refresh()
    assert "databricks/unwanted_other" in project.specs()


def test_a_refresh_that_the_workspace_refuses_fails(workspace: FakeWorkspace, stock_project: Callable, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "expired-token")
    project = stock_project("DatabricksWorkspaceComponent", host=workspace.address)
    with pytest.raises(Exception, match="Unauthenticated") as raised:
        project.refresh()
    assert "expired-token" not in str(raised.value)


def test_a_job_that_the_login_does_not_see_is_named(workspace: FakeWorkspace, stock_project: Callable):
    project = stock_project("DatabricksWorkspaceComponent", host=workspace.address, job_ids=[1001, 4711])
    with pytest.raises(Exception, match=r"job_ids: .* shows no job 4711 to this login"):
        project.refresh()


def test_a_login_by_a_service_principal_is_enough(
    workspace: FakeWorkspace, stock_project: Callable, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "dagster")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "s3cret-of-dagster")
    project = stock_project("DatabricksWorkspaceComponent", host=workspace.address, service_principal={})
    project.refresh()
    result, log = run(project, "databricks/cleaning_vacuum")
    assert result.success, log
    assert "s3cret-of-dagster" not in log


def test_loading_reaches_for_nothing_and_needs_no_token(
    project, workspace: FakeWorkspace, offline: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    assert set(project.specs()) == ASSETS | {"databricks/cleaning_vacuum"}
    assert workspace.requests == []


def test_each_task_meets_the_policy_and_follows_those_it_depends_on(project):
    specs = project.specs()
    for spec in specs.values():
        assert (spec.owners, spec.group_name, spec.tags["domain"]) == (["team:bi"], "databricks", "sales")
        assert "databricks" in spec.kinds
        assert spec.description
    [before] = specs["databricks/daily_sales_load"].deps
    assert before.asset_key.to_user_string() == "databricks/daily_sales_extract"


def test_a_run_starts_the_job_and_follows_it_to_success(project, workspace: FakeWorkspace):
    result, log = run(project, *ASSETS)
    assert result.success, log
    made = materialised(result)
    assert set(made) == ASSETS
    assert made["databricks/daily_sales_load"]["dagster-databricks/run_id"] == 7000
    assert made["databricks/daily_sales_load"]["dagster-databricks/run_url"].startswith(workspace.address)
    [started] = workspace.jobs.runs.values()
    assert started["asked"]["job_id"] == 1001
    assert started["looks"] > workspace.jobs.looks_until_end
    assert TOKEN not in log


def test_only_the_chosen_task_of_a_job_runs(project, workspace: FakeWorkspace):
    result, _ = run(project, "databricks/daily_sales_load")
    assert set(materialised(result)) == {"databricks/daily_sales_load"}
    [started] = workspace.jobs.runs.values()
    assert (started["asked"]["job_id"], started["asked"]["only"]) == (1001, ["load"])


def test_a_failed_run_fails_the_step_with_what_its_tasks_say(project, workspace: FakeWorkspace):
    after = dict.fromkeys(("load", "models"), ("UPSTREAM_FAILED", ""))
    workspace.jobs.ends = {"extract": ("FAILED", "FileNotFoundError: no orders"), **after}
    result, log = run(project, *ASSETS)
    assert not result.success
    assert materialised(result) == {}
    assert "run 7000 ended as FAILED: Workload failed, see run output for details" in log
    assert "task extract (FAILED): FileNotFoundError: no orders" in log
    assert "task load (UPSTREAM_FAILED)" in log
    assert f"{workspace.address}/?o=1#job/1/run/7000" in log


def test_a_run_that_breaks_down_fails_with_the_words_of_databricks(project, workspace: FakeWorkspace):
    workspace.jobs.breaks_down = "Cluster 0101 was terminated: CLOUD_PROVIDER_LAUNCH_FAILURE"
    result, log = run(project, "databricks/cleaning_vacuum")
    assert not result.success
    assert "ended as FAILED: Cluster 0101 was terminated: CLOUD_PROVIDER_LAUNCH_FAILURE" in log


def test_a_run_of_two_hours_is_waited_for(project, workspace: FakeWorkspace, clock):
    workspace.jobs.looks_until_end, clock.step = 25, 5 * 60
    result, log = run(project, "databricks/cleaning_vacuum")
    assert clock.now >= 2 * 60 * 60
    assert result.success, log
    assert workspace.jobs.cancelled == []


def test_a_run_past_max_runtime_minutes_is_cancelled_there(workspace: FakeWorkspace, stock_project: Callable, clock):
    workspace.jobs.looks_until_end, clock.step = float("inf"), 60
    project = stock_project("DatabricksWorkspaceComponent", host=workspace.address, max_runtime_minutes=3)
    project.refresh()
    result, log = run(project, "databricks/cleaning_vacuum")
    assert not result.success
    assert workspace.jobs.cancelled == [7000]
    assert "run 7000 took longer than max_runtime_minutes (3) and was cancelled" in log


def test_a_run_that_somebody_cancels_there_is_no_success(project, workspace: FakeWorkspace):
    workspace.jobs.ends = {"vacuum": ("CANCELED", "")}
    result, log = run(project, "databricks/cleaning_vacuum")
    assert not result.success
    assert materialised(result) == {}
    assert "run 7000 ended as CANCELED: Run cancelled." in log


def test_a_dagster_run_that_is_stopped_cancels_the_run_on_databricks(project, workspace: FakeWorkspace, clock):
    def stop(_: float) -> None:
        raise DagsterExecutionInterruptedError

    clock.sleep = stop
    result, _ = run(project, "databricks/cleaning_vacuum")
    assert not result.success
    assert workspace.jobs.cancelled == [7000]


def test_a_missing_token_is_named_when_a_run_needs_it(project, workspace: FakeWorkspace, monkeypatch):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    result, log = run(project, "databricks/cleaning_vacuum")
    assert not result.success
    assert "DATABRICKS_TOKEN" in log
    assert workspace.jobs.runs == {}


def test_state_holds_no_token(project):
    state = "".join(path.read_text() for path in project.root.rglob("state*") if path.is_file())
    assert "Daily Sales" in state
    assert TOKEN not in state
