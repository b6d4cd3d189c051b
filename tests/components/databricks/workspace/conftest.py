"""A workspace on this machine that the environment names, and projects with a policy for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.databricks.workspace.client import Workspace
from components.ml.tracking import tracking
from tests.components.warehouse.project import Project, project
from tests.fakes.databricks import TOKEN, FakeWorkspace

__all__ = ["project"]

POLICY = """\
version: 1
compute_sizes:
  small: {threads: 4, memory_gb: 16, hourly_cost_usd: 0.5, node_type: m5d.xlarge}
  wide: {threads: 4, memory_gb: 16, hourly_cost_usd: 0.5, node_type: m5d.xlarge, workers: 9}
  laptop: {threads: 2, memory_gb: 4, hourly_cost_usd: 0.1}
budgets:
  team:data: {monthly_usd: 100}
databricks:
  budget_policies: {"team:data": bp-7}
  clusters: {runtimes: [16.4.x-scala2.12], max_workers: 4, spot: allowed, existing: [0101-shared]}
  grants:
    internal: {analysts: [SELECT]}
    confidential: {stewards: [SELECT, MODIFY]}
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorkspace]:
    """A workspace with a SQL warehouse; what waits for it waits shortly."""
    made = FakeWorkspace(tmp_path / "workspace")
    for name in ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_CATALOG", "DATABRICKS_HTTP_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_HOST", made.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "abc123")
    monkeypatch.setattr("components.databricks.workspace.waiting.POLL_SECONDS", 0.02)
    yield made
    made.close()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs: making its tables takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            environment.delenv(name, raising=False)
        tracking(folder).client.search_experiments()
    return folder / "data" / "mlflow.db"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder with a policy."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "policy.yaml").write_text(POLICY)
    return folder


@pytest.fixture
def workspace(fake: FakeWorkspace, root: Path) -> Workspace:
    return Workspace(root)


@pytest.fixture
def governed(project: Project, fake: FakeWorkspace) -> Project:
    """A project with the policy, whose environment names the workspace."""
    project.file("policy.yaml", POLICY)
    return project
