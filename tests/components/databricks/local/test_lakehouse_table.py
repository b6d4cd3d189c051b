"""Tables kept by a query, on this machine: how rows come, what columns may change, and what is written beside them."""

from typing import Any

import pytest

from components.databricks import LakehouseTableComponent
from tests.components.databricks.local.project import LakehouseProject, failure, metadata
from tests.components.warehouse.project import scaffolded


def add(project: LakehouseProject, sql: str | None, **attributes: Any) -> None:
    given = {"key": "gold/days", "description": "One row a day.", **({"sql": sql} if sql else {}), **attributes}
    files = {name: given.pop(name) for name in list(given) if "__" in name}
    project.add(LakehouseTableComponent, "days", given, **files)


def days(*rows: tuple[int, str]) -> str:
    return "SELECT * FROM VALUES " + ", ".join(f"({day}, '{word}')" for day, word in rows) + " AS v(day, word)"


@pytest.mark.slot("databricks", "delta-iceberg/delta", "embedded")
def test_a_table_is_replaced_and_its_older_versions_can_still_be_read(project: LakehouseProject):
    add(project, days((1, "a")))
    first = metadata(project.run(), "gold/days")
    add(project, days((2, "b"), (3, "c")))
    second = metadata(project.run(), "gold/days")

    assert project.table("gold.days") == [(2, "b"), (3, "c")]
    assert project.table("gold.days", version=first["version"]) == [(1, "a")]
    assert second["version"] > first["version"]
    assert second["dagster/row_count"] == 2


def test_rows_are_appended(project: LakehouseProject):
    add(project, days((1, "a")), mode="append")
    project.run()
    project.run()

    assert project.table("gold.days") == [(1, "a"), (1, "a")]


def test_rows_are_merged_by_their_keys(project: LakehouseProject):
    add(project, days((1, "a"), (2, "b")), mode="merge", merge_keys=["day"])
    project.run()
    add(project, days((2, "new"), (3, "c")), mode="merge", merge_keys=["day"])
    result = project.run()

    assert result.success
    assert project.table("gold.days") == [(1, "a"), (2, "new"), (3, "c")]


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_what_was_never_empty_may_be_empty_later(project: LakehouseProject, mode: str):
    how = {"mode": mode, **({"merge_keys": ["day"]} if mode == "merge" else {})}
    add(project, "SELECT 1 AS day, 'a' AS word", **how)
    project.run()
    add(project, "SELECT 2 AS day, CAST(NULL AS STRING) AS word", **how)
    result = project.run()

    assert result.success
    assert project.table("gold.days") == [(1, "a"), (2, None)]


def test_only_the_partitions_that_the_query_has_are_replaced(project: LakehouseProject):
    how = {"mode": "overwrite_partitions", "partition_by": ["day"]}
    add(project, days((1, "a"), (2, "b"), (2, "bb")), **how)
    project.run()
    add(project, days((2, "new"), (3, "c")), **how)
    result = project.run()

    assert result.success
    assert project.table("gold.days", "day", "word") == [(1, "a"), (2, "new"), (3, "c")]
    assert (project.lakehouse / "tables/main/gold/days/day=1").is_dir()


@pytest.mark.parametrize("mode", ["replace", "append", "merge"])
def test_other_columns_are_refused_by_name_and_the_table_stays(project: LakehouseProject, mode: str):
    how = {"mode": mode, **({"merge_keys": ["day"]} if mode == "merge" else {})}
    add(project, days((1, "a")), **how)
    project.run()
    add(project, "SELECT 2 AS day, 'b' AS word, true AS sunny", **how)

    told = failure(project.run())

    assert "defs.yaml: gold/days" in told
    assert "main.gold.days: the columns changed: sunny boolean is new" in told
    assert project.table("gold.days") == [(1, "a")]


@pytest.mark.parametrize(
    ("mode", "rows"), [("append", [(1, "a", None), (2, "b", True)]), ("replace", [(2, "b", True)])]
)
def test_new_columns_are_taken_where_they_may_be(project: LakehouseProject, mode: str, rows: list[tuple]):
    add(project, days((1, "a")), mode=mode, schema_changes="evolve")
    project.run()
    add(project, "SELECT 2 AS day, 'b' AS word, true AS sunny", mode=mode, schema_changes="evolve")

    told = metadata(project.run(), "gold/days")

    assert told["schema_changes"] == "sunny boolean is new"
    assert project.table("gold.days", "day", "word", "sunny") == rows


def test_a_merge_takes_new_columns_too(project: LakehouseProject):
    how = {"mode": "merge", "merge_keys": ["day"], "schema_changes": "evolve"}
    add(project, days((1, "a"), (2, "b")), **how)
    project.run()
    add(project, "SELECT 2 AS day, 'bb' AS word, true AS sunny", **how)

    assert project.run().success
    assert project.table("gold.days", "day", "word", "sunny") == [(1, "a", None), (2, "bb", True)]


def test_a_column_of_another_type_is_refused_in_any_case(project: LakehouseProject):
    add(project, days((1, "a")), mode="append", schema_changes="evolve")
    project.run()
    add(project, "SELECT 'two' AS day, 'b' AS word", mode="append", schema_changes="evolve")

    assert "day was int and is string" in failure(project.run())


def test_comments_and_properties_stand_in_the_table(project: LakehouseProject):
    from deltalake import DeltaTable

    add(project, days((1, "a")), columns={"day": "The day."}, properties={"quality": "gold"})
    told = metadata(project.run(), "gold/days")

    table = DeltaTable(project.lakehouse / "tables/main/gold/days")
    [day, _word] = table.schema().fields
    assert table.metadata().description == "One row a day."
    assert table.metadata().configuration["quality"] == "gold"
    assert day.metadata["comment"] == "The day."
    assert told["dagster/column_schema"].columns[0].description == "The day."


def test_what_the_query_reads_is_upstream(project: LakehouseProject):
    add(project, "WITH x AS (SELECT * FROM silver.a) SELECT * FROM x JOIN b USING (id)", depends_on=["landing/c"])

    parents = {dep.asset_key.to_user_string() for dep in project.spec("gold/days").deps}

    assert parents == {"silver/a", "gold/b", "landing/c"}


def test_python_gives_the_rows(project: LakehouseProject):
    code = "def rows(spark):\n    return spark.range(3)\n"
    add(project, None, python_file="days.py", days__py=code)

    assert project.run().success
    assert project.table("gold.days") == [(0,), (1,), (2,)]


@pytest.mark.slot("databricks", "delta-iceberg/iceberg", "embedded")
def test_an_iceberg_table_is_made_appended_to_and_evolved(project: LakehouseProject):
    from pyiceberg.catalog.sql import SqlCatalog

    how = {"format": "iceberg", "mode": "append", "schema_changes": "evolve", "properties": {"quality": "gold"}}
    add(project, days((1, "a")), **how)
    first = metadata(project.run(), "gold/days")
    add(project, "SELECT 2 AS day, 'b' AS word, true AS sunny", **how)
    second = metadata(project.run(), "gold/days")

    catalog = SqlCatalog("main", uri=f"sqlite:///{project.lakehouse / 'iceberg/catalog.db'}")
    table = catalog.load_table(("gold", "days"))
    old = table.scan(snapshot_id=int(first["snapshot"])).to_arrow()
    assert table.scan().to_arrow().sort_by("day").to_pylist() == [
        {"day": 1, "word": "a", "sunny": None},
        {"day": 2, "word": "b", "sunny": True},
    ]
    assert len(old) == 1
    assert table.properties["quality"] == "gold"
    assert second["schema_changes"] == "sunny is new"


def test_iceberg_refuses_other_columns_and_replaces_rows(project: LakehouseProject):
    add(project, days((1, "a")), format="iceberg")
    project.run()
    add(project, days((2, "b")), format="iceberg")
    assert metadata(project.run(), "gold/days")["dagster/row_count"] == 1
    add(project, "SELECT 2 AS day", format="iceberg")

    assert "main.gold.days: the columns changed: word is gone" in failure(project.run())


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"mode": "merge"}, "merge_keys: expected columns with mode merge"),
        ({"mode": "overwrite_partitions"}, "partition_by: expected columns with mode overwrite_partitions"),
        ({"format": "iceberg", "mode": "merge", "merge_keys": ["day"]}, "mode: merge is for format delta"),
        ({"sql": "SELECT 1 +\nFROM x y z"}, "defs.yaml:2:"),
        ({"sql_file": "days.sql"}, "expected one of sql and sql_file, not both"),
    ],
)
def test_attributes_that_do_not_fit_are_refused_when_they_load(
    project: LakehouseProject, attributes: dict[str, Any], words: str
):
    add(project, **{"sql": days((1, "a")), **attributes})

    assert words in project.load_error()


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"columns": {"dya": "x"}}, "columns: no column dya; the query has: day, word"),
        ({"mode": "merge", "merge_keys": ["id"]}, "merge_keys: no column id; the query has: day, word"),
        (
            {"sql": days((1, "a"), (1, "b")), "mode": "merge", "merge_keys": ["day"]},
            "1 values of day have several rows",
        ),
        ({"sql": "SELECT nope FROM range(1)"}, "nope"),
    ],
)
def test_queries_that_do_not_fit_are_refused_and_make_no_table(
    project: LakehouseProject, attributes: dict[str, Any], words: str
):
    add(project, **{"sql": days((1, "a")), **attributes})

    assert words in failure(project.run())
    assert not (project.lakehouse / "tables/main/gold/days").exists()


def test_the_scaffolded_table_runs_as_it_is(project: LakehouseProject):
    folder = project._sandbox.defs_folder_path / "first"
    attributes = scaffolded(LakehouseTableComponent, folder, key="gold/first")
    assert attributes["sql_file"] == "first.sql"

    assert project.run().success
    assert project.table("gold.first") == [(1, "first")]
