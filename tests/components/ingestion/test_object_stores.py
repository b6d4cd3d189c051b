"""Files of object stores arrive in the warehouse, each once where only new ones are asked for."""

import gzip

import pytest

from components.ingestion.file_source import FileSourceComponent

ORDERS = {"name": "orders", "file": "orders/*", "format": "csv", "description": "Orders."}
NEW = {**ORDERS, "write_disposition": "append", "only_new": "name"}
CHANGED = {**ORDERS, "write_disposition": "merge", "primary_key": ["id"], "only_new": "content"}


def add(project, store, *tables, **source):
    project.file("policy.yaml", "version: 1\n")
    given = {"url": store.url, "credentials": store.credentials, **source}
    project.add(FileSourceComponent, "ingestion/landing", {"source": given, "tables": list(tables)})


def load(project, store, *tables, **source):
    add(project, store, *tables, **source)
    return project.materialize()


def failure(project, store, *tables, **source):
    add(project, store, *tables, **source)
    return project.failure()


def orders(project):
    return project.rows("SELECT id, amount FROM raw.orders ORDER BY id, amount")


def parquet(tmp_path, sql: str) -> bytes:
    import duckdb

    duckdb.execute(f"COPY ({sql}) TO '{tmp_path / 'file.parquet'}' (FORMAT parquet)")
    return (tmp_path / "file.parquet").read_bytes()


def files_arrive_once(project, store, tmp_path) -> None:
    """CSV, JSON Lines and Parquet by pattern, compressed too; then a new file, and a file that changed."""
    store.put("orders/1.csv", b"id,amount\n1,10\n")
    store.put("orders/2.csv.gz", gzip.compress(b"id,amount\n2,20\n"))
    store.put("people/2024/1.jsonl.gz", gzip.compress('{"id": 1, "name": "Zoë"}\n'.encode()))
    store.put("stock.parquet", parquet(tmp_path, "SELECT 1 AS id, 2.50::DECIMAL(6, 2) AS price"))
    people = {"name": "people", "file": "people/**/*.jsonl.gz", "description": "People."}
    stock = {"name": "stock", "file": "stock.parquet", "description": "Stock."}
    changed = {**CHANGED, "name": "changed"}

    metadata = load(project, store, NEW, changed, people, stock)
    assert metadata["raw/orders"]["files"] == ["1.csv", "2.csv.gz"]
    assert orders(project) == [(1, 10), (2, 20)]
    assert project.rows("SELECT id, name FROM raw.people") == [(1, "Zoë")]
    assert project.rows("SELECT CAST(price AS VARCHAR) FROM raw.stock") == [("2.50",)]

    store.put("orders/1.csv", b"id,amount\n1,11\n")
    store.put("orders/3.csv", b"id,amount\n3,30\n")
    metadata = project.materialize("raw/orders", "raw/changed")
    assert (metadata["raw/orders"]["files"], metadata["raw/changed"]["files"]) == (["3.csv"], ["1.csv", "3.csv"])
    assert orders(project) == [(1, 10), (2, 20), (3, 30)]
    assert project.rows("SELECT id, amount FROM raw.changed ORDER BY id") == [(1, 11), (2, 20), (3, 30)]

    metadata = project.materialize("raw/orders", "raw/changed")
    assert [metadata[f"raw/{name}"]["rows_loaded"] for name in ("orders", "changed")] == [0, 0]
    assert metadata["raw/orders"]["dagster/row_count"] == 3


@pytest.mark.slot("modern-data", "files/s3", "fake")
def test_s3_files_arrive_once(project, s3, tmp_path):
    files_arrive_once(project, s3, tmp_path)


@pytest.mark.slot("modern-data", "files/gcs", "fake")
def test_google_cloud_storage_files_arrive_once(project, gcs, tmp_path):
    files_arrive_once(project, gcs, tmp_path)


@pytest.mark.e2e
@pytest.mark.slot("modern-data", "files/adls", "server")
def test_azure_files_arrive_once(project, adls, tmp_path):
    files_arrive_once(project, adls, tmp_path)


@pytest.mark.parametrize("store", ["s3", "gcs", pytest.param("adls", marks=pytest.mark.e2e)])
def test_what_is_not_there_is_named(request, project, store):
    made = request.getfixturevalue(store)
    made.put("sales.csv", b"id\n1\n")
    message = failure(project, made, ORDERS)
    assert message == f"table 'orders': no file 'orders/*' in {made.url} (there is: sales.csv)."
    nowhere = made.url.replace("landing", "no-such-place", 1)
    assert f"has no {nowhere}, or does not show it to this login" in failure(project, made, ORDERS, url=nowhere)
