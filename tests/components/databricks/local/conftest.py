"""Fixtures of the lakehouse on this machine."""

from collections.abc import Iterator

import pytest
from dagster.components.testing import create_defs_folder_sandbox

from tests.components.databricks.local.project import LakehouseProject


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workspace, whatever the shell of the developer names."""
    for name in (
        "DATABRICKS_HOST",
        "DATABRICKS_TARGET",
        "DATABRICKS_CATALOG",
        "LAKEHOUSE_FOLDER",
        "SPARK_REMOTE",
        "WAREHOUSE_TARGET",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project() -> Iterator[LakehouseProject]:
    with create_defs_folder_sandbox() as sandbox:
        yield LakehouseProject(sandbox)
