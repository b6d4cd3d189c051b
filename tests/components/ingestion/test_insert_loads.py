"""Rows that go in by INSERT statements, as they must on Redshift, tried on a Postgres server."""

import pytest

from components.ingestion import FileSourceComponent
from components.warehouse.engines.postgres import Postgres

pytestmark = pytest.mark.postgres
TABLE = {"name": "orders", "description": "One row an order.", "columns": {"code": "text"}}


def source(project, **table):
    tables = [{**TABLE, "file": "orders.csv", **table}]
    project.add(FileSourceComponent, "orders", {"source": {"folder": "landing"}, "tables": tables})


def test_rows_are_inserted_and_replaced_and_merged(project, postgres_database, monkeypatch):
    monkeypatch.setattr(Postgres, "load_format", "insert_values")
    project.file("landing/orders.csv", "id,code,amount,at\n1,007,2.5,2024-01-02T03:04:05Z\n2,,,2024-01-03T00:00:00Z\n")
    source(project)
    made = project.materialize("raw/orders")
    assert made["raw/orders"]["dagster/row_count"] == 2
    project.materialize("raw/orders")
    rows = project.rows(
        "SELECT id, code, amount, at = '2024-01-02T03:04:05+00'::timestamptz FROM raw.orders ORDER BY id"
    )
    assert rows == [(1, "007", 2.5, True), (2, None, None, False)]
    project.file("landing/orders.csv", "id,code,amount,at\n2,008,4,2024-01-03T00:00:00Z\n")
    source(project, write_disposition="merge", primary_key=["id"])
    project.materialize("raw/orders")
    assert project.rows("SELECT id, code, amount FROM raw.orders ORDER BY id") == [(1, "007", 2.5), (2, "008", 4.0)]


def test_an_empty_file_empties_the_table(project, postgres_database, monkeypatch):
    monkeypatch.setattr(Postgres, "load_format", "insert_values")
    source(project)
    for content, count in (("id,code\n1,a\n", 1), ("id,code\n", 0)):
        project.file("landing/orders.csv", content)
        assert project.materialize("raw/orders")["raw/orders"]["dagster/row_count"] == count
