"""What can go wrong with a pipeline on this machine, and what is left when it did."""

import shutil
from typing import Any

import pytest

from components.databricks import DeclarativePipelineComponent
from tests.components.databricks.local.orders import add_pipeline
from tests.components.databricks.local.project import LakehouseProject, checks, failure, made


def add(project: LakehouseProject, code: str, file: str = "n.py", **attributes: Any) -> None:
    given = {"name": "n", "files": [file], "default_schema": "silver", **attributes}
    project.add(DeclarativePipelineComponent, "n", given, **{file.replace(".", "__"): code})


def python(body: str) -> str:
    return f"from pyspark import pipelines as dp\n{body}"


def test_a_broken_expectation_that_fails_the_update_leaves_the_old_tables(project: LakehouseProject):
    add_pipeline(project)
    project.run()
    project.land("b.csv", "order_id,customer,amount\n5,dan,-7\n")

    result = project.run()

    assert made(result) == {"bronze/orders"}
    assert project.table("silver.orders", "order_id") == [(1,), (2,), (3,), (4,)]
    assert project.table("gold.customers") == [("ann", 2, 50.0), ("bob", 2, 5.0)]
    assert checks(result)["silver/orders:no_debts"] == (False, 5, 1)
    told = failure(result)
    assert "orders.py:" in told
    assert "1 rows break no_debts (coalesce(amount, 0) >= 0); the table stays as it was" in told
    assert "gold.customers: not made: silver.orders was not made" in told


def test_what_does_not_read_the_failed_table_is_made(project: LakehouseProject):
    add(
        project,
        python(
            "@dp.materialized_view\n@dp.expect_or_fail('no', 'id > 0')\ndef bad():\n    return spark.range(2)\n\n"
            "@dp.materialized_view\ndef good():\n    return spark.range(2)\n"
        ),
    )

    assert made(project.run()) == {"silver/good"}


def test_a_table_that_was_dropped_behind_our_back_is_made_anew_from_all_files(project: LakehouseProject):
    add_pipeline(project)
    project.run()
    shutil.rmtree(project.lakehouse / "tables/main/bronze/orders")

    result = project.run()

    assert result.success
    assert len(project.table("bronze.orders")) == 5


def test_a_new_column_in_the_files_becomes_one_of_the_table(project: LakehouseProject):
    add_pipeline(project)
    project.run()
    project.land("b.csv", "order_id,customer,amount,note\n5,dan,7,hello\n")

    result = project.run("bronze/orders")

    assert result.success
    rows = project.table("bronze.orders", "order_id", "note")
    assert (5, "hello") in rows
    assert (1, None) in rows


def test_a_column_of_another_type_is_refused_by_name(project: LakehouseProject):
    add_pipeline(project)
    project.run()
    project.land("b.csv", "order_id,customer,amount\nfive,dan,7\n")

    told = failure(project.run("bronze/orders"))

    assert "main.bronze.orders: the columns changed: order_id was" in told
    assert len(project.table("bronze.orders")) == 5


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        ("n.py", python("@dp.table\ndef t(:\n    pass\n"), ["n.py:3: invalid syntax"]),
        (
            "n.sql",
            "CREATE MATERIALIZED VIEW a AS SELECT 1;\n\nCREATE MATERIALIZED VIEW b AS\nSELECT 1 +\nFROM x y z",
            ["n.sql:5:"],
        ),
        ("n.sql", "CREATE TABLE t (a INT)", ["n.sql:1:", "STREAMING TABLE, MATERIALIZED VIEW"]),
        (
            "n.sql",
            "CREATE STREAMING TABLE t (\n  CONSTRAINT c EXPECT (a > 0)\n  ON VIOLATION EXPLODE) AS SELECT 1 AS a",
            ["n.sql:", "ON VIOLATION EXPLODE", "DROP ROW or FAIL UPDATE"],
        ),
        (
            "n.py",
            python("import os\n\n@dp.table\ndef t():\n    return spark.read.table(os.environ['T'])\n"),
            ["n.py:6:", "not written as text", "declared in", "defs.yaml"],
        ),
        (
            "n.py",
            python("@dp.append_flow(target='nowhere')\ndef t():\n    return spark.range(1)\n"),
            ["n.py:3: a flow goes into silver.nowhere, which no file declares"],
        ),
        (
            "n.sql",
            "CREATE MATERIALIZED VIEW a AS SELECT * FROM b; CREATE MATERIALIZED VIEW b AS SELECT * FROM a",
            ["n.sql:1: data sets go in a circle: silver.a → silver.b → silver.a"],
        ),
        (
            "n.sql",
            "CREATE MATERIALIZED VIEW a AS SELECT 1;\nCREATE MATERIALIZED VIEW silver.A AS SELECT 2",
            ["n.sql:2: silver.a is declared already, at", "n.sql:1"],
        ),
        ("n.py", "print('nothing')\n", ["defs.yaml: the files declare no data set: n.py"]),
    ],
)
def test_what_cannot_be_read_is_named_with_file_and_line_when_definitions_load(
    project: LakehouseProject, file: str, code: str, words: list[str]
):
    add(project, code, file)

    told = project.load_error()

    assert [word for word in words if word not in told] == [], told


def test_a_pattern_that_fits_no_file_is_named(project: LakehouseProject):
    add(project, "SELECT 1", files=["nothing/**"])

    assert "files: 'nothing/**' fits no .py or .sql file below" in project.load_error()


def test_an_attribute_that_names_no_table_of_the_files_is_refused_with_those_there_are(project: LakehouseProject):
    add(project, python("@dp.table\ndef t():\n    return spark.range(1)\n"), depends_on={"silver.x": ["a/b"]})

    assert "depends_on: silver.x is not made by the files; expected one of silver.t" in project.load_error()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "value = 1 / 0\n@dp.table\ndef t():\n    return spark.range(1)\n",
            ["n.py:2: ZeroDivisionError: division by zero"],
        ),
        ("@dp.table\ndef t():\n    return spark.sql('SELECT nope FROM range(1)')\n", ["n.py:3:", "nope"]),
        ("@dp.table\ndef t():\n    return 5\n", ["n.py:3: the query of t gives int; expected a DataFrame"]),
        ("@dp.table\ndef t():\n    return spark.read.table('raw.gone')\n", ["n.py:3:", "gone"]),
        ("dp.create_streaming_table('t')\n", ["n.py:2: nothing feeds silver.t"]),
        (
            "@dp.table\ndef t():\n    return spark.readStream.format('kafka').load('x')\n",
            ["format 'kafka' is not valid"],
        ),
        (
            "@dp.table\ndef t():\n    return spark.readStream.format('csv').load('/Volumes/main/a/b')\n",
            ["/Volumes/main/a/b has no csv files", "put some there, or give the schema"],
        ),
    ],
)
def test_a_file_that_fails_when_it_runs_is_named_with_its_line(project: LakehouseProject, body: str, words: list[str]):
    add(project, python(body))

    told = failure(project.run())

    assert [word for word in words if word not in told] == [], told


def test_a_data_set_that_reading_did_not_find_is_not_made_silently(project: LakehouseProject):
    add(
        project,
        python(
            "@dp.table\ndef t():\n    return spark.range(1)\n\n"
            "getattr(dp, 'table')(name='hidden')(lambda: spark.range(1))\n"
        ),
    )

    assert "n.py: silver.hidden is made, which reading did not tell: name it under declared" in failure(project.run())


def test_clusters_need_an_approved_size(project: LakehouseProject):
    add(project, python("@dp.table\ndef t():\n    pass\n"), serverless=False)
    assert "compute_size: expected an approved size of policy.yaml where serverless is false" in project.load_error()

    add(project, python("@dp.table\ndef t():\n    pass\n"), serverless=False, compute_size="huge")
    assert "compute_size: 'huge' is not approved by policy.yaml; expected one of: small" in project.load_error()


def test_an_engine_that_is_not_there_says_what_it_needs(project: LakehouseProject):
    add(project, python("@dp.table\ndef t():\n    return spark.range(1)\n"), spark_engine="jvm")

    assert "spark_engine: jvm needs Apache Spark itself" in failure(project.run())


def test_a_target_that_is_no_target_is_named(project: LakehouseProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABRICKS_TARGET", "cloud")
    add(project, python("@dp.table\ndef t():\n    return spark.range(1)\n"))

    assert "DATABRICKS_TARGET: 'cloud' is not valid; expected one of local, workspace" in project.load_error()
