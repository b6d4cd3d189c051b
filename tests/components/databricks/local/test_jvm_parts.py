"""How names and tables of the lakehouse become those of a Spark that knows one catalog, and no Delta."""

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from components.databricks.lakehouse.jvm_names import SparkNames, word
from components.databricks.lakehouse.jvm_snapshot import Snapshots, UnreadableTableError
from components.warehouse.lakehouse import TableName

ODD = word("we ird")
QUERIES = {
    "SELECT * FROM orders": "SELECT * FROM orders",
    "SELECT bronze.orders.id /* main.bronze.orders */ FROM bronze.orders": None,
    "SELECT 'main.bronze.orders' FROM main.bronze.orders": (
        "SELECT 'main.bronze.orders' FROM `spark_catalog`.`bronze`.`orders`"
    ),
    "SELECT other.bronze.t.id, bronze.t.x FROM `other`.Bronze.t WHERE t.id > 1": (
        "SELECT `spark_catalog`.`other__bronze`.`t`.id, `spark_catalog`.`other__bronze`.`t`.x "
        "FROM `spark_catalog`.`other__bronze`.`t` WHERE t.id > 1"
    ),
    "WITH orders AS (SELECT 1 AS a) SELECT o.a.b.c FROM orders AS o, main.silver.orders": (
        "WITH orders AS (SELECT 1 AS a) SELECT o.a.b.c FROM orders AS o, `spark_catalog`.`silver`.`orders`"
    ),
    "SELECT `we ird`.id FROM `we ird`": (
        f"SELECT `spark_catalog`.`silver`.`{ODD}`.id FROM `spark_catalog`.`silver`.`{ODD}`"
    ),
    "SELECT * FROM `a view`": None,
    "SELECT * FROM parquet.`/data/x`": None,
    "SELECT * FROM spark_catalog.bronze.orders": None,
    "SELEC FROM FROM": None,
}


@pytest.mark.parametrize("query", QUERIES)
def test_names_of_three_parts_are_written_for_one_catalog_and_all_else_stays(query: str):
    there = TableName("main", "silver", "we ird")
    assert SparkNames("main").query(query, "silver", lambda name: name == there) == (QUERIES[query] or query)


def test_a_session_hears_of_every_table_that_a_statement_may_mean():
    met: list[str] = []
    SparkNames("main").query("SELECT * FROM a JOIN b.c JOIN d.e.f", "silver", lambda name: bool(met.append(str(name))))
    assert sorted(met) == ["d.e.f", "main.b.c", "main.silver.a"]


ROWS = pa.table(
    {
        "at": [datetime(2026, 1, 2, 3, 4, 5, 600), None, None],
        "day": [date(2026, 1, 2), None, date(2026, 1, 3)],
        "place": ["a b/\u00e9%=1", "x", "gone"],
        "yes": [True, None, False],
        "id": [1, 2, 3],
    }
)


def test_the_live_files_are_linked_below_folders_that_tell_the_partitions(tmp_path: Path):
    write_deltalake(tmp_path / "table", ROWS, partition_by=["at", "day", "place", "yes"])
    DeltaTable(tmp_path / "table").delete("id = 3")
    snapshots = Snapshots(tmp_path / "links")

    found = snapshots.of(tmp_path / "table")

    files = sorted(str(file.parent.relative_to(found.folder)) for file in found.folder.rglob("*.parquet"))
    nothing = "__HIVE_DEFAULT_PARTITION__"
    assert files == [
        "at=2026-01-02 03%3A04%3A05.000600/day=2026-01-02/place=a b%2F\u00e9%25%3D1/yes=true",
        f"at={nothing}/day={nothing}/place=x/yes={nothing}",
    ]
    assert found.columns == ROWS.column_names
    assert found.partition_by == ("at", "day", "place", "yes")
    assert snapshots.of(tmp_path / "table") is found
    assert len(list(snapshots.of(tmp_path / "table", 0).folder.rglob("*.parquet"))) == 3


def test_what_was_linked_stays_when_the_table_is_swept(tmp_path: Path):
    write_deltalake(tmp_path / "table", ROWS)
    found = Snapshots(tmp_path / "links").of(tmp_path / "table")
    write_deltalake(tmp_path / "table", ROWS, mode="overwrite")
    DeltaTable(tmp_path / "table").vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    [file] = found.folder.rglob("*.parquet")
    assert file.stat().st_size > 0
    assert len(list((tmp_path / "table").glob("*.parquet"))) == 1


@pytest.mark.parametrize("what", ["columnMapping", "deletionVectors"])
def test_a_table_whose_files_do_not_tell_its_rows_is_refused(tmp_path: Path, what: str):
    write_deltalake(tmp_path / "table", ROWS.select(["id"]))
    features = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [what], "writerFeatures": [what]}
    log = tmp_path / "table" / "_delta_log" / f"{1:020}.json"
    log.write_text(json.dumps({"protocol": features}) + "\n")

    with pytest.raises(UnreadableTableError, match=f"table has {what}, which spark_engine: jvm cannot read"):
        Snapshots(tmp_path / "links").of(tmp_path / "table")
