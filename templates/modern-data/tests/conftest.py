"""The project's definitions, loaded once for all tests."""

import tomllib
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def definitions() -> dg.Definitions:
    """What Dagster loads."""
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]["root_module"]
    return import_module(f"{package}.definitions").defs()
