"""A Databricks asset bundle is resolved on request, meets the policy, and its tasks run to their end."""

import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.errors import DagsterExecutionInterruptedError

from tests.components.stock.databricks import clock, materialised, offline, run, workspace
from tests.fakes.databricks import TOKEN, FakeWorkspace

__all__ = ["clock", "offline", "workspace"]
BUNDLE = """\
bundle:
  name: sales
include: [resources/*.yml]
variables:
  limit:
    default: 100
targets:
  dev: {mode: development, default: true}
"""
JOBS = """\
resources:
  jobs:
    daily:
      name: Daily ${bundle.target}
      parameters: [{name: day, default: "2026-01-31"}]
      job_clusters:
        - job_cluster_key: small
          new_cluster: {spark_version: 16.4.x-scala2.12, node_type_id: m5d.large, num_workers: 1}
      environments:
        - environment_key: scripts
          spec: {environment_version: "3", dependencies: ["polars"]}
      tasks:
        - task_key: extract
          job_cluster_key: small
          max_retries: 2
          notebook_task:
            notebook_path: ../src/extract.ipynb
            base_parameters: {limit: "${var.limit}"}
        - task_key: refresh
          depends_on: [{task_key: extract}]
          description: Tables of the day.
          pipeline_task: {pipeline_id: 0f1e2d3c}
        - task_key: models
          depends_on: [{task_key: refresh}]
          dbt_task: {commands: [dbt run]}
        - task_key: load
          depends_on: [{task_key: models}]
          environment_key: scripts
          timeout_seconds: 600
          spark_python_task: {python_file: ../src/load.py, parameters: ["{{job.parameters.day}}"]}
    weekly:
      name: Weekly
      tasks:
        - task_key: report
          sql_task: {warehouse_id: 1234567890abcdef, file: {path: /Shared/report.sql}}
"""
ASSETS = {f"databricks/{name}" for name in ("extract", "refresh", "models", "load", "report")}


def with_bundle(project: Any, jobs: str = JOBS) -> Any:
    (project.root / "databricks.yml").write_text(BUNDLE)
    (project.root / "resources").mkdir()
    (project.root / "resources" / "jobs.yml").write_text(jobs)
    return project


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command, first on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    text = Path(__file__).with_name("databricks_command.py").read_text()
    (folder / "databricks").write_text(f"#!{sys.executable}\n{text}")
    (folder / "databricks").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder / "databricks"


@pytest.fixture
def bundle(workspace: FakeWorkspace, stock_project: Callable, command: Path) -> Callable[..., Any]:
    """A function that makes a project whose bundle is resolved and deployed."""

    def make(jobs: str = JOBS, **attributes: Any) -> Any:
        made = stock_project(
            "DatabricksAssetBundleComponent", bundle="databricks.yml", host=workspace.address, **attributes
        )
        with_bundle(made, jobs).refresh()
        deploy(workspace, jobs)
        return made

    return make


def deploy(workspace: FakeWorkspace, jobs: str = JOBS) -> None:
    """What ``databricks bundle deploy`` makes."""
    settings = yaml.safe_load(jobs.replace("${bundle.target}", "dev").replace("${var.limit}", "100"))
    workspace.jobs.jobs = dict(enumerate(settings["resources"]["jobs"].values(), start=2001))


def test_a_refresh_resolves_includes_and_variables(bundle: Callable):
    specs = bundle().specs()
    assert set(specs) == ASSETS
    config = specs["databricks/extract"].metadata["task_config"].value
    assert config["parameters"] == {"limit": "100"}
    assert config["notebook_path"].endswith("/.bundle/sales/dev/files/src/extract.ipynb")


def test_tasks_of_every_type_are_assets_in_their_order(bundle: Callable):
    specs = bundle().specs()
    kinds = {name: spec.kinds - {"databricks"} for name, spec in specs.items()}
    assert kinds["databricks/refresh"] == {"pipeline"}
    assert kinds["databricks/models"] == {"dbt"}
    assert kinds["databricks/report"] == {"sql"}
    before = {name: [dep.asset_key.to_user_string() for dep in spec.deps] for name, spec in specs.items()}
    assert before["databricks/refresh"] == ["databricks/extract"]
    assert before["databricks/models"] == ["databricks/refresh"]
    assert before["databricks/load"] == ["databricks/models"]
    assert specs["databricks/refresh"].description == "Tables of the day."


def test_tasks_of_one_name_are_told_apart_by_their_jobs(bundle: Callable):
    jobs = JOBS.replace("- task_key: report", "- task_key: load")
    assert set(bundle(jobs).specs()) == ASSETS - {"databricks/load", "databricks/report"} | {
        "databricks/daily_load",
        "databricks/weekly_load",
    }


def test_state_holds_neither_token_nor_person(bundle: Callable):
    project = bundle()
    state = "".join(path.read_text() for path in project.root.rglob("state*") if path.is_file())
    assert '"load"' in state
    assert TOKEN not in state
    assert "current_user" not in state


def test_loading_reaches_for_nothing_starts_nothing_and_needs_no_token(
    bundle: Callable, workspace: FakeWorkspace, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    project = bundle()
    request.getfixturevalue("offline")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    assert set(project.specs()) == ASSETS
    assert workspace.requests == []


def test_each_task_meets_the_policy(bundle: Callable):
    specs = bundle(group="lakehouse").specs()
    for spec in specs.values():
        assert (spec.owners, spec.group_name, spec.tags["domain"]) == (["team:bi"], "lakehouse", "sales")
        assert "databricks" in spec.kinds
        assert spec.description


def test_the_deployed_jobs_run_with_all_that_the_bundle_says_of_them(bundle: Callable, workspace: FakeWorkspace):
    project = bundle()
    before = deepcopy(workspace.jobs.jobs)
    result, log = run(project)
    assert result.success, log
    made = materialised(result)
    assert set(made) == ASSETS
    assert made["databricks/load"]["dagster-databricks/task_key"] == "load"
    assert made["databricks/load"]["dagster-databricks/run_url"].startswith(workspace.address)
    assert {run["job_id"]: run["asked"].get("only") for run in workspace.jobs.runs.values()} == {2001: None, 2002: None}
    assert workspace.jobs.jobs == before, "parameters, clusters, environments, time-outs and retries stay the job's"
    assert workspace.asked("runs/submit") == 0
    assert TOKEN not in log


def test_only_the_chosen_tasks_of_a_job_run(bundle: Callable, workspace: FakeWorkspace):
    result, log = run(bundle(), "databricks/models", "databricks/load")
    assert result.success, log
    assert set(materialised(result)) == {"databricks/models", "databricks/load"}
    [started] = workspace.jobs.runs.values()
    assert sorted(started["asked"]["only"]) == ["load", "models"]


def test_a_task_that_a_condition_leaves_out_is_not_made_and_nothing_fails(bundle: Callable, workspace: FakeWorkspace):
    workspace.jobs.ends = {"load": ("EXCLUDED", "")}
    result, log = run(bundle())
    assert result.success, log
    assert set(materialised(result)) == ASSETS - {"databricks/load"}


def test_a_job_that_is_not_deployed_is_named_with_what_to_do(bundle: Callable, workspace: FakeWorkspace):
    project = bundle()
    workspace.jobs.jobs = {}
    result, log = run(project, "databricks/report")
    assert not result.success
    assert "has no job 'Weekly'; deploy the bundle first: databricks bundle deploy" in log


def test_a_login_by_a_service_principal_is_enough(
    bundle: Callable, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "dagster")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "s3cret-of-dagster")
    result, log = run(bundle(service_principal={}))
    assert result.success, log
    assert "s3cret-of-dagster" not in log


def test_a_failed_task_fails_the_step_with_its_message(bundle: Callable, workspace: FakeWorkspace):
    workspace.jobs.ends = {"load": ("FAILED", "ZeroDivisionError: division by zero")}
    result, log = run(bundle(), "databricks/extract", "databricks/load")
    assert not result.success
    assert set(materialised(result)) == {"databricks/extract"}, "what succeeded before is kept"
    assert "task load (FAILED): ZeroDivisionError: division by zero" in log


def test_a_run_of_two_hours_is_waited_for(bundle: Callable, workspace: FakeWorkspace, clock):
    workspace.jobs.looks_until_end, clock.step = 25, 5 * 60
    result, log = run(bundle(), "databricks/report")
    assert clock.now >= 2 * 60 * 60
    assert result.success, log


def test_a_run_past_max_runtime_minutes_is_cancelled_there(bundle: Callable, workspace: FakeWorkspace, clock):
    workspace.jobs.looks_until_end, clock.step = float("inf"), 60
    result, log = run(bundle(max_runtime_minutes=3), "databricks/report")
    assert not result.success
    assert workspace.jobs.cancelled == [7000]
    assert "took longer than max_runtime_minutes (3) and was cancelled" in log


def test_a_dagster_run_that_is_stopped_cancels_the_run_on_databricks(bundle: Callable, workspace: FakeWorkspace, clock):
    def stop(_: float) -> None:
        raise DagsterExecutionInterruptedError

    project, clock.sleep = bundle(), stop
    result, _ = run(project, "databricks/report")
    assert not result.success
    assert workspace.jobs.cancelled == [7000]


def test_a_run_that_somebody_cancels_there_is_no_success(bundle: Callable, workspace: FakeWorkspace):
    workspace.jobs.ends = {"report": ("CANCELED", "")}
    result, log = run(bundle(), "databricks/report")
    assert not result.success
    assert materialised(result) == {}
    assert "ended as CANCELED: Run cancelled." in log


def test_two_bundles_of_a_project_each_run_in_their_own_workspace(bundle: Callable, workspace: FakeWorkspace):
    project = bundle(key_prefix="sales")
    other = FakeWorkspace(project.root / "other")
    try:
        folder = project.root / "src" / "company" / "defs" / "stock"
        second = yaml.safe_load((folder / "defs.yaml").read_text())
        second["attributes"] |= {"host": other.address, "key_prefix": "stores", "bundle": "stores/databricks.yml"}
        (folder.parent / "stores").mkdir()
        (folder.parent / "stores" / "defs.yaml").write_text(yaml.safe_dump(second))
        (project.root / "stores").mkdir()
        (project.root / "stores" / "databricks.yml").write_text(BUNDLE)
        (project.root / "stores" / "resources").mkdir()
        (project.root / "stores" / "resources" / "jobs.yml").write_text(JOBS)
        project.refresh()
        deploy(other)
        result, log = run(project, "sales/report", "stores/report")
        assert result.success, log
        assert [len(server.jobs.runs) for server in (workspace, other)] == [1, 1]
    finally:
        other.close()


def test_a_bundle_that_does_not_resolve_is_told_in_the_words_of_the_command(bundle: Callable):
    project = bundle()
    (project.root / "resources" / "jobs.yml").write_text(JOBS.replace("var.limit", "var.lmit"))
    with pytest.raises(Exception, match=r"databricks\.yml: Error: reference does not exist: \$\{var\.lmit\}"):
        project.refresh()


def test_a_refused_token_is_not_shown(bundle: Callable, monkeypatch: pytest.MonkeyPatch):
    project = bundle()
    monkeypatch.setenv("DATABRICKS_TOKEN", "expired-token")
    with pytest.raises(Exception, match=r"the token \*\*\* is not valid") as raised:
        project.refresh()
    assert "expired-token" not in str(raised.value)


def test_a_missing_command_is_named(bundle: Callable, command: Path, monkeypatch: pytest.MonkeyPatch):
    project = bundle()
    monkeypatch.setenv("PATH", str(project.root))
    with pytest.raises(Exception, match="the command databricks, which resolves bundles, is not installed"):
        project.refresh()


def test_a_missing_bundle_is_named(bundle: Callable):
    project = bundle()
    (project.root / "databricks.yml").unlink()
    with pytest.raises(Exception, match=r"bundle: 'databricks\.yml' is not there"):
        project.refresh()
