"""Training and batch scoring as tasks of the workspace, which read and write its tables."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from components.ml import (
    BatchInferenceComponent,
    ModelRegistryComponent,
    ModelTrainingComponent,
    ModelValidationComponent,
)
from components.ml.example import write_wine
from components.warehouse.component import WarehouseComponent
from tests.components.databricks.workspace.conftest import POLICY
from tests.components.ml.chain import GATE, REGISTRY, SCORING, TRAINING
from tests.components.warehouse.project import Project
from tests.fakes.databricks import FakeWorkspace

CHAIN = ["ml/wine_model", "ml/wine_gate", "ml/wine_registered", "ml/wine_predictions"]
NAME = "acme.ml.wine"


@pytest.fixture
def wines(
    governed: Project, fake: FakeWorkspace, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project whose wines are a table of the workspace, and whose jobs run there."""
    governed.file("data/mlflow.db", empty_store.read_bytes())
    governed.file("policy.yaml", f"{POLICY}compute_profiles:\n  workspace: {{runs_on: databricks}}\n")
    governed.add(WarehouseComponent, "warehouse", {"engine": "databricks"})
    for name, value in {
        "WAREHOUSE_TARGET": "production",
        "COMPUTE_PROFILE": "workspace",
        "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/abc123",
        "DATABRICKS_CATALOG": "acme",
        "MLFLOW_REGISTRY_URI": "databricks-uc",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("components.compute.databricks.POLL_SECONDS", 0.05)
    fake.catalog.add("acme.cellar")
    fake.catalog.add("acme.main")
    fake.sql.chunk_rows = 100
    write_wine(governed.root)
    fake.sql.database.execute(f"CREATE TABLE acme.cellar.wines AS FROM read_csv('{governed.root / 'wine.csv'}')")
    read, model = {"data": {"table": "cellar/wines"}}, {"registered_model": NAME}
    governed.add(ModelTrainingComponent, "model", {**TRAINING, **read, "compute_size": "small"})
    governed.add(ModelValidationComponent, "gate", {**GATE, **model})
    governed.add(ModelRegistryComponent, "registered", {**REGISTRY, **model})
    governed.add(BatchInferenceComponent, "predictions", {**SCORING, **read, **model, "compute_size": "small"})
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    yield governed
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


@pytest.mark.slot("databricks", "batch-inference", "fake")
def test_training_and_scoring_run_as_tasks_that_read_and_write_tables_of_the_workspace(
    wines: Project, fake: FakeWorkspace
):
    made = wines.materialize(*CHAIN)

    assert made["ml/wine_model"]["test_accuracy"] > 0.85
    assert made["ml/wine_predictions"]["output"] == "`ml`.`wine_predictions`"
    assert [run["asked"]["run_name"].rsplit("-", 2)[0] for run in fake.jobs.runs.values()] == [
        "ml-wine-model",
        "ml-wine-predictions",
    ]
    rows = fake.sql.run(
        "SELECT count(*), count(DISTINCT p.wine), avg(CAST(p.prediction = w.cultivar AS INT)) "
        "FROM acme.ml.wine_predictions AS p JOIN acme.cellar.wines AS w ON p.wine = w.wine"
    )
    assert (rows[0][0], rows[0][1]) == (178, 178)
    assert rows[0][2] > 0.85
    by_the_tasks = [statement for login, statement in fake.sql.asked_by if login == "of-the-runtime"]
    assert sum("FROM `cellar`.`wines`" in statement for statement in by_the_tasks) == 2
    assert any(statement.startswith("INSERT INTO `ml`.`wine_predictions__incoming`") for statement in by_the_tasks)
    assert fake.models.models[NAME]["aliases"] == {"champion": "1"}


def test_a_task_that_the_warehouse_refuses_fails_the_step_with_its_words(wines: Project, fake: FakeWorkspace):
    fake.sql.refused["`alcohol`"] = "[INSUFFICIENT_PERMISSIONS] User does not have SELECT on Table 'acme.cellar.wines'."

    told = wines.failure("ml/wine_model")

    assert "ml/wine_model: " in told
    assert "User does not have SELECT on Table 'acme.cellar.wines'" in told
