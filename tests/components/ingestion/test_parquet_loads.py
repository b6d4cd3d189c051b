"""Tables reach a warehouse that takes Parquet files, as BigQuery and Databricks do; here it is DuckDB."""

import datetime as dt
from decimal import Decimal

import pytest

from components.warehouse.engines.duckdb import DuckDB
from tests.components.ingestion.test_loading import ORDERS, load, orders


@pytest.fixture
def by_parquet(project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(DuckDB, "load_format", "parquet")
    return project


def test_every_type_arrives(by_parquet):
    import duckdb

    query = (
        "SELECT 1 AS id, 'ü' AS name, 2.50::DECIMAL(10, 2) AS amount, DATE '2024-02-29' AS day, "
        "TIMESTAMPTZ '2024-01-01 05:00:00+02' AS moment, '\\x00\\xFF'::BLOB AS raw, true AS ok, NULL::BIGINT AS nothing"
    )
    (by_parquet.root / "landing").mkdir()
    duckdb.execute(f"COPY ({query}) TO '{by_parquet.root / 'landing' / 'orders.parquet'}'")
    load(by_parquet, {"name": "orders", "file": "orders.parquet"})
    [row] = by_parquet.rows("SELECT id, name, amount, day, moment, raw, ok, nothing FROM raw.orders")
    assert row[:4] == (1, "ü", Decimal("2.50"), dt.date(2024, 2, 29))
    assert row[4] == dt.datetime(2024, 1, 1, 3, tzinfo=dt.UTC)
    assert (bytes(row[5]), *row[6:]) == (b"\x00\xff", True, None)


def test_csv_files_are_loaded_too_and_carry_the_load_id(by_parquet):
    by_parquet.file("landing/orders.csv", "id,amount\n1,10\n2,\n")
    metadata = load(by_parquet, ORDERS)
    assert orders(by_parquet) == [(1, 10), (2, None)]
    assert by_parquet.rows("SELECT DISTINCT _dlt_load_id FROM raw.orders") == [(metadata["raw/orders"]["dlt_load_id"],)]


def test_a_replaced_table_holds_the_new_rows_only(by_parquet):
    by_parquet.file("landing/orders.csv", "id,amount\n1,10\n")
    load(by_parquet, ORDERS)
    by_parquet.file("landing/orders.csv", "id,amount\n2,20\n")
    load(by_parquet, ORDERS)
    assert orders(by_parquet) == [(2, 20)]


def test_rows_are_merged_by_their_key(by_parquet):
    merged = {**ORDERS, "write_disposition": "merge", "primary_key": ["id"]}
    by_parquet.file("landing/orders.csv", "id,amount\n1,10\n2,20\n")
    load(by_parquet, merged)
    by_parquet.file("landing/orders.csv", "id,amount\n2,21\n3,30\n")
    load(by_parquet, merged)
    assert orders(by_parquet) == [(1, 10), (2, 21), (3, 30)]


def test_replace_empties_a_table_whose_file_is_empty(by_parquet):
    by_parquet.file("landing/orders.csv", "id,amount\n1,10\n")
    load(by_parquet, ORDERS)
    by_parquet.file("landing/orders.csv", "id,amount\n")
    assert load(by_parquet, ORDERS)["raw/orders"]["dagster/row_count"] == 0


def test_a_file_without_rows_makes_the_table(by_parquet):
    by_parquet.file("landing/orders.csv", "id,amount\n")
    assert load(by_parquet, ORDERS)["raw/orders"]["dagster/row_count"] == 0


def test_every_engine_names_a_format_that_can_be_written():
    from components.ingestion.loading import _LOAD_FILES
    from components.warehouse.engines.base import Engine

    def all_of(engine: type[Engine]) -> set[type[Engine]]:
        return {engine}.union(*map(all_of, engine.__subclasses__()))

    for name in ("bigquery", "databricks", "motherduck", "postgres", "redshift", "snowflake"):
        __import__(f"components.warehouse.engines.{name}")
    named = {engine.load_format for engine in all_of(Engine) if hasattr(engine, "load_format")}
    assert named == {"model", "csv", "parquet", "insert_values"}
    assert named - {"insert_values"} == set(_LOAD_FILES)  # rows in INSERT statements need no file
