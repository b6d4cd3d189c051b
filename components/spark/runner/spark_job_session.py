"""Spark sessions on each engine, within the size that the job was given."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spark_job_contexts import SparkJobError

_CONNECT_SECONDS = 10
_DEFAULT_PORT = 15002


@contextmanager
def spark_session(engine: str, size: dict[str, Any], remote_env: str) -> Iterator[Any]:
    """A session that ends with the block.

    Args:
        engine: ``sail`` (in this process), ``jvm`` (Apache Spark on this machine), ``connect`` (a Spark Connect server)
            or ``platform`` (the session of the cluster that the script runs on).
        size: ``threads``, ``memory_gb`` and ``workers``.
        remote_env: Variable with the address of the Spark Connect server.

    Raises:
        SparkJobError: the engine is not installed, or does not answer.
    """
    if engine == "platform":  # the cluster's session, and its environment, are not ours to change
        from pyspark.sql import SparkSession

        yield SparkSession.builder.getOrCreate()
        return
    remote = os.environ.get(remote_env, "")
    for name in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):  # each would overrule the engine that was asked for
        os.environ.pop(name, None)
    os.environ["TZ"] = "UTC"  # a time without a zone means the same on every machine
    if hasattr(time, "tzset"):
        time.tzset()
    starts = {"sail": _sail, "jvm": _jvm}
    opened = _connect(remote, remote_env) if engine == "connect" else starts[engine](size)
    with opened as spark:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        yield spark


@contextmanager
def _sail(size: dict[str, Any]) -> Iterator[Any]:
    _needs("pysail", "spark_engine: sail needs the packages pysail and pyspark-client")
    os.environ.setdefault("RUST_LOG", "error")
    os.environ["SAIL_EXECUTION__DEFAULT_PARALLELISM"] = str(size["threads"])
    os.environ["TOKIO_WORKER_THREADS"] = str(size["threads"])
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    try:
        with _session(f"sc://127.0.0.1:{server.listening_address[1]}") as spark:
            spark.conf.set("spark.sql.shuffle.partitions", str(size["threads"]))
            yield spark
    finally:  # after the session: the other way round waits ten minutes for an answer
        server.stop()


@contextmanager
def _connect(remote: str, remote_env: str) -> Iterator[Any]:
    if not remote.startswith("sc://"):
        raise SparkJobError(
            f"spark_engine: connect: {remote_env} is not set to the address of a server (sc://host:port)"
        )
    parts = urlsplit(remote)
    try:  # Spark's own client would try for minutes
        socket.create_connection((parts.hostname or "", parts.port or _DEFAULT_PORT), _CONNECT_SECONDS).close()
    except OSError as error:
        raise SparkJobError(
            f"the Spark Connect server that {remote_env} names does not answer: {error.strerror or error}"
        ) from None
    with _session(remote) as spark:
        yield spark


@contextmanager
def _session(remote: str) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(remote).create()
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def _jvm(size: dict[str, Any]) -> Iterator[Any]:
    _needs("pyspark", "spark_engine: jvm needs the package pyspark and a Java runtime")
    import pyspark

    if not (Path(pyspark.__file__).parent / "jars").is_dir():
        raise SparkJobError(
            "spark_engine: jvm needs Apache Spark itself: the package pyspark instead of pyspark-client"
        )
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.driver.memory": f"{int(size['memory_gb'] * 1024 * 0.75)}m",  # the rest is Python's, and Java's own
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(size["threads"]),
        "spark.sql.warehouse.dir": str(Path("spark-warehouse").absolute()),
    }
    builder = SparkSession.builder.master(f"local[{size['threads']}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()


def _needs(package: str, message: str) -> None:
    if find_spec(package) is None:
        raise SparkJobError(f"{message}; {package} is not installed where the job runs")
