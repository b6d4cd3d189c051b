"""The same definitions in a workspace: the environment alone says where they run."""

from collections.abc import Iterator
from typing import Any

import pytest
from dagster.components.testing import create_defs_folder_sandbox

from components.databricks import DeclarativePipelineComponent, LakehouseTableComponent, VolumeFilesComponent
from components.databricks.target import databricks_target, follow_target
from tests.components.databricks.local.project import LakehouseProject, checks, failure, metadata
from tests.components.databricks.workspace.conftest import fake
from tests.fakes.databricks import FakeWorkspace
from tests.fakes.databricks.pipelines import Made, Script

__all__ = ["fake"]

SQL = """
CREATE OR REFRESH MATERIALIZED VIEW silver.orders (
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW
) COMMENT 'Orders.' AS SELECT 1 AS id;
CREATE MATERIALIZED VIEW gold.totals AS SELECT count(*) AS n FROM silver.orders;
"""


@pytest.fixture
def project(fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[LakehouseProject]:
    monkeypatch.delenv("DATABRICKS_TARGET", raising=False)
    monkeypatch.setenv("DATABRICKS_CATALOG", "acme")
    monkeypatch.setenv("DATABRICKS_HTTP_PATH", "/sql/1.0/warehouses/abc123")
    with create_defs_folder_sandbox() as sandbox:
        yield LakehouseProject(sandbox)


@pytest.mark.slot("databricks", "pipelines", "fake")
def test_a_pipelines_update_in_the_workspace_gives_the_same_assets_and_checks(
    project: LakehouseProject, fake: FakeWorkspace
):
    attributes = {"name": "orders", "files": ["orders.sql"], "catalog": "acme", "default_schema": "silver"}
    project.add(DeclarativePipelineComponent, "orders", attributes, orders__sql=SQL)
    fake.pipelines.scripts = [
        Script({"acme.silver.orders": Made(90, {"has_id": (90, 10)}), "acme.gold.totals": Made(1)})
    ]

    result = project.run()

    assert result.success
    assert checks(result) == {"silver/orders:has_id": (False, 90, 10)}
    told = metadata(result, "silver/orders")
    assert (told["dagster/row_count"], told["engine"]) == (90, "Databricks")
    assert told["update"].startswith(fake.address)


def test_an_update_that_the_workspace_refuses_is_a_failure_with_its_words(
    project: LakehouseProject, fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-expired")
    attributes = {"name": "orders", "files": ["orders.sql"], "catalog": "acme", "default_schema": "silver"}
    project.add(DeclarativePipelineComponent, "orders", attributes, orders__sql=SQL)

    told = failure(project.run())

    assert "defs.yaml: orders" in told
    assert "dapi-expired" not in told


def add_table(project: LakehouseProject, sql: str, **attributes: Any) -> None:
    given = {"key": "gold/days", "description": "Days.", "catalog": "acme", "sql": sql, **attributes}
    project.add(LakehouseTableComponent, "days", given)


@pytest.mark.slot("databricks", "delta-iceberg/delta", "fake")
@pytest.mark.slot("databricks", "sql-warehouse", "fake")
def test_a_table_is_replaced_appended_to_and_refused_by_statements(project: LakehouseProject, fake: FakeWorkspace):
    fake.sql.dialect.attach("acme")
    add_table(project, "SELECT 1 AS day, 'a' AS word")
    assert project.run().success
    add_table(project, "SELECT 2 AS day, 'b' AS word", mode="append")
    told = metadata(project.run(), "gold/days")
    add_table(project, "SELECT 3 AS day, true AS sunny", mode="append")
    refused = failure(project.run())

    assert (told["dagster/row_count"], told["engine"], told["version"]) == (2, "Databricks SQL", 1)
    assert "acme.gold.days: the columns changed: sunny is new; word is gone" in refused


def test_python_is_told_to_run_elsewhere(project: LakehouseProject):
    given = {"key": "gold/days", "description": "Days.", "python_file": "days.py"}
    project.add(LakehouseTableComponent, "days", given, days__py="def rows(spark):\n    return spark.range(1)\n")

    assert "in the workspace, make the table with a pipeline or a notebook" in failure(project.run())


@pytest.mark.slot("databricks", "uc-objects/volumes", "fake")
def test_files_are_uploaded_into_the_volume_once(project: LakehouseProject, fake: FakeWorkspace):
    given = {
        "key": "landing/orders",
        "description": "Orders.",
        "source": {"folder": "."},
        "files": ["*.csv"],
        "volume": "/Volumes/acme/landing/orders",
    }
    project.add(VolumeFilesComponent, "landing", given, orders__csv="id\n1\n")

    first, second = (metadata(project.run(), "landing/orders") for _ in range(2))

    assert (first["files_written"], second["files_written"]) == (1, 0)
    assert first["place"] == "/Volumes/acme/landing/orders"


def test_the_warehouse_and_mlflow_follow_the_lakehouse(fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch):
    import os

    for name in ("DATABRICKS_TARGET", "DATABRICKS_CATALOG", "WAREHOUSE_TARGET", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert databricks_target() == "workspace"
    assert follow_target("acme") == "workspace"
    names = ("DATABRICKS_CATALOG", "WAREHOUSE_TARGET", "MLFLOW_TRACKING_URI")
    assert [os.environ[name] for name in names] == ["acme", "production", "databricks"]

    monkeypatch.setenv("DATABRICKS_TARGET", "local")
    assert databricks_target() == "local"
