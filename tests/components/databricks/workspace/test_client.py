"""The login and what a refusal says; and that the workspace on this machine takes what a real one takes, no more."""

import subprocess
import sys
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, Unauthenticated
from databricks.sdk.service import jobs

from components.databricks.workspace.client import Workspace
from components.databricks.workspace.errors import WorkspaceError, grant_for
from tests.fakes.databricks import FakeWorkspace, Fault

ROOT = Path(__file__).parents[4]
FAMILY = ("access", "bundle", "catalog", "client", "command", "jobs", "pipelines", "serving", "usage", "vector_search")


@pytest.mark.parametrize(
    ("said", "grant"),
    [
        ("User does not have USE SCHEMA on Schema 'main.gold'.", "GRANT USE SCHEMA ON SCHEMA `main`.`gold` TO"),
        (
            "[INSUFFICIENT_PERMISSIONS] User does not have permission SELECT on table `main`.`gold`.`t`.",
            "GRANT SELECT ON TABLE `main`.`gold`.`t` TO",
        ),
        ("User does not have CREATE CATALOG on Metastore 'acme'.", "GRANT CREATE CATALOG ON METASTORE TO"),
    ],
)
def test_the_grant_that_is_missing_is_a_statement_to_run(said: str, grant: str):
    assert grant in grant_for(said)


def test_a_refusal_that_names_no_privilege_gets_no_grant():
    assert grant_for("You may not use abc123.") == ""


def test_importing_the_family_imports_no_client():
    modules = ", ".join(f"components.databricks.workspace.{name}" for name in FAMILY)
    heavy = "('databricks', 'mlflow', 'pyspark', 'requests', 'sqlglot', 'dagster_databricks')"
    code = f"import {modules}, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_login_is_told_with_what_to_set_and_without_the_configuration(root: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CONFIG_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_HOST", "https://acme.cloud.databricks.com")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(root / "none"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkspaceError, match="Set DATABRICKS_HOST, and DATABRICKS_TOKEN or DATABRICKS_CLIENT_ID"):
        Workspace(root).client  # noqa: B018 the login is what is tried


def test_a_missing_warehouse_is_named_where_one_is_needed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    from components.databricks.workspace.statements import rows

    monkeypatch.delenv("DATABRICKS_WAREHOUSE_ID")
    with pytest.raises(WorkspaceError, match="Set DATABRICKS_WAREHOUSE_ID, or DATABRICKS_HTTP_PATH"):
        rows(workspace, "counting", "SELECT 1")


def test_a_field_that_the_sdk_does_not_have_is_refused(fake: FakeWorkspace):
    client = WorkspaceClient()
    task = {"task_key": "a", "notebook_task": {"notebook_path": "/x", "notebok": 1}}
    with pytest.raises(BadRequest, match=r"unknown field tasks\[0\].notebook_task.notebok"):
        client.api_client.do("POST", "/api/2.2/jobs/create", body={"name": "x", "tasks": [task]})


def test_a_value_of_another_type_is_refused(fake: FakeWorkspace):
    with pytest.raises(BadRequest, match="timeout_seconds: expected int"):
        WorkspaceClient().api_client.do("POST", "/api/2.2/jobs/create", body={"name": "x", "timeout_seconds": "1"})


def test_lists_come_in_pages_and_throttling_is_waited_for(fake: FakeWorkspace):
    client = WorkspaceClient()
    fake.jobs.page_size = 2
    for number in range(5):
        client.jobs.create(name=f"job {number}", tasks=[jobs.Task("a", notebook_task=jobs.NotebookTask("/x"))])
    fake.faults = [Fault("jobs/list", 429, {"Retry-After": "1"})]
    assert len(list(client.jobs.list())) == 5
    assert fake.asked("jobs/list") == 4


def test_an_unknown_token_and_a_wrong_secret_are_refused(fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(Unauthenticated):
        WorkspaceClient(token="gone", host=fake.address).current_user.me()
    monkeypatch.delenv("DATABRICKS_TOKEN")
    with pytest.raises(ValueError, match="invalid_client"):
        WorkspaceClient(host=fake.address, client_id="dagster", client_secret="wrong").current_user.me()
