"""A lakehouse made by the engine that is named; run by itself, in the environment of that engine, it prints what came.

python -m tests.components.databricks.local.engine_runs jvm
"""

import datetime
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from dagster.components.testing import create_defs_folder_sandbox

from components.databricks import LakehouseTableComponent
from components.databricks.lakehouse.session import SessionError, lakehouse_session
from components.databricks.lakehouse.store import DeltaStore, SchemaChangedError
from components.warehouse.lakehouse import Lakehouse, TableName
from tests.components.databricks.local.orders import add_pipeline
from tests.components.databricks.local.project import LakehouseProject, checks, failure, made, metadata

TABLES = {
    "bronze.orders": (),
    "silver.orders": (),
    "silver.everyone": (),
    "silver.latest": (),
    "gold.customers": (),
    "gold.big": (),
    "gold.history": ("order_id", "customer", "__START_AT", "__END_AT"),
}
TYPES = """
SELECT 1 AS id, CAST(2.50 AS DECIMAL(9, 2)) AS price, DATE'2026-01-02' AS day, TIMESTAMP'2026-01-02 03:04:05.678' AS at,
  true AS yes, array(1, 2) AS many, named_struct('a', 'x', 'b', named_struct('c', 7)) AS inner, 'a b/é%=1' AS place,
  CAST(NULL AS STRING) AS nothing, X'00FF' AS bytes, CAST(3 AS TINYINT) AS small, 1.5D AS `half of`,
  map('k', 1) AS pairs
UNION ALL
SELECT 2, NULL, DATE'2026-01-03', NULL, false, NULL, NULL, NULL, 'x', NULL, NULL, NULL, NULL
"""


def pipeline(engine: str) -> dict[str, Any]:
    """A pipeline over files with a table behind it; then again, with a file more that breaks an expectation."""
    with create_defs_folder_sandbox() as sandbox:
        project = LakehouseProject(sandbox)
        add_pipeline(project, spark_engine=engine)
        sql = "SELECT l.customer, o.order_id FROM main.silver.latest l JOIN silver.orders o ON l.order_id = o.order_id"
        attributes = {
            "key": "gold/last",
            "sql": sql,
            "mode": "merge",
            "merge_keys": ["customer"],
            "description": "Last.",
        }
        project.add(LakehouseTableComponent, "last", {**attributes, "spark_engine": engine})
        first = project.run()
        found: dict[str, Any] = {
            "success": first.success or failure(first),
            "made": sorted(made(first)),
            "checks": checks(first),
            "tables": {name: project.table(name, *columns) for name, columns in TABLES.items()},
            "last": project.table("gold.last") if first.success else [],
            "engine": metadata(first, "gold/big")["engine"],
            "files": metadata(first, "bronze/orders")["new_files"],
        }
        project.land("b.csv", "order_id,customer,amount\n5,cy,-7\n")
        second = project.run(
            "bronze/orders", "silver/orders", "silver/everyone", "silver/latest", "gold/customers", "gold/big"
        )
        told = metadata(second, "bronze/orders")
        return {
            **found,
            "second": {
                "success": second.success,
                "failure": failure(second).replace(str(project.root), ""),
                "files": [told["new_files"], told["mode"], told["dagster/row_count"]],
                "bronze": project.table("bronze.orders"),
                "silver": project.table("silver.orders"),
                "no_debts": checks(second)["silver/orders:no_debts"],
            },
            "left": sorted(path.name for path in (project.lakehouse / "sessions").glob("*")),
        }


def store(engine: str, folder: Path) -> dict[str, Any]:
    """What a table's modes make of every type, partition and new column, and which names are understood."""
    os.chdir(folder)
    handler = signal.getsignal(signal.SIGINT)
    lakehouse, found = Lakehouse(folder / "lakehouse"), {}
    killed = lakehouse.root / "sessions" / "of_a_process_that_was_killed" / "read"
    killed.mkdir(parents=True)
    long_ago = time.time() - 3 * 24 * 3600
    os.utime(killed.parent, (long_ago, long_ago))
    types, flights = TableName("main", "silver", "types"), TableName("other", "bronze", "flights")
    with lakehouse_session(lakehouse, "main", "silver", engine=engine) as spark:
        tables = DeltaStore(spark, lakehouse)
        tables.replace(types, spark.sql(TYPES), partition_by=["day", "place"])
        found["columns"] = tables.schema(types)
        found["types"] = rows(spark.sql("SELECT * FROM types"))
        found["struct"] = rows(spark.sql("SELECT t.inner.b.c, t.many[1] FROM main.silver.types AS t"))
        found["frame"] = rows(spark.table("types").where("day = DATE'2026-01-03'"))

        tables.replace(
            flights, spark.sql("SELECT id, id % 3 AS part, 'old' AS word FROM range(9)"), partition_by=["part"]
        )
        frame = spark.sql("SELECT id, 1L AS part, 'new' AS word FROM range(2)")
        tables.replace(flights, frame, inside="`part` = 1 AND `id` < 100")
        found["inside"] = rows(spark.sql("SELECT * FROM other.bronze.flights"))
        tables.append(flights, spark.sql("SELECT 'more' AS word, 99L AS id, 2L AS part, 0.5D AS score"))
        found["appended"] = rows(spark.read.table("other.bronze.flights"))
        feed = spark.sql(
            "SELECT 99L AS id, 2L AS part, 'merged' AS word, 1D AS score, true AS late UNION ALL "
            "SELECT 100L, 7L, 'new', 2D, false"
        )
        tables.merge(flights, feed, ["id", "part"], "evolve")
        tables.merge(flights, feed, ["id", "part"], "evolve")
        found["merged"] = rows(spark.sql("WITH f AS (SELECT * FROM other.bronze.flights) SELECT * FROM f"))
        found["versions"] = tables.version(flights)
        older = spark.read.format("delta").option("versionAsOf", 0).load(str(lakehouse.folder(flights)))
        found["older"] = rows(older)
        try:
            tables.append(flights, spark.sql("SELECT 'x' AS id"))
        except SchemaChangedError as error:
            found["refused"] = str(error)
        tables.replace(types, spark.sql("SELECT 1 AS one WHERE false"), partition_by=[])
        found["empty"] = [rows(spark.table("types")), tables.schema(types), tables.rows(types)]
        found["partitioned"] = sorted(path.name for path in lakehouse.folder(flights).glob("part=*"))
        if engine == "jvm":
            found["java"] = only_jvm(spark, lakehouse, flights)
    outside = [path.name for path in folder.iterdir()]
    found["interrupts"] = signal.getsignal(signal.SIGINT) is handler
    found["left"] = [outside, [path.name for path in killed.parent.parent.iterdir()], java_processes()]
    return found


def only_jvm(spark: Any, lakehouse: Lakehouse, flights: TableName) -> dict[str, Any]:
    """What Apache Spark alone says: tables that it cannot read, and what is not there."""
    from deltalake import DeltaTable

    said: dict[str, Any] = {"processes": java_processes()}
    said["qualified"] = rows(
        spark.sql(
            "SELECT DISTINCT other.bronze.flights.word, bronze.flights.part FROM other.bronze.flights "
            "WHERE other.bronze.flights.id = 99"
        )
    )
    table = DeltaTable(lakehouse.folder(flights))
    log = lakehouse.folder(flights) / "_delta_log" / f"{table.version() + 1:020}.json"
    features = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"]}
    log.write_text(json.dumps({"protocol": {**features, "writerFeatures": ["deletionVectors"]}}) + "\n")
    queries = {
        "vectors": "SELECT * FROM other.bronze.flights",
        "missing": "SELECT * FROM main.bronze.nothing",
        "syntax": "SELEC 1",
    }
    for what, query in queries.items():
        try:
            spark.sql(query)
        except Exception as error:
            said[what] = f"{type(error).__name__}: {str(error).replace(str(lakehouse.root), '')[:300]}"
    try:
        spark.read.format("delta").option("ignoreChanges", "true")
    except ValueError as error:
        said["option"] = str(error)
    return said


def rows(frame: Any) -> list[list[str]]:
    """Rows as sorted texts, by column, as the engines put columns that part a table in places of their own."""
    return sorted(sorted(f"{name}={text(value)}" for name, value in row.asDict().items()) for row in frame.collect())


def text(value: Any) -> str:
    """A value that both engines' clients show alike."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if hasattr(value, "asDict"):
        return str({name: text(part) for name, part in value.asDict().items()})
    return repr(bytes(value) if isinstance(value, bytearray) else value)


def java_processes() -> int:
    """Java processes that this one started."""
    return sum("java" in child.name() for child in psutil.Process().children(recursive=True))


def refusals(folder: Path) -> dict[str, str]:
    """What the engine jvm says where there is no Java, one that does not start, and where a session runs already."""
    broken = folder / "bin" / "java"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    path, said = os.environ["PATH"], {}
    for what, variables in {"none": {"PATH": str(folder)}, "broken": {"PATH": path, "JAVA_HOME": str(folder)}}.items():
        os.environ |= variables
        try:
            with lakehouse_session(Lakehouse(folder / "lakehouse"), "main", "silver", engine="jvm"):
                pass
        except SessionError as error:
            said[what] = str(error).replace(str(folder), "")
    os.environ["PATH"] = path
    del os.environ["JAVA_HOME"]
    return said


if __name__ == "__main__":
    engine, place = sys.argv[1], Path(sys.argv[2])
    made_here = {"pipeline": pipeline(engine), "store": store(engine, place)}
    made_here |= {"refusals": refusals(place)} if engine == "jvm" else {}
    (place.parent / f"{engine}.json").write_text(json.dumps(made_here, default=str))
