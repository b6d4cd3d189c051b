"""Training and batch scoring as tasks of the workspace, serverless and on clusters, which read and write its tables."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
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

CLUSTERS = "clusters: {runtimes: [16.4.x-scala2.12], max_workers: 4, spot: allowed, existing: [0101-shared]}"
OWNERS = {"owners": ["team:data"]}
CHAIN = ["ml/wine_model", "ml/wine_gate", "ml/wine_registered", "ml/wine_predictions"]
NAME = "acme.ml.wine"


def approve(project: Project, profile: str = "", clusters: str = "", size: str = "") -> None:
    """Write the policy: more about the profile of the tasks, about clusters, about the size small."""
    policy = POLICY.replace(CLUSTERS, CLUSTERS.replace("}", f", {clusters}}}")) if clusters else POLICY
    policy = policy.replace("node_type: m5d.xlarge}", f"node_type: m5d.xlarge, {size}}}", 1) if size else policy
    place = f"{{runs_on: databricks, {profile}}}"
    project.file("policy.yaml", f"{policy}compute_profiles:\n  workspace: {place}\n")


def chain(project: Project, compute_size: str | None = "small") -> None:
    """Write a training, its gate, the registry and the scoring."""
    read, model, size = {"data": {"table": "cellar/wines"}}, {"registered_model": NAME}, {"compute_size": compute_size}
    project.add(ModelTrainingComponent, "model", {**TRAINING, **OWNERS, **read, **size})
    project.add(ModelValidationComponent, "gate", {**GATE, **model})
    project.add(ModelRegistryComponent, "registered", {**REGISTRY, **model})
    project.add(BatchInferenceComponent, "predictions", {**SCORING, **OWNERS, **read, **model, **size})


def tasks(fake: FakeWorkspace) -> list[dict[str, Any]]:
    """The task of each run that was asked for."""
    return [run["asked"]["tasks"][0] for run in fake.jobs.runs.values()]


@pytest.fixture
def wines(
    governed: Project, fake: FakeWorkspace, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project whose wines are a table of the workspace, and whose jobs run there."""
    governed.file("data/mlflow.db", empty_store.read_bytes())
    approve(governed)
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
    chain(governed)
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
    assert {run["asked"]["budget_policy_id"] for run in fake.jobs.runs.values()} == {"bp-7"}
    assert {key for key in made if "databricks/run_id" in made[key]} == {"ml/wine_model", "ml/wine_predictions"}


def test_a_task_that_the_warehouse_refuses_fails_the_step_with_its_words(wines: Project, fake: FakeWorkspace):
    fake.sql.refused["`alcohol`"] = "[INSUFFICIENT_PERMISSIONS] User does not have SELECT on Table 'acme.cellar.wines'."

    told = wines.failure("ml/wine_model")

    assert "ml/wine_model: " in told
    assert "User does not have SELECT on Table 'acme.cellar.wines'" in told


@pytest.mark.slot("databricks", "batch-inference", "fake")
def test_they_run_on_clusters_of_the_approved_size_whose_cost_is_attributed(wines: Project, fake: FakeWorkspace):
    approve(wines, "spark_version: 16.4.x-scala2.12, spot: true", "policy_id: ABC123", "workers: 2")

    made = wines.materialize(*CHAIN)

    assert made["ml/wine_model"]["test_accuracy"] > 0.85
    assert fake.sql.run("SELECT count(DISTINCT wine) FROM acme.ml.wine_predictions") == [(178,)]
    assert fake.models.models[NAME]["aliases"] == {"champion": "1"}
    by_the_tasks = [statement for login, statement in fake.sql.asked_by if login == "of-the-runtime"]
    assert sum("FROM `cellar`.`wines`" in statement for statement in by_the_tasks) == 2
    training, scoring = tasks(fake)
    tags = {"compute_size": "small", "hourly_cost_usd": "1.5", "cost_owner": "data"}
    assert training["new_cluster"] == {
        "spark_version": "16.4.x-scala2.12",
        "node_type_id": "m5d.xlarge",
        "num_workers": 2,
        "policy_id": "ABC123",
        "aws_attributes": {"availability": "SPOT_WITH_FALLBACK", "first_on_demand": 1},
        "custom_tags": {**tags, "dagster_asset": "ml-wine_model"},
    }
    assert scoring["new_cluster"]["custom_tags"] == {**tags, "dagster_asset": "ml-wine_predictions"}
    assert {"pypi": {"package": "databricks-sdk"}} in training["libraries"]
    assert not {"environment_key", "existing_cluster_id"} & training.keys()


def test_a_running_cluster_is_used_where_it_ends_by_itself(wines: Project, fake: FakeWorkspace):
    approve(wines, "existing_cluster: 0101-shared", "auto_termination_minutes: 60")
    fake.jobs.clusters = {"0101-shared": {"autotermination_minutes": 0}}
    assert "cluster 0101-shared ends after no idle minutes; policy.yaml asks for at most 60" in wines.failure(CHAIN[0])
    assert fake.jobs.runs == {}

    fake.jobs.clusters = {"0101-shared": {"autotermination_minutes": 30}}
    assert wines.materialize(CHAIN[0])["ml/wine_model"]["test_accuracy"] > 0.85
    [task] = tasks(fake)
    assert (task["existing_cluster_id"], task.get("new_cluster")) == ("0101-shared", None)


@pytest.mark.slot("databricks", "compute-policies", "fake")
@pytest.mark.parametrize(
    ("profile", "clusters", "size", "said"),
    [
        ("spark_version: 9.1.x", "", "small", "runtime: '9.1.x'; policy.yaml approves one of: 16.4.x-scala2.12"),
        ("spark_version: 16.4.x-scala2.12", "", "wide", "size 'wide' has 9 workers; policy.yaml approves at most 4"),
        ("spark_version: 16.4.x-scala2.12", "", "laptop", "size 'laptop' names no node_type; policy.yaml approves"),
        ("spark_version: 16.4.x-scala2.12", "", None, "a cluster needs a compute_size; policy.yaml approves"),
        ("spark_version: 16.4.x-scala2.12", "max_hourly_usd: 0.2", "small", "policy.yaml approves at most 0.2 dollars"),
        ("existing_cluster: 0101-mine", "", "small", "existing_cluster: '0101-mine'; policy.yaml approves"),
        ("existing_cluster: 0101-shared, spot: true", "", "small", "a running cluster has its own spark_version, spot"),
        ("spot: true", "", "small", "spot and policy_id are of new clusters: they need a spark_version"),
    ],
)
def test_a_cluster_that_is_not_approved_is_refused_when_definitions_load(
    wines: Project, fake: FakeWorkspace, profile: str, clusters: str, size: str | None, said: str
):
    approve(wines, profile, clusters)
    chain(wines, size)
    assert said in wines.load_error()
    assert fake.jobs.runs == {}


def test_a_task_whose_owner_has_no_budget_policy_may_not_run_serverless(wines: Project):
    wines.add(ModelTrainingComponent, "model", {**TRAINING, "owners": ["team:other"], "compute_size": "small"})
    assert "none of the owners ['team:other'] has a budget policy" in wines.load_error()


def test_a_training_that_is_interrupted_ends_its_cluster(wines: Project, fake: FakeWorkspace):
    approve(wines, "spark_version: 16.4.x-scala2.12")

    def interrupt() -> None:
        while not fake.jobs.processes:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises((KeyboardInterrupt, dg.DagsterExecutionInterruptedError)):
        wines.materialize(CHAIN[0])
    assert fake.jobs.cancelled == list(fake.jobs.runs)
