"""Warehouses that nobody can run here are rehearsed: compiled for them, run on the local data, compared."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapters, adapters, said

__all__ = ["adapters"]
pytestmark = pytest.mark.e2e

LOCAL_RUN = """
import importlib, dagster as dg
made = importlib.import_module("data_platform.definitions").defs()
chosen = dg.AssetSelection.groups("dashboards", "activation")
keys = (dg.AssetSelection.all() - chosen).resolve(made.resolve_asset_graph())
made.resolve_implicit_global_asset_job_def().execute_in_process(
    instance=dg.DagsterInstance.ephemeral(), asset_selection=list(keys)
)
"""


@pytest.fixture(scope="module")
def local(adapters: Adapters, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The warehouse file of a local run."""
    file = str(tmp_path_factory.mktemp("local") / "warehouse.duckdb")
    done = adapters.run("motherduck", "-c", LOCAL_RUN, WAREHOUSE_DUCKDB_FILE=file)
    assert done.returncode == 0, said(done)
    return file


def rehearse(adapters: Adapters, warehouse: str, local: str) -> subprocess.CompletedProcess[str]:
    return adapters.run(warehouse, "tools/rehearse.py", WAREHOUSE_DUCKDB_FILE=local)


SLOTS = {"redshift": "redshift", "databricks": "databricks-sql", "motherduck": "motherduck"}


@pytest.mark.parametrize(
    "warehouse",
    [pytest.param(name, marks=pytest.mark.slot("modern-data", slot, "rehearsed")) for name, slot in SLOTS.items()],
)
def test_the_sample_gives_the_same_rows_on_every_warehouse(adapters: Adapters, local: str, warehouse: str):
    done = rehearse(adapters, warehouse, local)
    assert done.returncode == 0, said(done)
    assert "12 models, 16 tests, 7 queries rehearsed" in done.stdout
    assert "the same rows as here. Nothing was sent anywhere." in done.stdout


def test_sql_that_is_not_portable_is_named_with_file_and_line(adapters: Adapters, local: str):
    model = adapters.projects["redshift"] / "transform" / "models" / "marts" / "fct_flights.sql"
    before = model.read_text()
    lines = before.splitlines()
    [at] = [number for number, line in enumerate(lines, 1) if "iso_weekday" in line]
    lines[at - 1] = "    cast(extract(isodow from flights.flight_date) as integer) as weekday,"
    model.write_text("\n".join(lines))
    try:
        done = rehearse(adapters, "redshift", local)
    finally:
        model.write_text(before)
    assert done.returncode == 1
    assert f"{Path('models', 'marts', 'fct_flights.sql')}:{at}: redshift extracts no isodow" in done.stdout


def test_without_local_data_the_command_that_makes_it_is_named(adapters: Adapters, tmp_path: Path):
    done = rehearse(adapters, "redshift", str(tmp_path / "absent.duckdb"))
    assert done.returncode == 1
    assert 'run `uv run dg launch --assets "*"` first' in done.stderr
