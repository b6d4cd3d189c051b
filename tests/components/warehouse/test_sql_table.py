import pytest

from components.warehouse.sql_table import SqlTableComponent
from tests.components.warehouse.project import scaffolded

BUSY = {
    "key": "marts/busy",
    "sql": "SELECT 'JFK' AS origin, 3 AS flights UNION ALL SELECT 'EWR', 5",
    "description": "Flights of an airport.",
}


def test_a_table_is_made_with_its_metadata(any_project):
    any_project.add(SqlTableComponent, "busy", {**BUSY, "columns": {"origin": "Airport code."}})
    metadata = any_project.materialize("marts/busy")["marts/busy"]
    assert any_project.rows("SELECT origin, flights FROM marts.busy ORDER BY origin") == [("EWR", 5), ("JFK", 3)]
    assert metadata["dagster/row_count"] == 2
    assert metadata["relation"] == '"marts"."busy"'
    assert "SELECT 'JFK' AS origin" in metadata["sql"]
    columns = metadata["dagster/column_schema"].columns
    assert [(column.name, column.description) for column in columns] == [("origin", "Airport code."), ("flights", None)]
    assert all(column.type for column in columns)


def test_a_view_reads_the_table_it_depends_on(any_project):
    any_project.add(SqlTableComponent, "busy", BUSY)
    view = {"key": "marts/top", "sql_file": "top.sql", "materialized": "view", "depends_on": ["marts/busy"]}
    folder = any_project.add(SqlTableComponent, "top", {**view, "description": "The busiest airport."})
    (folder / "top.sql").write_text("-- the busiest\nSELECT origin FROM marts.busy ORDER BY flights DESC LIMIT 1;\n")
    any_project.materialize()
    metadata = any_project.materialize()  # a second run finds a view on the table
    assert any_project.rows("SELECT origin FROM marts.top") == [("EWR",)]
    assert any_project.warehouse.engine.relation_type("marts", "top") == "view"
    assert metadata["marts/top"]["dagster/row_count"] == 1


def test_a_partition_replaces_its_own_rows_only(any_project):
    partitioned = {
        "key": "marts/days",
        "description": "One row a day.",
        "sql": "SELECT CAST('{{ partition.start }}' AS timestamp) AS day, '{{ partition.key }}' AS name",
        "partition": {"by": "daily", "start": "2013-01-01", "column": "day"},
    }
    any_project.add(SqlTableComponent, "days", partitioned)
    for day in ("2013-01-01", "2013-01-02", "2013-01-01"):
        metadata = any_project.materialize(partition=day)
    assert any_project.rows("SELECT name FROM marts.days ORDER BY day") == [("2013-01-01",), ("2013-01-02",)]
    assert "2013-01-01 00:00:00" in metadata["marts/days"]["sql"]


def test_rows_of_another_partition_are_refused(any_project):
    partitioned = {
        "key": "marts/days",
        "description": "One row a day.",
        "sql": "SELECT CAST('{{ partition.end }}' AS timestamp) AS day",
        "partition": {"by": "monthly", "start": "2013-01-01", "column": "day"},
    }
    any_project.add(SqlTableComponent, "days", partitioned)
    with pytest.raises(Exception, match="1 rows of the query are not where"):
        any_project.materialize(partition="2013-01-01")


def test_a_query_that_fails_is_named_with_key_and_file_and_the_old_table_stays(any_project):
    folder = any_project.add(
        SqlTableComponent, "busy", {"key": "marts/busy", "sql_file": "busy.sql", "description": "Airports."}
    )
    (folder / "busy.sql").write_text("SELECT 1 AS n")
    any_project.materialize()
    (folder / "busy.sql").write_text("SELECT n FROM marts.absent")
    message = any_project.failure()
    assert message.startswith(f"marts/busy ({folder / 'busy.sql'}): ")
    assert "absent" in message
    assert any_project.rows("SELECT n FROM marts.busy") == [(1,)]


def test_a_documented_column_that_the_query_lacks_is_named_before_anything_is_touched(project):
    project.add(SqlTableComponent, "busy", {**BUSY, "columns": {"origine": "Airport code."}})
    message = project.failure()
    assert "the query has no column 'origine'; it has: origin, flights" in message
    assert project.warehouse.engine.relation_type("marts", "busy") is None


def test_the_spec_says_what_the_policy_asks_for(project):
    attributes = {
        "owners": ["team:data"],
        "group": "marts",
        "tags": {"domain": "flights"},
        "depends_on": ["raw/flights"],
    }
    project.add(SqlTableComponent, "busy", {**BUSY, **attributes})
    spec = project.spec("marts/busy")
    assert (spec.owners, spec.group_name, spec.description) == (["team:data"], "marts", "Flights of an airport.")
    assert spec.tags["domain"] == "flights"
    assert spec.kinds == {"sql", "table", "duckdb"}
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["raw/flights"]
    assert spec.metadata["dagster/table_name"] == "marts.busy"


def test_the_kind_follows_the_production_engine(project, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    project.add(SqlTableComponent, "busy", BUSY)
    assert project.spec("marts/busy").kinds == {"sql", "table", "postgres"}


def test_the_code_version_follows_the_sql(project):
    project.add(SqlTableComponent, "busy", BUSY)
    first = project.spec("marts/busy").code_version
    project.add(SqlTableComponent, "busy", {**BUSY, "sql": "SELECT 1 AS n"})
    assert first != project.spec("marts/busy").code_version


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sql": None}, "expected one of sql and sql_file, not neither"),
        ({"sql_file": "busy.sql"}, "expected one of sql and sql_file, not both"),
        ({"sql": None, "sql_file": "busy.sql"}, "sql_file 'busy.sql' does not exist; .sql files there: none"),
        ({"sql": " "}, "the SQL is empty"),
        ({"sql": "SELECT '{{ partition.start }}'"}, "the SQL uses partition, but templates can use nothing without"),
        ({"key": "busy"}, "key: 'busy' does not match"),
        ({"materialized": "incremental"}, "materialized: 'incremental' is not valid; expected one of table, view"),
        (
            {"materialized": "view", "partition": {"by": "daily", "start": "2013-01-01", "column": "day"}},
            "marts/busy: partition needs materialized table",
        ),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(project, change, expected):
    project.add(SqlTableComponent, "busy", {**BUSY, **change})
    assert expected in project.load_error()


def test_a_broken_template_in_a_file_is_named_with_its_line(project):
    folder = project.add(SqlTableComponent, "busy", {"key": "marts/busy", "sql_file": "b.sql", "description": "x"})
    (folder / "b.sql").write_text("SELECT 1\nFROM {{ oops\n")
    message = project.load_error()
    assert f"{folder / 'b.sql'}: line 2 of the SQL" in message


def test_the_scaffolder_writes_what_materialises(project):
    attributes = scaffolded(SqlTableComponent, project._sandbox.defs_folder_path / "made", key="marts/made")
    assert attributes["sql_file"] == "made.sql"
    assert project.materialize("marts/made")["marts/made"]["dagster/row_count"] == 1
