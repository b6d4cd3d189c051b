"""The project's definitions, loaded once for all tests, on a throw-away lakehouse."""

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tests' own tables."""
    return tmp_path_factory.mktemp("lakehouse")


@pytest.fixture(scope="session")
def definitions(lakehouse: Path) -> Iterator[dg.Definitions]:
    """What Dagster loads; your own tables and models stay as they are, and no workspace is asked."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABRICKS_TARGET", "local")
        environment.setenv("WAREHOUSE_TARGET", "local")
        environment.setenv("LAKEHOUSE_FOLDER", str(lakehouse))
        environment.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{lakehouse / 'mlflow.db'}")
        package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]["root_module"]
        yield import_module(f"{package}.definitions").defs()
