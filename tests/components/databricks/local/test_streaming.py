"""Auto Loader on this machine: each file is taken once, whatever happens in between."""

import json
from pathlib import Path

import pytest

from components.databricks import DeclarativePipelineComponent
from components.databricks.lakehouse.checkpoints import Checkpoint
from components.warehouse.lakehouse import Lakehouse, TableName
from tests.components.databricks.local.project import LakehouseProject, failure, metadata

LANDING = "/Volumes/main/landing/orders"


def add(project: LakehouseProject, *options: str, body: str = "", end: str = "") -> None:
    reading = "".join(f".option({option})" for option in options)
    code = (
        "from pyspark import pipelines as dp\n"
        "@dp.table(name='bronze.orders')\n"
        "def orders():\n"
        f"    return spark.readStream.format('cloudFiles'){reading}{body}.load('{LANDING}'){end}\n"
    )
    attributes = {"name": "n", "files": ["n.py"], "default_schema": "bronze"}
    project.add(DeclarativePipelineComponent, "n", attributes, n__py=code)


CSV = "'cloudFiles.format', 'csv'"


@pytest.mark.slot("databricks", "streaming", "embedded")
def test_each_file_is_taken_once_and_only_new_ones_are_read(project: LakehouseProject):
    add(project, CSV, end=".select('id')")
    project.land("2026/01.csv", "id\n1\n2\n")
    first = metadata(project.run(), "bronze/orders")
    project.land("2026/02.csv", "id\n3\n")
    project.land("2026/01.csv", "id\n1\n2\n99\n")  # a file is known by its name
    second = metadata(project.run(), "bronze/orders")
    third = metadata(project.run(), "bronze/orders")

    assert [told["new_files"] for told in (first, second, third)] == [1, 1, 0]
    assert [told["dagster/row_count"] for told in (first, second, third)] == [2, 3, 3]
    assert third["version"] == second["version"], "nothing new writes nothing"
    assert project.table("bronze.orders") == [("1",), ("2",), ("3",)]


def test_a_full_refresh_reads_all_files_again(project: LakehouseProject):
    add(project, CSV, end=".select('id')")
    project.land("a.csv", "id\n1\n")
    project.run()
    project.land("a.csv", "id\n7\n")

    result = project.run(pipeline_n={"full_refresh": True})

    assert result.success
    assert project.table("bronze.orders") == [("7",)]


@pytest.mark.parametrize("committed", [True, False], ids=["after the commit", "before the commit"])
def test_a_process_that_ended_around_its_commit_takes_nothing_twice_and_loses_nothing(
    project: LakehouseProject, committed: bool
):
    add(project, CSV, end=".select('id')")
    project.land("a.csv", "id\n1\n")
    version = metadata(project.run(), "bronze/orders")["version"]
    lakehouse, name = Lakehouse(project.lakehouse), TableName("main", "bronze", "orders")
    before = Checkpoint.load(lakehouse, name, version)
    new = project.land("b.csv", "id\n2\n")
    if committed:
        project.run()
    taken = {"bronze.orders": {LANDING: {**before.taken["bronze.orders"][LANDING], str(new): [5, 1]}}}
    Checkpoint(before.file, before.taken).announce(taken, version)  # the last that the process wrote

    result = project.run()

    assert result.success
    assert project.table("bronze.orders") == [("1",), ("2",)]


def test_a_failing_expectation_takes_no_file(project: LakehouseProject):
    code = (
        "from pyspark import pipelines as dp\n"
        "@dp.table(name='bronze.orders')\n"
        "@dp.expect_or_fail('known', \"id <> 'x'\")\n"
        "def orders():\n"
        f"    return spark.readStream.format('cloudFiles').option({CSV}).load('{LANDING}').select('id')\n"
    )
    attributes = {"name": "n", "files": ["n.py"], "default_schema": "bronze"}
    project.add(DeclarativePipelineComponent, "n", attributes, n__py=code)
    file = project.land("a.csv", "id\nx\n")
    assert "1 rows break known" in failure(project.run())
    file.write_text("id\n1\n")

    assert project.run().success
    assert project.table("bronze.orders") == [("1",)]


def test_text_stays_text_unless_types_are_asked_for_and_hints_win(project: LakehouseProject):
    project.land("a.csv", "id,day,amount\n007,2026-01-01,1.50\n")
    add(project, CSV)
    project.run()
    assert project.table("bronze.orders") == [("007", "2026-01-01", "1.50", None)]

    add(
        project,
        CSV,
        "'cloudFiles.inferColumnTypes', True",
        "'cloudFiles.schemaHints', 'id string, amount decimal(9,2)'",
    )
    assert project.run(pipeline_n={"full_refresh": True}).success
    [(_, _, amount, rescued)] = project.table("bronze.orders")
    assert (str(amount), rescued) == ("1.50", None)


def test_json_lines_and_a_schema_of_ones_own(project: LakehouseProject):
    project.land("a.json", json.dumps({"id": 1, "tags": ["a"]}) + "\n" + json.dumps({"id": 2, "tags": []}) + "\n")
    project.land("notes.txt", "not mine")
    add(
        project,
        "'cloudFiles.format', 'json'",
        "'pathGlobFilter', '*.json'",
        body=".schema('id INT, tags ARRAY<STRING>')",
    )

    assert project.run().success
    assert project.table("bronze.orders") == [(1, ["a"]), (2, [])]


def test_read_files_in_sql_takes_new_files_only_too(project: LakehouseProject):
    sql = (
        "CREATE OR REFRESH STREAMING TABLE orders AS\n"
        f"SELECT id + 1 AS id FROM STREAM read_files('{LANDING}', format => 'csv')"
    )
    attributes = {"name": "n", "files": ["n.sql"], "default_schema": "bronze"}
    project.add(DeclarativePipelineComponent, "n", attributes, n__sql=sql)
    project.land("a.csv", "id\n1\n")
    project.run()
    project.land("b.csv", "id\n5\n")

    told = metadata(project.run(), "bronze/orders")

    assert (told["new_files"], told["mode"]) == (1, "append new files")
    assert project.table("bronze.orders") == [(2,), (6,)]


def test_files_that_hide_are_passed_over(project: LakehouseProject, tmp_path: Path):
    from components.databricks.lakehouse.files import new_files

    for name in ("a.csv", ".hidden.csv", "_tmp/b.csv", "sub/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    present, new = new_files(tmp_path, "*.csv", {str(tmp_path / "a.csv"): [1, 1]})

    assert sorted(present) == [str(tmp_path / "a.csv"), str(tmp_path / "sub/c.csv")]
    assert new == [str(tmp_path / "sub/c.csv")]
