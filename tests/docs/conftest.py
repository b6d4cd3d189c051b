"""Fixtures of the troubleshooting page: a project of each family, from the tests of that family."""

from collections.abc import Iterator

import pytest

from tests.components.dbt.harness import Platform, new_platform
from tests.components.ml.conftest import project, trained, trained_store, wines
from tests.components.notebooks.project import project as notebook_project
from tests.components.orchestration.conftest import instance, receiver, shop
from tests.components.spark.lab import lab, mlflow_database
from tests.components.stock.conftest import stock_project
from tests.components.warehouse.project import project as empty_project

__all__ = [
    "empty_project",
    "instance",
    "lab",
    "mlflow_database",
    "notebook_project",
    "project",
    "receiver",
    "shop",
    "stock_project",
    "trained",
    "trained_store",
    "wines",
]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A dbt project that is not parsed yet."""
    for name in ("WAREHOUSE_TARGET", "WAREHOUSE_DUCKDB_FILE", "WAREHOUSE_PRODUCTION_FILE", "DBT_QUERY_TAG"):
        monkeypatch.delenv(name, raising=False)
    with new_platform() as made:
        yield made
