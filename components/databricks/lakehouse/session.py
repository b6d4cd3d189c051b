"""A Spark session of this machine that knows the local lakehouse by its three-level names."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ...warehouse.lakehouse import Lakehouse
from .engine_way import LocalEngine, way_of

_RUNNER = Path(__file__).parents[2] / "spark" / "runner"


class SessionError(Exception):
    """A session that cannot be had, with what to do about it."""


def chosen_engine(written: LocalEngine | None, remote_env: str) -> LocalEngine:
    """The engine that is written; where none is, a server if its variable names one, else Sail."""
    return written or ("connect" if os.environ.get(remote_env) else "sail")


@contextmanager
def lakehouse_session(
    lakehouse: Lakehouse,
    catalog: str,
    schema: str,
    *,
    engine: LocalEngine = "sail",
    threads: int = 2,
    memory_gb: float = 2,
    remote_env: str = "SPARK_REMOTE",
) -> Iterator[Any]:
    """A session with every Delta table of the lakehouse in its catalog; it ends with the block.

    Args:
        lakehouse: The folders.
        catalog: Catalog of names that have none.
        schema: Schema of names that have none.
        engine: ``sail`` (in this process), ``jvm`` (Apache Spark on this machine) or ``connect`` (a server).
        threads: Cores it may use.
        memory_gb: Memory of the engine ``jvm``.
        remote_env: Variable with the server's address, for the engine ``connect``.

    Raises:
        SessionError: the engine is not installed, or does not answer.
    """
    from .local_spark import localized

    way = way_of(engine, lakehouse, catalog)
    with _environment_kept():
        sys.path.insert(0, str(_RUNNER))  # the runner's modules stand alone, as they also run where only they are
        try:
            runner = import_module("spark_job_session")
        finally:
            sys.path.remove(str(_RUNNER))
        size = {"threads": threads, "memory_gb": memory_gb, "workers": 1}
        try:
            with way.starting(), runner.spark_session(engine, size, remote_env, way.settings) as spark:
                local = localized(spark, lakehouse, way)
                way.started(local, schema)
                yield local
        except runner.SparkJobError as error:
            raise SessionError(str(error)) from None


@contextmanager
def _environment_kept() -> Iterator[None]:
    """The process's variables and its time zone as they were, when the block ends."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})
        if hasattr(time, "tzset"):
            time.tzset()
