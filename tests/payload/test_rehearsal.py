"""The rehearsal names SQL that a warehouse does not know, with its line, and says the rest in DuckDB's words."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from tests.rendering import ROOT


@pytest.fixture(scope="module")
def tools() -> ModuleType:
    """The module of the payload's tools."""
    folder = str(ROOT / "templates" / "modern-data" / "tools")
    sys.path.insert(0, folder)
    yield importlib.import_module("rehearse_sql")
    sys.path.remove(folder)


NOT_PORTABLE = {
    ("bigquery", "d::date"): "a cast by :: is no BigQuery SQL",
    ("bigquery", "cast(d as varchar)"): "bigquery has no type VARCHAR",
    ("bigquery", "extract(isodow from d)"): "bigquery extracts no isodow",
    ("redshift", "cast(d as string)"): "redshift has no type STRING",
    ("redshift", "extract(isodow from d)"): "redshift extracts no isodow",
    ("snowflake", "extract(isodow from d)"): "snowflake extracts no isodow",
    ("snowflake", "list_aggregate(d, 'sum')"): "snowflake is not known to have a function list_aggregate",
    ("databricks", "list_aggregate(d, 'sum')"): "databricks is not known to have a function list_aggregate",
    ("databricks", "cast(d as text)"): "databricks has no type TEXT",
    ("postgres", "cast(d as double)"): "postgres has no type DOUBLE",
    ("snowflake", "sum(d"): "not snowflake SQL",
}
PORTABLE = {
    ("bigquery", "cast(d as string)"),
    ("bigquery", "extract(month from d)"),
    ("redshift", "cast(d as varchar)"),
    ("redshift", "cast(d as double precision)"),
    ("snowflake", "extract(dayofweek_iso from d)"),
    ("databricks", "cast(d as string)"),
    ("postgres", "d::text"),
    ("postgres", "d as text"),
}


@pytest.mark.parametrize(("place", "expected"), NOT_PORTABLE.items())
def test_sql_that_the_warehouse_does_not_know_is_named_with_file_and_line(tools, tmp_path, place, expected):
    dialect, expression = place
    model = tmp_path / "model.sql"
    model.write_text(f"select\n    1 as one,\n    {expression} as it\nfrom days\n")
    faults = tools.Faults()
    assert tools.portable_query(model.read_text(), dialect, model, faults) is None
    assert any(expected in fault and fault.startswith(f"{model}:") for fault in faults.found), faults.found
    if "(d" in expression and ")" in expression:
        assert faults.found[0].startswith(f"{model}:3: ")


@pytest.mark.parametrize("place", sorted(PORTABLE))
def test_sql_that_the_warehouse_knows_passes(tools, tmp_path, place):
    dialect, expression = place
    faults = tools.Faults()
    assert tools.portable_query(f"select {expression} from days", dialect, tmp_path / "model.sql", faults)
    assert faults.found == []


def test_two_runs_are_compared_row_by_row_and_number_by_number(tools, tmp_path):
    data = importlib.import_module("rehearse_data")
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("CREATE TABLE marts.t AS SELECT * FROM (VALUES (1, 0.5), (2, 1.5)) v(a, x)")
        connection.execute("ALTER TABLE marts.t ALTER x TYPE DOUBLE")
    cases = {
        "SELECT a, x FROM marts.t": [],
        "SELECT a, x + 1e-9 AS x FROM marts.t": [],
        "SELECT a, 2.0::DOUBLE - x AS x FROM marts.t": ["column x has other values than in the local run"],
        "SELECT a FROM marts.t": ["gives the columns a; here it is a, x"],
        "SELECT * FROM marts.t WHERE a = 1": ["gives 0 rows that the local run has not, and lacks 1 that it has"],
        "SELECT absent FROM marts.t": ["fails on the local data"],
    }
    for query, expected in cases.items():
        faults = tools.Faults()
        with data.Stage(file) as stage:
            stage.build("marts", "t", query, Path("t.sql"), faults)
        assert len(faults.found) == len(expected), (query, faults.found)
        assert all(words in found for words, found in zip(expected, faults.found, strict=True)), faults.found
