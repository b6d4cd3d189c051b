import threading

import pytest

from components.warehouse.engines.base import Column, Engine, QueryResult, WarehouseError, subselect
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


def test_a_query_gives_columns_and_rows(engine):
    assert engine.query("SELECT 1 AS one, 'x' AS letter") == QueryResult(["one", "letter"], [(1, "x")])


def test_times_are_utc_whatever_the_machine_says(engine, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.setenv("PGTZ", "America/New_York")
    [[text]] = engine.query("SELECT CAST(CAST('2013-01-01 10:00:00+00' AS timestamptz) AS varchar)").rows
    assert text == "2013-01-01 10:00:00+00"


def test_statements_are_run_all_or_none(engine):
    with pytest.raises(WarehouseError, match="absent"):
        engine.execute("CREATE TABLE kept (a int)", "INSERT INTO absent VALUES (1)")
    assert engine.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'kept'").rows == [(0,)]


def test_a_table_is_made_and_replaced(engine):
    engine.replace_table("marts", "numbers", "SELECT 1 AS n")
    engine.replace_table("marts", "numbers", "SELECT 2 AS n")
    assert engine.query("SELECT * FROM marts.numbers").rows == [(2,)]
    assert engine.columns("marts", "numbers") == [Column("n", engine.columns("marts", "numbers")[0].type)]


def test_a_replaced_table_may_read_itself(engine):
    engine.replace_table("marts", "numbers", "SELECT 1 AS n")
    engine.replace_table("marts", "numbers", "SELECT n + 1 AS n FROM marts.numbers")
    assert engine.query("SELECT n FROM marts.numbers").rows == [(2,)]


def test_a_table_may_change_its_columns(engine):
    engine.replace_table("marts", "numbers", "SELECT 1 AS n")
    engine.replace_table("marts", "numbers", "SELECT 'a' AS letter, 2.5 AS n")
    assert [column.name for column in engine.columns("marts", "numbers")] == ["letter", "n"]


def test_a_table_becomes_a_view_and_a_table_again(engine):
    kinds = [engine.relation_type("marts", "numbers")]
    for replace in (engine.replace_table, engine.replace_view, engine.replace_view, engine.replace_table):
        replace("marts", "numbers", "SELECT 1 AS n")
        kinds.append(engine.relation_type("marts", "numbers"))
    assert kinds == [None, "table", "view", "view", "table"]


def test_a_view_may_change_its_columns(engine):
    engine.replace_view("marts", "numbers", "SELECT 1 AS n")
    engine.replace_view("marts", "numbers", "SELECT 'x' AS letter")
    assert engine.query("SELECT * FROM marts.numbers") == QueryResult(["letter"], [("x",)])


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


def test_a_query_that_fails_leaves_the_old_table(engine):
    engine.replace_table("marts", "numbers", "SELECT 1 AS n")
    with pytest.raises(WarehouseError, match="absent"):
        engine.replace_table("marts", "numbers", "SELECT * FROM absent")
    assert engine.query("SELECT n FROM marts.numbers").rows == [(1,)]


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


def test_rows_inside_a_condition_are_replaced_and_others_stay(engine):
    engine.replace_rows("marts", "days", "SELECT 1 AS day, 'a' AS v", "day = 1")
    engine.replace_rows("marts", "days", "SELECT 2 AS day, 'b' AS v", "day = 2")
    engine.replace_rows("marts", "days", "SELECT 1 AS day, 'c' AS v", "day = 1")
    assert engine.query("SELECT day, v FROM marts.days ORDER BY day").rows == [(1, "c"), (2, "b")]


def test_rows_outside_the_condition_are_refused(engine):
    with pytest.raises(WarehouseError, match="1 rows of the query are not where day = 1"):
        engine.replace_rows("marts", "days", "SELECT 2 AS day", "day = 1")
    assert engine.relation_type("marts", "days") is None


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
