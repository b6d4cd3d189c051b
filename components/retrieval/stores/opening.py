"""Opening the vector store that the YAML names; each client library is imported only then."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ...governance import policy_for
from ...llm.stand_in import stands_in
from ...secrets import read_secret
from .attributes import StoreSettings
from .base import StoreError, VectorStore

PACKAGES = {
    "chroma": "chromadb",
    "lancedb": "lancedb",
    "qdrant": "qdrant-client",
    "pgvector": "psycopg2-binary",
    "pinecone": "pinecone",
    "weaviate": "weaviate-client",
    "milvus": "pymilvus and milvus-lite",
    "databricks": "databricks-sdk",
}
LOCK_SECONDS = 120.0


def store_in_force(settings: StoreSettings, project_root: Path) -> tuple[StoreSettings, str]:
    """The store, or the SQLite file where what it needs is missing; and why, as a sentence without its end.

    Raises:
        SecretMissingError: it is missing and the target is production.
    """
    reason = stands_in(settings.needs, policy_for(project_root), f"the store {settings.type}") if settings.needs else ""
    return (StoreSettings(), reason) if reason else (settings, "")


def open_store(settings: StoreSettings, project_root: Path) -> VectorStore:
    """The store, ready for use.

    Raises:
        StoreError: its client is not installed, or it cannot be reached.
        SecretError: its key is missing.
    """
    settings, _ = store_in_force(settings, project_root)

    def key() -> str | None:
        return read_secret(policy_for(project_root).secrets, settings.api_key) if settings.api_key else None

    try:
        return _OPENERS[settings.type](settings, project_root / settings.embedded_path, key)
    except ImportError as error:
        package = PACKAGES.get(settings.type, settings.type)
        raise StoreError(f"store {settings.type}: {error.name} is not installed; add {package}") from None


class FolderLock:
    """One process at a time for a folder whose store has one writer; freed when the process ends, however it ends."""

    def __init__(self, folder: Path, what: str, wait_seconds: float = LOCK_SECONDS) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            folder.with_name(f"{folder.name}.lock"), timeout=0, isolation_level=None, check_same_thread=False
        )
        end = time.monotonic() + wait_seconds
        while True:
            try:
                self._db.execute("BEGIN EXCLUSIVE")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > end:
                    self._db.close()
                    raise StoreError(
                        f"{what} {folder.name} is in use by another process for more than {wait_seconds:.0f} s; "
                        "wait for it to end",
                        transient=True,
                    ) from None
                time.sleep(0.05)

    def release(self) -> None:
        """Let the next one in."""
        with suppress(sqlite3.Error):
            self._db.close()


def _sqlite(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .sqlite import SqliteStore

    return SqliteStore(path)


def _chroma(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .chroma import ChromaStore

    return ChromaStore(path, settings.url, key())


def _lancedb(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .lancedb import LanceStore

    return LanceStore(path)


def _qdrant(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .qdrant import QdrantStore

    return QdrantStore(path, settings.url, key())


def _pgvector(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .pgvector import PgvectorStore

    return PgvectorStore(key() or "", settings.namespace or "public")


def _pinecone(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .pinecone import PineconeStore

    return PineconeStore(key(), settings.url, settings.namespace or "dagster", settings.region or "aws/us-east-1")


def _weaviate(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .weaviate import WeaviateStore

    return WeaviateStore(settings.url or "", key())


def _milvus(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .milvus import MilvusStore

    return MilvusStore(path, settings.url, key())


def _databricks(settings: StoreSettings, path: Path, key: Callable[[], str | None]) -> VectorStore:
    from .databricks import DatabricksStore

    return DatabricksStore(settings.endpoint or "", settings.namespace or "", settings.url, key())


_OPENERS: dict[str, Callable[[StoreSettings, Path, Callable[[], str | None]], VectorStore]] = {
    "sqlite": _sqlite,
    "chroma": _chroma,
    "lancedb": _lancedb,
    "qdrant": _qdrant,
    "pgvector": _pgvector,
    "pinecone": _pinecone,
    "weaviate": _weaviate,
    "milvus": _milvus,
    "databricks": _databricks,
}
