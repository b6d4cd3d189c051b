"""Engines over the same Delta table on this machine: pysail, Spark on the JVM, DuckDB; start, memory, rows a second.

    uv run python bench/engines.py [rows ...]          # 100000 1000000 10000000 by default

Each engine runs in a process of its own: it starts, reads the table, groups it, and writes the groups as Delta. Spark
on the JVM reads and writes Delta with delta-rs, as the components do, and is left out where there is no Java.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from bootstrap import uv  # noqa: E402 the path comes first

SIZES = [100_000, 1_000_000, 10_000_000]
JVM = ["--isolated", "--no-project"]
JVM += [part for name in ("pyspark==4.2.1", "deltalake", "pyarrow", "sqlglot", "dagster") for part in ("--with", name)]
HERE = Path(__file__).resolve()


ROWS = """SELECT i AS id, 'carrier' || (i % 16) AS carrier, (hash(i) % 400)::INTEGER - 60 AS delay, i % 3 = 0 AS weekend
FROM range({}) AS r(i)"""


def make(folder: Path, rows: int) -> None:
    """A Delta table of flights."""
    import duckdb
    from deltalake import write_deltalake

    query = ROWS.format(rows)
    with duckdb.connect() as connection:
        write_deltalake(folder / "delta", connection.execute(query).to_arrow_reader(1_000_000))


GROUPS = "SELECT carrier, weekend, count(*) AS flights, avg(delay) AS delay FROM {} WHERE delay > 0 GROUP BY ALL"
SPARK_GROUPS = GROUPS.replace("GROUP BY ALL", "GROUP BY carrier, weekend")


def sail(folder: Path) -> dict[str, float]:
    """Spark without Java, in this process."""
    began = time.perf_counter()
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").create()
    spark.sql("SELECT 1").collect()
    started = time.perf_counter()
    spark.read.format("delta").load(str(folder / "delta")).createOrReplaceTempView("flights")
    spark.sql(SPARK_GROUPS.format("flights")).write.format("delta").save(str(folder / "sail"))
    ended = time.perf_counter()
    spark.stop()
    server.stop()
    return {"start": started - began, "work": ended - started}


def jvm(folder: Path) -> dict[str, float]:
    """Apache Spark on Java, in a session as the components open it: Delta is read and written with delta-rs."""
    began = time.perf_counter()
    sys.path.insert(0, str(ROOT))
    from components.databricks.lakehouse.session import lakehouse_session
    from components.databricks.lakehouse.store import DeltaStore
    from components.warehouse.lakehouse import Lakehouse, TableName

    lakehouse = Lakehouse(folder / "lakehouse")
    with lakehouse_session(lakehouse, "main", "bench", engine="jvm") as spark:
        spark.sql("SELECT 1").collect()
        started = time.perf_counter()
        spark.read.format("delta").load(str(folder / "delta")).createOrReplaceTempView("flights")
        groups = spark.sql(SPARK_GROUPS.format("flights"))
        DeltaStore(spark, lakehouse).replace(TableName("main", "bench", "groups"), groups)
        ended = time.perf_counter()
    return {"start": started - began, "work": ended - started}


def duck(folder: Path) -> dict[str, float]:
    """DuckDB over the Delta table, written by delta-rs."""
    began = time.perf_counter()
    import duckdb
    from deltalake import DeltaTable, write_deltalake

    connection = duckdb.connect()
    connection.execute("SELECT 1").fetchall()
    started = time.perf_counter()
    connection.register("flights", DeltaTable(folder / "delta").to_pyarrow_dataset())
    write_deltalake(folder / "duck", connection.execute(GROUPS.format("flights")).to_arrow_reader(100_000))
    return {"start": started - began, "work": time.perf_counter() - started}


ENGINES = {"pysail": sail, "jvm": jvm, "duckdb": duck}


def measured(engine: str, folder: Path) -> dict[str, float]:
    """One engine in a process of its own; memory is the peak of the process and its children, in megabytes."""
    prefix = [uv(), "run", *JVM, "--with", "psutil", "python"] if engine == "jvm" else [sys.executable]
    done = subprocess.run([*prefix, str(HERE), "--engine", engine, str(folder)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{engine}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_one(engine: str, folder: Path) -> None:
    """Run an engine here, and print its figures as JSON."""
    import threading

    import psutil

    peak, process, over = 0, psutil.Process(), threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(one.memory_info().rss for one in family if one.is_running()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    figures = ENGINES[engine](folder)
    over.set()
    watcher.join()
    print(json.dumps({**figures, "megabytes": peak / 1e6}))


def main(sizes: list[int]) -> None:
    """Measure each engine at each size, and print a table."""
    engines = [name for name in ENGINES if name != "jvm" or shutil.which("java")]
    print(f"{'rows':>12} {'engine':>8} {'start s':>8} {'work s':>8} {'rows/s':>14} {'MB':>7}")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), rows)
            for engine in engines:
                found = measured(engine, Path(folder))
                speed = rows / found["work"]
                print(
                    f"{rows:>12,} {engine:>8} {found['start']:>8.2f} {found['work']:>8.2f} {speed:>14,.0f} "
                    f"{found['megabytes']:>7.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--engine"]:
        run_one(sys.argv[2], Path(sys.argv[3]))
    else:
        main([int(text) for text in sys.argv[1:]] or SIZES)
