"""Reproductions: what a warehouse, files and dbt say when they run."""

import json
import shutil
import subprocess
import sys
from typing import Any

from components.governance import governed
from components.ingestion import FileSourceComponent
from components.warehouse import BigQueryTableComponent, SqlTableComponent, WarehouseComponent
from tests.components.dbt.harness import Platform
from tests.components.warehouse.bigquery_server import BigQueryServer
from tests.docs.troubles import Fixture, Said, raised, reproduces
from tests.docs.troubles_with_yaml import TABLE

FILES = {
    "source": {"folder": "landing"},
    "schema_contract": "freeze",
    "tables": [{"name": "orders", "file": "orders.csv", "description": "Orders."}],
}
DAILY = {
    "key": "marts/days",
    "description": "One row a day.",
    "sql": "SELECT CAST('{{ partition.start }}' AS timestamp) AS day",
    "partition": {"by": "daily", "start": "2026-01-01", "column": "day"},
}
DEAR = {
    "key": "marts/orders",
    "description": "Orders.",
    "sql": "SELECT * FROM raw.orders",
    "budget": {"max_cost_usd": 1, "price_per_tib_usd": 5, "price_as_of": "2026-11-01"},
}


def table(get: Fixture, **change: Any) -> Any:
    """The project with one table, changed."""
    project = get("project")
    project.add(SqlTableComponent, "table", {**TABLE, **change})
    return project


@reproduces("The warehouse's target is not valid")
def _(get: Fixture) -> Said:
    project = table(get)
    get("monkeypatch").setenv("WAREHOUSE_TARGET", "prod")
    yield raised(project.materialize)
    get("monkeypatch").setenv("WAREHOUSE_TARGET", "local")
    project.materialize()


@reproduces("Production has no address and no login")
def _(get: Fixture) -> Said:
    project, environment = table(get), get("monkeypatch")
    for name in ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"):
        environment.delenv(name, raising=False)
    environment.setenv("WAREHOUSE_TARGET", "production")
    yield project.failure()
    for name in ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"):
        environment.setenv(name, "given")
    project.warehouse.engine.check_environment()


@reproduces("The local warehouse is in use by another program")
def _(get: Fixture) -> Said:
    project = table(get)
    project.materialize()
    file = str(project.root / "data" / "warehouse.duckdb")
    script = f"import duckdb; c = duckdb.connect({file!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        yield project.failure()
        other.communicate(b"\n")
    project.materialize()


@reproduces("The SQL of a table is refused")
def _(get: Fixture) -> Said:
    project = table(get, sql="SELECT * FROM raw.ordres")
    yield project.failure()
    table(get).materialize()


@reproduces("The SQL holds more than one query")
def _(get: Fixture) -> Said:
    yield table(get, sql="SELECT 1 AS n; SELECT 2 AS n").failure()
    table(get).materialize()


@reproduces("Rows lie outside of their partition")
def _(get: Fixture) -> Said:
    project = get("project")
    project.add(SqlTableComponent, "days", {**DAILY, "sql": "SELECT TIMESTAMP '2020-01-01' AS day"})
    yield raised(lambda: project.materialize(partition="2026-01-02"))
    project.add(SqlTableComponent, "days", DAILY)
    project.materialize(partition="2026-01-02")


@reproduces("A query is over its budget")
def _(get: Fixture) -> Said:
    project, environment = get("project"), get("monkeypatch")
    with BigQueryServer() as server:
        settings = {"BIGQUERY_EMULATOR_HOST": server.address, "GOOGLE_CLOUD_PROJECT": "shop"}
        for name, value in {**settings, "WAREHOUSE_TARGET": "production"}.items():
            environment.setenv(name, value)
        project.add(WarehouseComponent, "warehouse", {"engine": "bigquery"})
        project.add(BigQueryTableComponent, "orders", DEAR)
        server.estimated = 2**40
        yield project.failure()
        server.estimated = 2**30
        project.materialize()


@reproduces("A file to load is not there")
def _(get: Fixture) -> Said:
    project = get("project")
    project.file("landing/order.csv", "id\n1\n")
    project.add(FileSourceComponent, "orders", FILES)
    yield project.failure()
    project.file("landing/orders.csv", "id\n1\n")
    project.materialize()


@reproduces("A file has a new column, and the load stops")
def _(get: Fixture) -> Said:
    project = get("project")
    project.file("landing/orders.csv", "id\n1\n")
    project.add(FileSourceComponent, "orders", FILES)
    project.materialize()
    project.file("landing/orders.csv", "id,paid\n2,yes\n")
    yield project.failure()
    project.add(FileSourceComponent, "orders", {**FILES, "schema_contract": "evolve"})
    project.materialize()


@reproduces("A value in a file has the wrong type")
def _(get: Fixture) -> Said:
    project = get("project")
    [orders] = FILES["tables"]  # type: ignore[misc]  # the one table of the list
    given = {**FILES, "tables": [{**orders, "columns": {"amount": "bigint"}}]}  # type: ignore[dict-item]
    project.file("landing/orders.csv", "id,amount\n1,ten\n")
    project.add(FileSourceComponent, "orders", given)
    yield project.failure()
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    project.materialize()


@reproduces("The folder holds no dbt project")
def _(get: Fixture) -> Said:
    platform: Platform = get("platform")
    (platform.root / "models").mkdir()
    yield platform.refusal(project="{{ context.project_root }}/models")


@reproduces("The dbt project of a git repository was not fetched")
def _(get: Fixture) -> Said:
    platform: Platform = get("platform")
    yield platform.refusal(project={"git": "https://git.example.com/analytics.git"})


@reproduces("dbt's target is not in the profile")
def _(get: Fixture) -> Said:
    yield get("platform").refusal(dbt={"target": "producton"})


@reproduces("A dbt model lacks a description")
def _(get: Fixture) -> Said:
    platform: Platform = get("platform")
    (platform.root / "policy.yaml").write_text("version: 1\nrequire: [description]\n")
    for folder in ("models", "seeds", "snapshots", "tests"):
        shutil.rmtree(platform.dbt / folder, ignore_errors=True)
    (platform.dbt / "selectors.yml").unlink(missing_ok=True)
    (platform.dbt / "models").mkdir()
    (platform.dbt / "models" / "bare.sql").write_text("select 1 as n")

    def load() -> None:
        governed(platform.load(), platform.root)

    yield raised(load)
    described = {"models": [{"name": "bare", "description": "One number."}]}
    (platform.dbt / "models" / "bare.yml").write_text(json.dumps(described))
    load()
