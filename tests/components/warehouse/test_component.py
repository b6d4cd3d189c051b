import subprocess
import sys

import pytest

from components.warehouse.component import WarehouseComponent
from tests.components.warehouse.project import scaffolded, starter_attributes


def test_the_yaml_gives_a_resource_on_the_local_file(project):
    with project.definitions() as definitions:
        warehouse = definitions.resources["warehouse"]
    assert (warehouse.target, warehouse.engine.name) == ("local", "duckdb")
    warehouse.execute("CREATE TABLE t AS SELECT 1 AS a")
    assert warehouse.query("SELECT a FROM t").rows == [(1,)]
    assert (project.root / "data" / "warehouse.duckdb").is_file()


def test_the_local_file_may_be_another(project, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_DUCKDB_FILE", "other.duckdb")
    with project.definitions() as definitions:
        definitions.resources["warehouse"].execute("CREATE TABLE t (a int)")
    assert (project.root / "other.duckdb").is_file()


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_one_variable_switches_to_the_production_engine(project, monkeypatch, engine):
    project.add(WarehouseComponent, "warehouse", {"engine": engine})
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    with project.definitions() as definitions:
        warehouse = definitions.resources["warehouse"]
    assert (warehouse.target, warehouse.engine.name) == ("production", engine)


def test_an_engine_that_is_none_is_named_with_what_is_valid(project):
    project.add(WarehouseComponent, "warehouse", {"engine": "oracle"})
    message = project.load_error()
    assert "engine: 'oracle' is not valid; expected one of duckdb, postgres" in message


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_the_starter_names_the_engine_of_the_answer(project, monkeypatch, engine):
    project.add(WarehouseComponent, "warehouse", starter_attributes("warehouse", warehouse=engine))
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    with project.definitions() as definitions:
        assert definitions.resources["warehouse"].engine.name == engine


def test_the_scaffolder_writes_what_loads(project):
    assert scaffolded(WarehouseComponent, project.root / "made", engine="postgres") == {"engine": "postgres"}


def test_nothing_heavy_is_imported_when_components_load():
    modules = "component, sql_table, bigquery_table, resource, settings, kind"
    script = (
        "import sys\n"
        f"from components.warehouse import {modules}\n"
        "from components.ingestion import file_source\n"
        "from components.activation import file_export\n"
        "heavy = ('dlt', 'duckdb', 'psycopg2', 'pandas', 'dbt', 'sqlglot', 'google.cloud.bigquery',"
        " 'snowflake.connector', 'databricks.sdk')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
