"""What every engine does, on all of them: a file, a server, two emulators behind the real clients, and one fake."""

import threading
from types import SimpleNamespace

import pytest

from components.ml.data import DataSource, Place
from components.warehouse.engines import production_engine
from components.warehouse.engines.base import Column, Engine, QueryResult, WarehouseError
from components.warehouse.engines.duckdb import LocalDuckDB
from tests.components.warehouse.servers import ALL_ENGINES, ENGINES


@pytest.fixture(params=ALL_ENGINES)
def engine(request, tmp_path, monkeypatch) -> Engine:
    monkeypatch.delenv("WAREHOUSE_DUCKDB_FILE", raising=False)
    if request.param == "duckdb":
        return LocalDuckDB(tmp_path)
    request.getfixturevalue(ENGINES[request.param])
    return production_engine(request.param, tmp_path)


def test_a_query_gives_columns_and_rows(engine):
    assert engine.query("SELECT 1 AS one, 'x' AS letter") == QueryResult(["one", "letter"], [(1, "x")])


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


def test_a_query_that_fails_leaves_the_old_table(engine):
    engine.replace_table("marts", "numbers", "SELECT 1 AS n")
    with pytest.raises(WarehouseError, match=r"(?i)absent"):
        engine.replace_table("marts", "numbers", "SELECT * FROM marts.absent")
    assert engine.query("SELECT n FROM marts.numbers").rows == [(1,)]


def test_rows_inside_a_condition_are_replaced_and_others_stay(engine):
    engine.replace_rows("marts", "days", "SELECT 1 AS day, 'a' AS v", "day = 1")
    engine.replace_rows("marts", "days", "SELECT 2 AS day, 'b' AS v", "day = 2")
    engine.replace_rows("marts", "days", "SELECT 1 AS day, 'c' AS v", "day = 1")
    assert engine.query("SELECT day, v FROM marts.days ORDER BY day").rows == [(1, "c"), (2, "b")]


def test_rows_outside_the_condition_are_refused_and_the_others_stay(engine):
    engine.replace_rows("marts", "kept", "SELECT 1 AS day", "day = 1")
    with pytest.raises(WarehouseError, match=r"rows of the query are not where .*day"):
        engine.replace_rows("marts", "kept", "SELECT 2 AS day", "day = 1")
    assert engine.query("SELECT day FROM marts.kept").rows == [(1,)]


def test_rows_outside_the_condition_are_refused(engine):
    with pytest.raises(WarehouseError, match=r"rows of the query are not where .*day"):
        engine.replace_rows("marts", "days", "SELECT 2 AS day", "day = 1")
    assert engine.relation_type("marts", "days") is None


def test_a_relation_that_is_not_there_has_no_kind_and_no_columns(engine):
    assert engine.relation_type("marts", "absent") is None
    assert engine.columns("marts", "absent") == []


def test_a_query_is_described_without_its_rows(engine):
    assert [column.name for column in engine.describe("SELECT 1 AS n, 'x' AS letter;")] == ["n", "letter"]
    with pytest.raises(WarehouseError, match=r"(?i)absent"):
        engine.describe("SELECT absent FROM (SELECT 1 AS n) AS numbers")


def test_the_columns_of_a_query_that_a_model_is_trained_on_are_known(engine, tmp_path):
    context = SimpleNamespace(resources=SimpleNamespace(warehouse=SimpleNamespace(engine=engine)))
    rows = DataSource(sql="SELECT 1 AS n, 'x' AS letter").opened(context, Place(tmp_path, tmp_path))
    assert [column.name for column in rows.columns()] == ["n", "letter"]
    assert all(column.type for column in rows.columns())


def test_names_of_the_users_sql_and_of_the_component_are_the_same(engine):
    engine.replace_table("marts", "numbers", "SELECT 1 AS some_number")
    assert engine.query("SELECT some_number FROM marts.numbers") == QueryResult(["some_number"], [(1,)])
    assert [column.name for column in engine.columns("marts", "numbers")] == ["some_number"]
    assert engine.query(f"SELECT {engine.quote('some_number')} FROM {engine.qualify('marts', 'numbers')}").rows == [
        (1,)
    ]


@pytest.mark.parametrize("query", ["SELECT 1; DROP TABLE x", "-- nothing"])
def test_anything_but_one_query_is_refused_by_every_engine(engine, query):
    with pytest.raises(WarehouseError, match=r"more follows its semicolon: DROP TABLE x|there is none"):
        engine.replace_table("marts", "numbers", query)


def test_values_come_back_as_python_has_them(engine):
    import datetime as dt

    [row] = engine.query(
        "SELECT 7 AS a, 'it''s' AS b, CAST('2013-01-02' AS date) AS c, CAST(NULL AS int) AS d, 1 = 1 AS e"
        if engine.name not in ("bigquery", "databricks")
        else "SELECT 7 AS a, 'it\\'s' AS b, CAST('2013-01-02' AS date) AS c, CAST(NULL AS int) AS d, 1 = 1 AS e"
    ).rows
    assert row == (7, "it's", dt.date(2013, 1, 2), None, True)


def test_a_period_takes_the_rows_of_its_moments(engine):
    select = "SELECT CAST('2013-01-01 23:59:59' AS timestamp) AS moment"
    [column] = engine.describe(select)
    inside = engine.between(column, "2013-01-01 00:00:00", "2013-01-02 00:00:00")
    engine.replace_rows("marts", "moments", select, inside)
    engine.replace_rows("marts", "moments", select, inside)
    assert engine.query("SELECT count(*) AS n FROM marts.moments").rows == [(1,)]


def test_every_engine_has_a_dlt_destination(engine, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CATALOG", "main")
    destination = engine.dlt_destination()
    assert destination.destination_name == "warehouse"
    assert destination.destination_type.rpartition(".")[2] == engine.name
    assert engine.load_format in destination.capabilities().supported_loader_file_formats


def test_a_reader_sees_a_whole_table_while_it_is_replaced(engine):
    numbers = " UNION ALL ".join(f"SELECT {number} AS n" for number in range(50))
    engine.replace_table("marts", "numbers", numbers)
    counts, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            counts.add(engine.query("SELECT count(*) AS n FROM marts.numbers").rows[0][0])

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(3):
        engine.replace_table("marts", "numbers", numbers)
    stop.set()
    reader.join()
    assert counts == {50}
