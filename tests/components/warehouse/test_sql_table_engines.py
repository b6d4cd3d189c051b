"""One YAML, written in DuckDB's SQL, materialised on every warehouse."""

from typing import Any

import pytest

from components.warehouse.component import WarehouseComponent
from components.warehouse.sql_table import SqlTableComponent
from tests.components.warehouse.servers import ALL_ENGINES, ENGINES

TABLE = {
    "key": "marts/busy",
    "description": "Flights of an airport.",
    "sql": "SELECT 'JFK' AS origin, 3::INT AS flights, list_contains([1, 2], 2) AS listed "
    "UNION ALL SELECT 'EWR', 5, true",
    "dialect": "duckdb",
    "columns": {"origin": "Airport code."},
}
DAYS = {
    "key": "marts/days",
    "description": "One row a day.",
    "sql": "SELECT CAST('{{ partition.start }}' AS timestamp) AS day, '{{ partition.key }}' AS name",
    "partition": {"by": "daily", "start": "2013-01-01", "column": "day"},
}
TOP = {
    "key": "marts/top",
    "description": "The busiest airport.",
    "sql": "SELECT origin FROM marts.busy ORDER BY flights DESC LIMIT 1",
    "materialized": "view",
    "depends_on": ["marts/busy"],
}


# For Redshift a Postgres server stands in, for Databricks SQL a local workspace.
HOW = {"duckdb": "embedded", "postgres": "server", "bigquery": "server", "snowflake": "server"}
HOW |= {"redshift": "fake", "databricks": "fake"}


def executing(engine: Any) -> Any:
    """An engine of the tests, marked with the slot that it executes."""
    [name], marks = (engine.values, engine.marks) if hasattr(engine, "values") else ([engine], ())
    slot = "databricks-sql" if name == "databricks" else name
    return pytest.param(name, marks=[*marks, pytest.mark.slot("modern-data", slot, HOW[name])])


@pytest.fixture(params=[executing(engine) for engine in ALL_ENGINES])
def on_engine(request, project, monkeypatch):
    """A project whose production warehouse is the engine."""
    if request.param == "duckdb":
        monkeypatch.setenv("WAREHOUSE_PRODUCTION_FILE", str(project.root / "production.duckdb"))
    else:
        request.getfixturevalue(ENGINES[request.param])
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    project.add(WarehouseComponent, "warehouse", {"engine": request.param})
    with project.definitions() as definitions:
        return project, definitions.resources["warehouse"].engine, request.param


def test_a_table_and_a_view_on_it_are_the_same_everywhere(on_engine):
    project, engine, name = on_engine
    sql = TABLE["sql"] if name in ("duckdb", "databricks") else TABLE["sql"].replace("list_contains([1, 2], 2)", "true")
    project.add(SqlTableComponent, "busy", {**TABLE, "sql": sql})
    project.add(SqlTableComponent, "top", TOP)
    project.materialize()
    metadata = project.materialize()
    assert engine.query("SELECT origin, flights, listed FROM marts.busy ORDER BY origin").rows == [
        ("EWR", 5, True),
        ("JFK", 3, True),
    ]
    assert engine.query("SELECT origin FROM marts.top").rows == [("EWR",)]
    assert (metadata["marts/busy"]["dagster/row_count"], metadata["marts/top"]["dagster/row_count"]) == (2, 1)
    columns = metadata["marts/busy"]["dagster/column_schema"].columns
    assert [(column.name, column.description) for column in columns][:2] == [
        ("origin", "Airport code."),
        ("flights", None),
    ]
    assert metadata["marts/busy"]["warehouse"] == f"{engine.title} (production)"


def test_a_partition_replaces_its_own_rows_everywhere(on_engine):
    project, engine, _ = on_engine
    project.add(SqlTableComponent, "days", DAYS)
    for day in ("2013-01-01", "2013-01-02", "2013-01-01"):
        project.materialize(partition=day)
    rows = engine.query("SELECT name FROM marts.days ORDER BY day").rows
    assert rows == [("2013-01-01",), ("2013-01-02",)]


def test_sql_that_is_not_of_its_dialect_is_named_with_its_line(project):
    project.add(SqlTableComponent, "busy", {**TABLE, "sql": "SELECT 1 AS n\nFROM (SELECT", "dialect": "snowflake"})
    message = project.failure()
    assert "line 2, column" in message
    assert "this is not snowflake SQL" in message


def test_a_dialect_that_is_none_is_named(project):
    project.add(SqlTableComponent, "busy", {**TABLE, "dialect": "oracle"})
    assert "dialect: 'oracle' is not valid; expected one of duckdb, postgres, bigquery" in project.load_error()


def test_sql_of_bigquery_runs_on_the_local_file(project):
    bigquery = "SELECT SAFE_CAST('x' AS INT64) AS n, FORMAT_DATE('%Y', DATE '2026-01-02') AS year"
    project.add(SqlTableComponent, "busy", {**TABLE, "sql": bigquery, "dialect": "bigquery", "columns": {}})
    project.materialize()
    assert project.rows("SELECT n, year FROM marts.busy") == [(None, "2026")]
