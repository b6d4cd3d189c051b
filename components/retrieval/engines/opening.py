"""Choosing where an index's documents are prepared."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ...llm.settings import ProviderSettings
from ..chunking import Chunking
from ..preparing import Work
from .attributes import EngineName
from .base import Elsewhere, Engine, EngineError, Here, Preparer

ADDRESSES = {"spark": "SPARK_REMOTE", "ray": "RAY_ADDRESS"}
_CONNECT_SECONDS = 10


@contextmanager
def preparing(name: EngineName, chunking: Chunking, embedding: ProviderSettings) -> Iterator[Preparer]:
    """What prepares documents, closed with the block.

    On an engine the local models embed there. Calls to a provider are made by this process wherever documents are cut:
    its limit, budgets and what was paid before are known here.
    """
    work = Work(chunking.size, chunking.overlap)
    if name == "local":
        yield Here(work)
        return
    if embedding.provider == "local" and not embedding.redacted_kinds:
        work = Work(chunking.size, chunking.overlap, embedding.name, embedding.dimensions)
    preparer = Elsewhere(lambda: _opened(name), work)
    try:
        yield preparer
    finally:
        preparer.close()


def _opened(name: EngineName) -> Engine:
    """Start or reach the engine.

    Raises:
        EngineError: it is not installed, or does not answer.
    """
    address = os.environ.get(ADDRESSES[name], "")
    if address:
        _reach(name, address)
    try:
        if name == "spark":
            from .spark import SparkEngine

            return SparkEngine(address)
        from .ray import RayEngine

        return RayEngine(address)
    except ImportError as error:
        package = {"spark": "pyspark-client and pysail, or pyspark", "ray": "ray"}[name]
        raise EngineError(f"engine {name}: {error.name} is not installed; add {package}") from None


def _reach(name: EngineName, address: str) -> None:
    """Ask the server for a connection: the engines' own clients would try for minutes."""
    variable = ADDRESSES[name]
    parts = urlsplit(address if "://" in address else f"//{address}")
    if name == "ray" and address in ("auto", "local"):
        return
    try:
        port = parts.port or {"sc": 15002, "ray": 10001}.get(parts.scheme)
    except ValueError:
        port = None
    if not parts.hostname or not port or (name == "spark" and parts.scheme != "sc"):
        expected = "sc://host:port" if name == "spark" else "host:port or ray://host:port"
        raise EngineError(f"engine {name}: {variable} is {address!r}; expected {expected}")
    try:
        socket.create_connection((parts.hostname, port), _CONNECT_SECONDS).close()
    except OSError as error:
        raise EngineError(
            f"engine {name}: the server that {variable} names does not answer: {error.strerror or error}",
            transient=True,
        ) from None
