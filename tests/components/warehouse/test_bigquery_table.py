"""The BigQuery component on the emulator behind the real client, and the same YAML on the local DuckDB file."""

import datetime as dt

import pytest

from components.warehouse.bigquery_table import BigQueryTableComponent
from components.warehouse.component import WarehouseComponent
from tests.components.warehouse.project import scaffolded

ORDERS = {
    "key": "marts/orders",
    "description": "Orders of a day.",
    "sql": "SELECT DATE '2026-01-01' AS day, 'web' AS channel, SAFE_DIVIDE(6, 2) AS orders",
    "partition_by": {"column": "day", "granularity": "month"},
    "cluster_by": ["channel"],
    "labels": {"product": "shop"},
    "columns": {"orders": "Number of orders."},
}
DAYS = {
    "key": "marts/days",
    "description": "One row a day.",
    "sql": "SELECT DATE('{{ partition.key }}') AS day, '{{ partition.key }}' AS name",
    "partition": {"by": "daily", "start": "2026-01-01", "column": "day"},
    "partition_by": {"column": "day"},
}


@pytest.fixture
def bigquery(project, bigquery_environment, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    project.add(WarehouseComponent, "warehouse", {"engine": "bigquery"})
    return project


@pytest.fixture
def engine(bigquery):
    with bigquery.definitions() as definitions:
        return definitions.resources["warehouse"].engine


@pytest.mark.e2e
def test_a_table_is_made_with_its_layout_labels_and_descriptions(bigquery, engine):
    bigquery.add(BigQueryTableComponent, "orders", ORDERS)
    for _ in range(2):
        metadata = bigquery.materialize()["marts/orders"]
    assert engine.query("SELECT day, channel, orders FROM marts.orders").rows == [(dt.date(2026, 1, 1), "web", 3.0)]
    table = engine.table("marts", "orders")
    assert (table.description, table.labels) == ("Orders of a day.", {"product": "shop"})
    assert [field.description for field in table.schema] == [None, None, "Number of orders."]
    assert metadata["dagster/row_count"] == 1
    types = [(column.name, column.type) for column in metadata["dagster/column_schema"].columns]
    assert types == [("day", "DATE"), ("channel", "STRING"), ("orders", "FLOAT64")]


@pytest.mark.e2e
def test_a_day_is_replaced_and_other_days_stay(bigquery, engine):
    bigquery.add(BigQueryTableComponent, "days", DAYS)
    for day in ("2026-01-01", "2026-01-02", "2026-01-01"):
        metadata = bigquery.materialize(partition=day)["marts/days"]
    assert engine.query("SELECT name FROM marts.days ORDER BY day").rows == [("2026-01-01",), ("2026-01-02",)]
    assert (metadata["dagster/row_count"], metadata["dagster/partition_row_count"]) == (2, 1)
    assert engine.table("marts", "days").time_partitioning.field == "day"


@pytest.mark.e2e
def test_rows_of_another_day_are_refused_and_nothing_is_lost(bigquery, engine):
    bigquery.add(BigQueryTableComponent, "days", DAYS)
    bigquery.materialize(partition="2026-01-01")
    bigquery.add(BigQueryTableComponent, "days", {**DAYS, "sql": "SELECT DATE '2030-01-01' AS day, 'x' AS name"})
    with pytest.raises(Exception, match="rows of the query are not where"):
        bigquery.materialize(partition="2026-01-01")
    assert engine.query("SELECT name FROM marts.days").rows == [("2026-01-01",)]


@pytest.mark.e2e
def test_a_view_and_a_materialized_view_read_their_table(bigquery, engine):
    bigquery.add(BigQueryTableComponent, "orders", ORDERS)
    views = {
        "top": {"materialized": "view", "sql": "SELECT channel FROM marts.orders"},
        "sums": {
            "materialized": "materialized_view",
            "sql": "SELECT channel, COUNT(*) AS n FROM marts.orders GROUP BY channel",
        },
    }
    for name, view in views.items():
        attributes = {"key": f"marts/{name}", "description": "A view.", "depends_on": ["marts/orders"], **view}
        bigquery.add(BigQueryTableComponent, name, attributes)
    bigquery.materialize()
    assert engine.query("SELECT channel FROM marts.top").rows == [("web",)]
    assert engine.query("SELECT channel, n FROM marts.sums").rows == [("web", 1)]
    kinds = [engine.relation_type("marts", name) for name in ("orders", "top")]
    assert kinds == ["table", "view"]  # the emulator calls a replaced materialized view a view


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sql": "SELECT absent FROM (SELECT 1 AS n)"}, "absent"),
        ({"columns": {"oders": "Mistyped."}}, "the query has no column 'oders'; it has: day, channel, orders"),
        ({"partition_by": {"column": "channel"}}, "partition_by: column 'channel' is STRING; expected DATE"),
        ({"sql": "SELECT * FROM nowhere.orders", "partition_by": None}, "nowhere"),
    ],
)
def test_a_mistake_is_found_by_the_dry_run_before_anything_is_made(bigquery, engine, change, expected):
    bigquery.add(BigQueryTableComponent, "orders", {**ORDERS, **change})
    assert expected in bigquery.failure()
    assert engine.relation_type("marts", "orders") is None


def test_the_same_yaml_runs_on_the_local_file(project):
    project.add(BigQueryTableComponent, "orders", ORDERS)
    project.add(BigQueryTableComponent, "days", DAYS)
    metadata = project.materialize("marts/orders")["marts/orders"]
    assert project.rows("SELECT day, channel, orders FROM marts.orders") == [(dt.date(2026, 1, 1), "web", 3.0)]
    assert metadata["ignored_locally"] == "partition_by, cluster_by, labels: only on BigQuery"
    for day in ("2026-01-01", "2026-01-02", "2026-01-01"):
        project.materialize("marts/days", partition=day)
    assert project.rows("SELECT name FROM marts.days ORDER BY day") == [("2026-01-01",), ("2026-01-02",)]


def test_another_production_warehouse_is_refused(project, databricks_server, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    project.add(WarehouseComponent, "warehouse", {"engine": "databricks"})
    project.add(BigQueryTableComponent, "orders", ORDERS)
    assert "the production warehouse is Databricks SQL, but this component needs BigQuery" in project.failure()


def test_a_syntax_error_is_named_with_file_and_line_when_it_loads(project):
    attributes = {key: value for key, value in ORDERS.items() if key != "sql"}
    folder = project.add(BigQueryTableComponent, "orders", {**attributes, "sql_file": "orders.sql"})
    (folder / "orders.sql").write_text("SELECT day,\n  COUNT(* AS orders\nFROM raw.orders\n")
    message = project.load_error()
    assert f"{folder / 'orders.sql'}: line 2, column" in message
    assert "this is not bigquery SQL" in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"labels": {"Product": "shop"}}, "labels: 'Product' cannot be keys; expected up to 63 small letters"),
        ({"labels": {"product": "Shop!"}}, "labels: product: 'Shop!' cannot be values"),
        ({"cluster_by": list("abcde")}, "cluster_by has 5 columns; BigQuery takes 4"),
        ({"cluster_by": ["a", "a"]}, "cluster_by names a more than once"),
        ({"partition_by": None, "require_partition_filter": True}, "require_partition_filter needs partition_by"),
        ({"materialized": "view"}, "partition_by and cluster_by need materialized table"),
        ({"materialized": "snapshot"}, "expected one of table, view, materialized_view"),
        ({"partition_by": {"column": "day", "granularity": "week"}}, "expected one of hour, day, month, year"),
        ({"partition_by": {"integer_range": {"start": 0, "end": 9, "interval": 1}}}, "integer_range needs column"),
        (
            {"partition_by": {"column": "n", "integer_range": {"start": 0, "end": 10**9, "interval": 1}}},
            "makes 1,000,000,000 partitions; BigQuery takes 10,000",
        ),
        ({"budget": {}}, "expected max_bytes_billed, max_cost_usd or both"),
        ({"budget": {"max_cost_usd": 1, "price_per_tib_usd": 6}}, "price_per_tib_usd and price_as_of go together"),
        ({"budget": {"max_bytes_billed": 10}}, "is not valid; expected at least 10485760"),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(project, change, expected):
    project.add(BigQueryTableComponent, "orders", {**ORDERS, **change})
    assert expected in project.load_error()


def test_the_scaffolder_writes_what_materialises_on_a_laptop(project):
    scaffolded(BigQueryTableComponent, project._sandbox.defs_folder_path / "made", key="marts/made")
    assert project.materialize("marts/made")["marts/made"]["dagster/row_count"] == 1
