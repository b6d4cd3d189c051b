"""Apache Spark on Java makes the same lakehouse as Sail: one script, run by each engine by itself."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import uv

ROOT = Path(__file__).parents[4]
SCRIPT = ["-W", "ignore", "-m", "tests.components.databricks.local.engine_runs"]
# pyspark and pyspark-client hold the same module, so they never share an environment.
PACKAGES = ["pyspark==4.2.1"]
PACKAGES += [
    f"{name}=={version(name)}" for name in ("deltalake", "dagster", "pyarrow", "duckdb", "sqlglot", "psutil", "pytest")
]
# Short runs spend their time on compiling Java; the plain compiler takes half of it.
JAVA = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}

pytestmark = pytest.mark.e2e
Runs = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """What the script found, by engine."""
    isolated = [uv(), "run", "--isolated", "--no-project", "--python", sys.executable]
    isolated += [part for package in PACKAGES for part in ("--with", package)]
    found, folder = {}, tmp_path_factory.mktemp("engines")
    for engine, python in {"sail": [sys.executable], "jvm": [*isolated, "python"]}.items():
        (folder / engine).mkdir()
        command = [*python, *SCRIPT, engine, str(folder / engine)]
        environment = {**os.environ, **JAVA, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        found[engine] = json.loads((folder / f"{engine}.json").read_text())
    return found


@pytest.mark.slot("databricks", "pipelines", "embedded")
def test_a_pipeline_of_python_and_sql_gives_the_same_rows_and_expectations(runs: Runs) -> None:
    sail, jvm = runs["sail"]["pipeline"], runs["jvm"]["pipeline"]

    assert jvm["success"] is True
    assert jvm["engine"] == "Spark on this machine (jvm)"
    assert jvm["checks"]["silver/orders:has_id"] == [False, 4, 1]
    assert jvm["tables"]["gold.customers"] == [["ann", 2, 50.0], ["bob", 2, 5.0]]
    for what in ("made", "checks", "tables"):
        assert jvm[what] == sail[what]


def test_changes_are_applied_and_a_table_behind_the_pipeline_is_merged(runs: Runs) -> None:
    tables = runs["jvm"]["pipeline"]["tables"]

    assert tables["silver.latest"] == [[3, "ann"]]
    assert tables["gold.history"] == [[1, "ann", 1, 3], [2, "bob", 2, 4], [3, "ann", 3, None]]
    assert runs["jvm"]["pipeline"]["last"] == runs["sail"]["pipeline"]["last"] == [["ann", 3]]


@pytest.mark.slot("databricks", "streaming", "embedded")
def test_a_second_run_takes_the_new_file_only_and_an_expectation_that_fails_keeps_the_old_table(runs: Runs) -> None:
    first, second = runs["jvm"]["pipeline"], runs["jvm"]["pipeline"]["second"]

    assert (first["files"], second["files"]) == (1, [1, "append new files", 6])
    assert second["success"] is False
    assert "1 rows break no_debts (coalesce(amount, 0) >= 0); the table stays as it was" in second["failure"]
    assert second["no_debts"] == [False, 5, 1]
    assert second["silver"] == first["tables"]["silver.orders"]
    assert {**second, "failure": ""} == {**runs["sail"]["pipeline"]["second"], "failure": ""}


KINDS = ["columns", "types", "struct", "frame", "inside", "appended", "merged", "older", "refused", "empty"]


@pytest.mark.parametrize("what", KINDS)
def test_tables_have_the_same_types_parts_and_versions(runs: Runs, what: str) -> None:
    assert runs["jvm"]["store"][what] == runs["sail"]["store"][what]


def test_tables_are_written_in_one_commit_each_and_parted_in_folders(runs: Runs) -> None:
    store = runs["jvm"]["store"]

    assert store["versions"] == 5, "replace, a part of it, a new column, append, and two merges"
    assert store["partitioned"] == [f"part={part}" for part in (0, 1, 2, 7)]
    assert ["id=99", "late=True", "part=2", "score=1.0", "word='merged'"] in store["merged"]
    assert len(store["merged"]) == 10


def test_names_of_three_parts_are_understood_where_spark_has_one_catalog(runs: Runs) -> None:
    java = runs["jvm"]["store"]["java"]

    assert java["qualified"] == [["part=2", "word='merged'"]]
    assert "TABLE_OR_VIEW_NOT_FOUND" in java["missing"]
    assert "`bronze`.`nothing`" in java["missing"]
    assert "ParseException" in java["syntax"]


def test_what_only_delta_itself_can_read_is_refused(runs: Runs) -> None:
    java = runs["jvm"]["store"]["java"]

    assert "flights has deletionVectors, which spark_engine: jvm cannot read" in java["vectors"]
    assert "expected versionAsOf or timestampAsOf" in java["option"]


def test_a_session_leaves_no_java_and_no_files_behind(runs: Runs) -> None:
    store = runs["jvm"]["store"]

    assert store["java"]["processes"] == 1
    assert store["left"] == [["lakehouse"], [], 0]
    assert store["interrupts"] is True, "who runs the job is told of an interrupt, as before"
    assert runs["jvm"]["pipeline"]["left"] == []


def test_a_machine_without_java_is_told_what_is_needed(runs: Runs) -> None:
    said = runs["jvm"]["refusals"]

    assert said["none"] == "spark_engine: jvm needs a Java runtime, 17 or newer; there is no java in the PATH"
    assert said["broken"].startswith("spark_engine: jvm: Java did not start Spark, which needs Java 17 or newer: ")
