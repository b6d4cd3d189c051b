"""The project's definitions, loaded once for all tests, on a throw-away local warehouse."""

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.Definitions]:
    """What Dagster loads; your own warehouse stays as it is."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WAREHOUSE_TARGET", "local")
        environment.setenv("WAREHOUSE_DUCKDB_FILE", str(tmp_path_factory.mktemp("data") / "warehouse.duckdb"))
        package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]["root_module"]
        yield import_module(f"{package}.definitions").defs()
