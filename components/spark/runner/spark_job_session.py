"""Spark sessions on each engine, within the size that the job was given."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spark_job_contexts import SparkJobError

_CONNECT_SECONDS = 10
_DEFAULT_PORT = 15002
_END_SECONDS = 15


@contextmanager
def spark_session(
    engine: str, size: dict[str, Any], remote_env: str, settings: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """A session that ends with the block.

    Args:
        engine: ``sail`` (in this process), ``jvm`` (Apache Spark on this machine), ``connect`` (a Spark Connect server)
            or ``platform`` (the session of the cluster that the script runs on).
        size: ``threads``, ``memory_gb`` and ``workers``.
        remote_env: Variable with the address of the Spark Connect server.
        settings: Settings of Spark, for the engine ``jvm``.

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
    starts = {
        "sail": lambda: _sail(size),
        "jvm": lambda: _jvm(size, settings or {}),
        "connect": lambda: _connect(remote, remote_env),
    }
    with starts[engine]() as spark:
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
def _jvm(size: dict[str, Any], more: Mapping[str, str]) -> Iterator[Any]:
    _needs("pyspark", "spark_engine: jvm needs the package pyspark and a Java runtime")
    import pyspark

    if not (Path(pyspark.__file__).parent / "jars").is_dir():
        raise SparkJobError(
            "spark_engine: jvm needs Apache Spark itself: the package pyspark instead of pyspark-client"
        )
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=str(Path(home) / "bin") if home else None) is None:
        where = f"JAVA_HOME, {home}" if home else "the PATH"
        raise SparkJobError(f"spark_engine: jvm needs a Java runtime, 17 or newer; there is no java in {where}")
    from pyspark import SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:
        raise SparkJobError("spark_engine: jvm: this process has a Spark session already; stop it first")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"  # else Spark looks for the machine's name, and warns
    settings = {
        "spark.driver.memory": f"{int(size['memory_gb'] * 1024 * 0.75)}m",  # the rest is Python's, and Java's own
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(size["threads"]),
        "spark.sql.warehouse.dir": str(Path("spark-warehouse").absolute()),
        **more,
    }
    builder = SparkSession.builder.master(f"local[{size['threads']}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # prints errors that are also raised
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        spark = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise SparkJobError(
            f"spark_engine: jvm: Java did not start Spark, which needs Java 17 or newer: {_first_line(error)}"
        ) from None
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupted)  # Spark puts its own in the place of who runs the job
    try:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
    finally:
        gateway = SparkContext._gateway
        with suppress(Exception):  # Java may have died, which the block's own error tells
            spark.stop()
        _end_java(gateway)


def _end_java(gateway: Any) -> None:
    """End the Java process, which Spark leaves to the end of Python's: the next session may have another size."""
    from pyspark import SparkContext

    SparkContext._gateway = SparkContext._jvm = None
    with suppress(Exception):
        gateway.shutdown()
    with suppress(OSError):
        gateway.proc.stdin.close()  # Java ends with its input
    try:
        gateway.proc.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _needs(package: str, message: str) -> None:
    if find_spec(package) is None:
        raise SparkJobError(f"{message}; {package} is not installed where the job runs")
