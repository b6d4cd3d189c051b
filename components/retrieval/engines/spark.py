"""Spark: a Spark Connect server that SPARK_REMOTE names, or Spark on this machine."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

from .base import Engine, EngineError, Packed
from .code import runner

_DOCUMENTS_A_PARTITION = 16
_SCHEMA = "number long, told string, vectors binary"


class SparkEngine(Engine):
    """A job for each batch, spread over the cluster's workers; Spark itself repeats what a lost worker had.

    Args:
        address: Of a Spark Connect server; empty for Spark in this process (pysail), or for what ``getOrCreate`` gives
            where the whole of Apache Spark is installed: its own on a laptop, the cluster's on a cluster.
    """

    name = "spark"
    batch_documents = 512
    most_batches = 2

    def __init__(self, address: str) -> None:
        from pyspark.sql import SparkSession

        self._server: Any = None
        self.where = "spark, the server of SPARK_REMOTE"
        if not address and find_spec("pysail"):
            self._server, address = _started()
            self.where = "spark, in this process"
        try:
            self._spark: Any = (
                SparkSession.builder.remote(address).create() if address else SparkSession.builder.getOrCreate()
            )
        except Exception as error:  # the clients of Spark raise all sorts of things
            raise EngineError(f"engine spark: no session: {_line(error)}", transient=True) from None
        if not address:
            self.where = f"spark, {self._spark.version}"
        self._is_ours = bool(address)
        self._threads = ThreadPoolExecutor(self.most_batches, "spark")

    def submit(self, work: str, documents: Sequence[tuple[str, bytes]]) -> Callable[[], list[Packed]]:
        """One job in a thread."""
        return self._threads.submit(self._job, work, documents).result

    def close(self) -> None:
        """End the session, then the server: the other way round waits ten minutes for an answer."""
        self._threads.shutdown(cancel_futures=True)
        if self._is_ours:
            self._spark.stop()
        if self._server:
            self._server.stop()

    def _job(self, work: str, documents: Sequence[tuple[str, bytes]]) -> list[Packed]:
        import pyarrow as pa

        columns = {
            "number": pa.array(range(len(documents)), pa.int64()),
            "header": pa.array([header for header, _ in documents], pa.string()),
            "data": pa.array([data for _, data in documents], pa.binary()),
        }
        partitions = -(-len(documents) // _DOCUMENTS_A_PARTITION)
        try:
            frame = self._spark.createDataFrame(pa.table(columns)).repartition(partitions)
            found = frame.mapInArrow(_mapped(work), _SCHEMA).toArrow()
        except Exception as error:
            raise EngineError(f"engine spark: {_line(error)}", transient=True) from None
        rows = sorted(zip(*(found[name].to_pylist() for name in ("number", "told", "vectors")), strict=True))
        if [number for number, *_ in rows] != list(range(len(documents))):
            raise EngineError(f"engine spark: gave {len(rows)} results for {len(documents)} documents", transient=True)
        return [(told, vectors) for _, told, vectors in rows]


def _mapped(work: str) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """The function of a partition; made inside a function, so that it is sent by its content."""
    run = runner()

    def prepare(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        for batch in batches:
            numbers, headers, contents = (batch.column(at).to_pylist() for at in range(3))
            for number, header, data in zip(numbers, headers, contents, strict=True):
                told, vectors = run(work, header, data)
                yield pa.record_batch({"number": [number], "told": [told], "vectors": pa.array([vectors], pa.binary())})

    return prepare


def _started() -> tuple[Any, str]:
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    return server, f"sc://127.0.0.1:{server.listening_address[1]}"


def _line(error: BaseException) -> str:
    """The last line of what Spark says, which is the reason."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else type(error).__name__
