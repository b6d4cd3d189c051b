import datetime as dt
import hashlib
import json
from decimal import Decimal

import pytest

from components.activation.file_export import FileExportComponent
from components.activation.rows import read_rows, write_rows
from components.warehouse.engines.base import QueryResult
from tests.components.warehouse.project import scaffolded, starter_attributes

LIST = {"name": "watchlist", "output": "exports/watchlist.csv", "description": "Routes to watch."}
ROUTES = "SELECT * FROM (VALUES ('JFK', 3), ('EWR', 5)) AS t(origin, flights) ORDER BY origin"


def export(project, sql, **attributes):
    project.add(FileExportComponent, "watchlist", {**LIST, "sql": sql, **attributes})
    return project.materialize()["activation/watchlist"]


def text(project):
    return (project.root / "exports" / "watchlist.csv").read_bytes().decode()


def test_a_query_becomes_a_file_with_its_metadata(any_project):
    metadata = export(any_project, ROUTES)
    file = any_project.root / "exports" / "watchlist.csv"
    assert text(any_project) == "origin,flights\r\nEWR,5\r\nJFK,3\r\n"
    assert metadata["dagster/row_count"] == 2
    assert metadata["bytes"] == file.stat().st_size
    assert metadata["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert metadata["path"] == str(file)
    assert metadata["changed"] is True
    assert export(any_project, ROUTES)["changed"] is False


def test_the_asset_says_what_changed(any_project):
    def changes(sql):
        metadata = export(any_project, sql, primary_key=["origin"])
        return [metadata[name] for name in ("rows_added", "rows_removed", "rows_changed", "changed")]

    assert changes(ROUTES) == [2, 0, 0, True]
    assert changes(ROUTES) == [0, 0, 0, False]
    assert changes("SELECT * FROM (VALUES ('JFK', 4), ('LGA', 1)) AS t(origin, flights)") == [1, 1, 1, True]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_every_format_says_what_changed(any_project, suffix):
    file = f"exports/watchlist.{suffix}"
    export(any_project, ROUTES, primary_key=["origin"], output=file)
    metadata = export(any_project, ROUTES.replace("3", "4"), primary_key=["origin"], output=file)
    assert [metadata[name] for name in ("rows_added", "rows_removed", "rows_changed")] == [0, 0, 1]


def test_json_lines_keep_numbers_and_nothing(any_project):
    sql = "SELECT 'ü' AS name, 1.25 AS share, 7 AS n, DATE '2024-02-29' AS day, CAST(NULL AS int) AS none, true AS ok"
    export(any_project, sql, output="exports/watchlist.jsonl")
    [line] = (any_project.root / "exports" / "watchlist.jsonl").read_text(encoding="utf-8").splitlines()
    assert '"ü"' in line
    assert json.loads(line) == {"name": "ü", "share": 1.25, "n": 7, "day": "2024-02-29", "none": None, "ok": True}


def test_parquet_keeps_types(any_project):
    import duckdb

    sql = (
        "SELECT 'x' AS name, CAST(1.25 AS decimal(6,2)) AS share, 7 AS n, DATE '2024-02-29' AS day, "
        "CAST('2024-01-01 05:00:00+00' AS timestamptz) AS at, true AS ok, CAST(0.5 AS double precision) AS half"
    )
    export(any_project, sql, output="exports/watchlist.parquet")
    rows = duckdb.execute(f"FROM '{any_project.root / 'exports' / 'watchlist.parquet'}'").fetchall()
    types = [
        row[1]
        for row in duckdb.execute(f"DESCRIBE FROM '{any_project.root / 'exports' / 'watchlist.parquet'}'").fetchall()
    ]
    assert types == ["VARCHAR", "DECIMAL(38,2)", "BIGINT", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN", "DOUBLE"]
    assert rows[0][:4] == ("x", Decimal("1.25"), 7, dt.date(2024, 2, 29))
    assert rows[0][4].timestamp() == dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_no_cell(tmp_path, start):
    file = tmp_path / "x.csv"
    write_rows(QueryResult([f"{start}head"], [(f"{start}cmd()",)]), file, "csv", escape_formulas=True)
    assert read_rows(file, "csv") == QueryResult([f"'{start}head"], [(f"'{start}cmd()",)])
    write_rows(QueryResult(["head"], [(f"{start}cmd()",)]), file, "csv", escape_formulas=False)
    assert read_rows(file, "csv").rows == [(f"{start}cmd()",)]


def test_numbers_below_zero_stay_numbers(any_project):
    export(any_project, "SELECT -5 AS delay, CAST(-1.50 AS decimal(6,2)) AS share, '-x' AS note")
    assert text(any_project) == "delay,share,note\r\n-5,-1.50,'-x\r\n"


def test_escaping_may_be_turned_off(any_project):
    export(any_project, "SELECT '=1' AS note", escape_formulas=False)
    assert text(any_project) == "note\r\n=1\r\n"


def test_quotes_spaces_and_line_breaks_come_back_as_they_were(tmp_path):
    rows = [('say "hi", you', " spaced ", "two\nlines", "ünï 🦆", ""), ("", "x;y", "tab\there", "'", "null")]
    for file_format in ("csv", "jsonl"):
        file = tmp_path / f"x.{file_format}"
        write_rows(QueryResult(["a", "b c", "d", "e", "f"], rows), file, file_format, escape_formulas=True)
        assert read_rows(file, file_format) == QueryResult(["a", "b c", "d", "e", "f"], rows)


def test_a_query_that_fails_leaves_the_old_file_and_names_itself(any_project):
    export(any_project, ROUTES)
    before = text(any_project)
    folder = any_project.add(FileExportComponent, "watchlist", {**LIST, "sql": "SELECT * FROM absent"})
    message = any_project.failure()
    assert message.startswith(f"activation/watchlist ({folder / 'defs.yaml'}): ")
    assert "absent" in message
    assert text(any_project) == before
    assert [path.name for path in (any_project.root / "exports").iterdir()] == ["watchlist.csv"]


def test_a_write_that_breaks_off_leaves_the_old_file(project, monkeypatch):
    export(project, ROUTES)
    before = text(project)

    def break_off(result, file, *_, **__):
        file.write_text("half")
        raise OSError("No space left on device")

    monkeypatch.setattr("components.activation.file_export.write_rows", break_off)
    with pytest.raises(OSError, match="No space left"):
        project.materialize()
    assert text(project) == before
    assert [path.name for path in (project.root / "exports").iterdir()] == ["watchlist.csv"]


def test_an_unreadable_older_file_is_replaced(project):
    project.file("exports/watchlist.csv", b"\xff\xfe\x00 not ours")
    assert export(project, ROUTES, primary_key=["origin"])["rows_added"] == 2


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 AS n", "primary_key 'origin' is no column of the query; it has: n"),
        ("SELECT 'JFK' AS origin UNION ALL SELECT 'JFK'", "primary_key ['origin'] has ('JFK',) more than once"),
    ],
)
def test_a_key_that_is_none_is_named(project, sql, expected):
    project.add(FileExportComponent, "watchlist", {**LIST, "sql": sql, "primary_key": ["origin"]})
    assert expected in project.failure()
    assert not (project.root / "exports").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"output": "exports/watchlist.xlsx"}, "output: 'exports/watchlist.xlsx' does not match"),
        (
            {"output": "/etc/watchlist.csv"},
            "output: '/etc/watchlist.csv' is not valid; expected a path below the project",
        ),
        ({"output": "../watchlist.csv"}, "output: '../watchlist.csv' is not valid; expected a path below the project"),
        ({"output": "C:/watchlist.csv"}, "output: 'C:/watchlist.csv' is not valid; expected a path below the project"),
        ({"name": "Watch List"}, "name: 'Watch List' does not match"),
        ({"sql": None}, "expected one of sql and sql_file, not neither"),
        ({"sql": "SELECT '{{ '{{ partition.key }}' }}'"}, "the SQL uses partition"),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(project, change, expected):
    project.add(FileExportComponent, "watchlist", {**LIST, "sql": ROUTES, **change})
    assert expected in project.load_error()


def test_the_spec_says_what_the_policy_asks_for(project):
    attributes = {
        "owners": ["team:data"],
        "group": "activation",
        "tags": {"domain": "flights"},
        "depends_on": ["marts/routes"],
    }
    project.add(FileExportComponent, "watchlist", {**LIST, "sql": ROUTES, **attributes})
    spec = project.spec("activation/watchlist")
    assert (spec.owners, spec.group_name, spec.description) == (["team:data"], "activation", "Routes to watch.")
    assert spec.tags["domain"] == "flights"
    assert spec.kinds == {"file", "csv", "duckdb"}
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["marts/routes"]


def test_the_starter_lists_the_worst_routes_first(any_project):
    any_project.add(FileExportComponent, "watchlist", starter_attributes("activation/delay_watchlist"))
    columns = "origin, dest, dest_name, dest_lat, dest_lon, flights, delayed, delayed_share, avg_arr_delay_minutes"
    routes = (
        "('JFK', 'AAA', 'Aville', 1.5, 2.5, 200, 50, CAST(0.25 AS double precision), CAST(7.26 AS double precision)), "
        "('EWR', 'BBB', '=Bville', 1.5, 2.5, 400, 200, 0.5, 30), ('LGA', 'CCC', 'Rarely', 1.5, 2.5, 99, 99, 1, 99)"
    )
    table = f"CREATE TABLE marts.route_performance AS SELECT * FROM (VALUES {routes}) AS t({columns})"
    any_project.warehouse.execute("CREATE SCHEMA marts", table)
    any_project.materialize()
    lines = (any_project.root / "exports" / "delay_watchlist.csv").read_text().splitlines()
    assert lines == [
        "origin,dest,dest_name,flights,delayed,delayed_percent,avg_arr_delay_minutes",
        "EWR,BBB,'=Bville,400,200,50.0,30.0",
        "JFK,AAA,Aville,200,50,25.0,7.3",
    ]


def test_the_scaffolder_writes_what_materialises(project):
    project.warehouse.execute("CREATE SCHEMA marts", "CREATE TABLE marts.example AS SELECT 1 AS id")
    attributes = scaffolded(FileExportComponent, project._sandbox.defs_folder_path / "made", name="made")
    assert attributes["output"] == "exports/made.csv"
    assert project.materialize("activation/made")["activation/made"]["dagster/row_count"] == 1
