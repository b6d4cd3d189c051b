"""A Databricks asset bundle is resolved on request, meets the policy, and its tasks run to their end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

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
      environments:
        - environment_key: scripts
          spec: {environment_version: "3", dependencies: ["polars"]}
      tasks:
        - task_key: extract
          notebook_task:
            notebook_path: ../src/extract.ipynb
            base_parameters: {limit: "${var.limit}"}
        - task_key: load
          depends_on: [{task_key: extract}]
          environment_key: scripts
          spark_python_task: {python_file: ../src/load.py, parameters: ["--limit", "${var.limit}"]}
        - task_key: models
          dbt_task: {commands: [dbt run]}
    weekly:
      name: Weekly
      tasks:
        - task_key: report
          python_wheel_task: {package_name: sales, entry_point: report}
"""
ASSETS = {f"databricks/{name}" for name in ("extract", "load", "report")}


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
    """A function that makes a project whose bundle is resolved."""

    def make(**attributes: Any) -> Any:
        made = stock_project(
            "DatabricksAssetBundleComponent", bundle="databricks.yml", host=workspace.address, **attributes
        )
        with_bundle(made).refresh()
        return made

    return make


def test_a_refresh_resolves_includes_and_variables(bundle: Callable):
    specs = bundle().specs()
    assert set(specs) == ASSETS
    config = specs["databricks/load"].metadata["task_config"].value
    assert config["parameters"] == ["--limit", "100"]
    assert config["python_file"].endswith("/.bundle/sales/dev/files/src/load.py")


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


def test_each_task_meets_the_policy_and_follows_those_it_depends_on(bundle: Callable):
    specs = bundle(group="lakehouse").specs()
    for spec in specs.values():
        assert (spec.owners, spec.group_name, spec.tags["domain"]) == (["team:bi"], "lakehouse", "sales")
        assert "databricks" in spec.kinds
        assert spec.description
    [before] = specs["databricks/load"].deps
    assert before.asset_key.to_user_string() == "databricks/extract"


def test_tasks_are_submitted_job_by_job_and_followed_to_success(bundle: Callable, workspace: FakeWorkspace):
    result, log = run(bundle())
    assert result.success, log
    made = materialised(result)
    assert set(made) == ASSETS
    assert made["databricks/load"]["dagster-databricks/task_key"] == "load"
    assert made["databricks/load"]["dagster-databricks/run_url"].startswith(workspace.address)
    assert sorted(sorted(started["keys"]) for started in workspace.jobs.runs.values()) == [
        ["extract", "load"],
        ["report"],
    ]
    assert TOKEN not in log


def submitted(workspace: FakeWorkspace) -> dict[str, dict[str, Any]]:
    return {task["task_key"]: task for started in workspace.jobs.runs.values() for task in started["asked"]["tasks"]}


def test_scripts_on_serverless_compute_have_the_environment_of_the_bundle(bundle: Callable, workspace: FakeWorkspace):
    result, log = run(bundle())
    assert result.success, log
    tasks = submitted(workspace)
    assert tasks["load"]["environment_key"] == "scripts"
    assert tasks["load"]["depends_on"] == [{"task_key": "extract"}]
    assert "environment_key" not in tasks["extract"]
    [daily] = [started["asked"] for started in workspace.jobs.runs.values() if "load" in started["keys"]]
    [environment] = daily["environments"]
    assert environment["spec"] == {"environment_version": "3", "dependencies": ["polars"]}
    [weekly] = [started["asked"] for started in workspace.jobs.runs.values() if "report" in started["keys"]]
    assert weekly["environments"][0]["environment_key"] == tasks["report"]["environment_key"]


def test_scripts_on_a_cluster_run_there(bundle: Callable, workspace: FakeWorkspace):
    result, log = run(bundle(existing_cluster_id="0101-120000-abcdefgh"))
    assert result.success, log
    for task in submitted(workspace).values():
        assert task["existing_cluster_id"] == "0101-120000-abcdefgh"
        assert "environment_key" not in task


def test_a_failed_task_fails_the_step_with_its_message(bundle: Callable, workspace: FakeWorkspace):
    workspace.jobs.ends = {"load": ("FAILED", "ZeroDivisionError: division by zero")}
    result, log = run(bundle(), "databricks/extract", "databricks/load")
    assert not result.success
    assert materialised(result) == {}
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


def test_a_task_that_is_left_to_databricks_is_named_in_the_log(bundle: Callable, caplog: pytest.LogCaptureFixture):
    project = bundle()
    caplog.clear()
    project.specs()
    assert "databricks.yml: the task models of daily is of a type that is left to Databricks" in caplog.text
