"""Fixtures of the machine-learning tests: a project on DuckDB and on MLflow's own SQLite file."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster.components.testing import create_defs_folder_sandbox

from components.ml import ModelTrainingComponent
from components.ml.example import write_wine
from tests.components.installed import installed_components_listed_once
from tests.components.ml.chain import TRAINING, run
from tests.components.warehouse.project import Project
from tests.components.warehouse.project import project as empty_project

__all__ = ["empty_project", "installed_components_listed_once", "project", "trained", "trained_store", "wines"]

VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "COMPUTE_PROFILE")
POLICY = "version: 1\ncompute_sizes:\n  small: {threads: 1, memory_gb: 4, hourly_cost_usd: 0.2}\n"


@pytest.fixture
def project(empty_project, monkeypatch):
    """A project with a warehouse and no server to be found in the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (empty_project.root / "policy.yaml").write_text(POLICY)
    return empty_project


@pytest.fixture
def wines(project):
    """The project with real wines in data/wine.csv."""
    (project.root / "data").mkdir(exist_ok=True)
    write_wine(project.root / "data")
    return project


@pytest.fixture(scope="session")
def trained_store() -> Iterator[Path]:
    """An MLflow database with one finished training of wines; its artifacts stay where they are."""
    with pytest.MonkeyPatch.context() as environment, create_defs_folder_sandbox() as sandbox:
        for name in (*VARIABLES, "WAREHOUSE_TARGET", "WAREHOUSE_DUCKDB_FILE"):
            environment.delenv(name, raising=False)
        project = Project(sandbox)
        (project.root / "data").mkdir()
        write_wine(project.root / "data")
        project.add(ModelTrainingComponent, "model", TRAINING)
        assert list(run(project)[0]) == ["ml/wine_model"]
        yield project.root / "data" / "mlflow.db"


@pytest.fixture
def trained(wines, trained_store):
    """The project with wines and a candidate for the model."""
    shutil.copy(trained_store, wines.root / "data" / "mlflow.db")
    return wines
