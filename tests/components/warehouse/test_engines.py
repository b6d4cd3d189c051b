import threading

import pytest

from components.warehouse.engines.base import Engine, WarehouseError, subselect
from components.warehouse.engines.duckdb import LocalDuckDB
from components.warehouse.engines.postgres import Postgres


@pytest.fixture
def postgres(postgres_database, tmp_path) -> Postgres:
    return Postgres(tmp_path)


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request, tmp_path, monkeypatch) -> Engine:
    monkeypatch.delenv("WAREHOUSE_DUCKDB_FILE", raising=False)
    if request.param == "duckdb":
        return LocalDuckDB(tmp_path)
    return request.getfixturevalue("postgres")


def test_times_are_utc_whatever_the_machine_says(engine, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.setenv("PGTZ", "America/New_York")
    [[text]] = engine.query("SELECT CAST(CAST('2013-01-01 10:00:00+00' AS timestamptz) AS varchar)").rows
    assert text == "2013-01-01 10:00:00+00"


def test_statements_are_run_all_or_none(engine):
    with pytest.raises(WarehouseError, match="absent"):
        engine.execute("CREATE TABLE kept (a int)", "INSERT INTO absent VALUES (1)")
    assert engine.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'kept'").rows == [(0,)]


@pytest.mark.parametrize(
    ("query", "bare"),
    [
        ("SELECT ';' AS a ;\n", "SELECT ';' AS a"),
        ("-- first\nSELECT 1 -- last", "-- first\nSELECT 1"),
        ("SELECT '--' AS a; -- the end;\n/* ; */ ;", "SELECT '--' AS a"),
        ("SELECT 'it''s; ' AS \"a;b\"", "SELECT 'it''s; ' AS \"a;b\""),
        ("SELECT $x$;$x$ || E'\\';'", "SELECT $x$;$x$ || E'\\';'"),
    ],
)
def test_a_query_loses_only_what_follows_it(query, bare):
    assert subselect(query) == bare


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT 1; DROP TABLE x", "more follows its semicolon: DROP TABLE x"),
        ("-- nothing", "there is none"),
    ],
)
def test_anything_but_one_query_is_refused(query, reason):
    with pytest.raises(WarehouseError, match=reason):
        subselect(query)


def test_names_with_quotes_and_capitals_stay_as_they_are(engine):
    engine.replace_table('My "schema"', "It's; DROP", "SELECT 1 AS n")
    assert engine.relation_type('My "schema"', "It's; DROP") == "table"
    relation = engine.qualify('My "schema"', "It's; DROP")
    assert engine.query(f"SELECT n FROM {relation}").rows == [(1,)]


def test_readers_see_a_whole_table_all_the_time(engine):
    engine.replace_table("marts", "numbers", "SELECT * FROM generate_series(1, 1000) AS s(n)")
    counts, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            counts.add(engine.query("SELECT count(*) FROM marts.numbers").rows[0][0])

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        engine.replace_table("marts", "numbers", "SELECT * FROM generate_series(1, 1000) AS s(n)")
    stop.set()
    reader.join()
    assert counts == {1000}


def test_threads_may_open_and_close_at_the_same_time(engine):
    failures = []

    def use():
        try:
            for _ in range(100):
                engine.query("SELECT 1")
        except WarehouseError as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.postgres
def test_grants_and_views_on_a_table_of_the_same_shape_stay(postgres):
    postgres.replace_table("marts", "numbers", "SELECT 1 AS n")
    postgres.execute("CREATE VIEW marts.doubled AS SELECT n * 2 AS n FROM marts.numbers")
    postgres.execute("GRANT SELECT ON marts.numbers TO pg_monitor")
    postgres.replace_table("marts", "numbers", "SELECT 21 AS n")
    assert postgres.query("SELECT n FROM marts.doubled").rows == [(42,)]
    granted = postgres.query("SELECT has_table_privilege('pg_monitor', 'marts.numbers', 'SELECT')")
    assert granted.rows == [(True,)]


@pytest.mark.postgres
def test_a_view_that_stands_in_the_way_of_a_new_shape_is_named(postgres):
    postgres.replace_table("marts", "numbers", "SELECT 1 AS n")
    postgres.execute("CREATE VIEW marts.doubled AS SELECT n * 2 AS n FROM marts.numbers")
    with pytest.raises(WarehouseError, match=r"view marts\.doubled depends on table marts\.numbers"):
        postgres.replace_table("marts", "numbers", "SELECT 'x' AS letter")
    assert postgres.query("SELECT n FROM marts.numbers").rows == [(1,)]
