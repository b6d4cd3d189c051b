"""Types and formats of files: what is found, what is declared, and what stays as it is."""

import datetime as dt
import zipfile

import pytest

from tests.components.ingestion.test_loading import ORDERS, load, orders


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
