"""Chroma, embedded or as a server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.config import Settings
from chromadb.errors import NotFoundError

from .base import CollectionMissingError, Found, Record, VectorStore, checked, from_payload
from .opening import FolderLock

_INCLUDE = ["metadatas", "documents", "embeddings"]


class ChromaStore(VectorStore):
    """Chroma's collections with cosine distance.

    Embedded, its processes do not see each other's writes and overwrite them, so that one at a time has the folder.
    """

    def __init__(self, folder: Path, url: str | None, key: str | None) -> None:
        settings = Settings(anonymized_telemetry=False)
        self._lock = None
        if url:
            address = urlsplit(url)
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            secure = address.scheme == "https"
            self._client: Any = chromadb.HttpClient(
                address.hostname or "", address.port or (443 if secure else 8000), secure, headers, settings
            )
            return
        self._lock = FolderLock(folder, "the Chroma folder")
        self._client = chromadb.PersistentClient(str(folder), settings)

    def create(self, collection: str, dimension: int) -> None:
        """Make a collection; nothing embeds for us."""
        configuration = {"hnsw": {"space": "cosine", "ef_search": 200}}
        self._client.get_or_create_collection(collection, configuration=configuration, embedding_function=None)

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        if collection in self.collections(collection):
            self._client.delete_collection(collection)

    def collections(self, prefix: str) -> list[str]:
        """Names of all collections."""
        return sorted(found.name for found in self._client.list_collections() if found.name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write records."""
        self._on(collection).upsert(
            ids=[record.id for record in records],
            embeddings=np.stack([record.vector for record in records]),
            documents=[record.text for record in records],
            metadatas=[_metadata(record) for record in records],
        )

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        if ids:
            self._on(collection).delete(ids=list(ids))

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records."""
        self._on(collection).delete(where={"document": document})

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by HNSW."""
        conditions: list[dict[str, Any]] = [{name: value} for name, value in checked(where).items()]
        narrowed = {"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None
        found = self._on(collection).query(
            query_embeddings=[vector], n_results=k, where=narrowed, include=[*_INCLUDE, "distances"]
        )
        rows = zip(
            *(found[name][0] for name in ("ids", "embeddings", "documents", "metadatas", "distances")), strict=True
        )
        return [Found(_record(*row), 1 - float(distance)) for *row, distance in rows]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        return _records(self._on(collection).get(ids=list(ids), include=_INCLUDE)) if ids else []

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, in pages."""
        on, offset = self._on(collection), 0
        while page := _records(on.get(limit=self.batch, offset=offset, include=_INCLUDE)):
            yield from page
            offset += len(page)

    def count(self, collection: str) -> int:
        """How many records."""
        return int(self._on(collection).count())

    def close(self) -> None:
        """Let the next process have the folder, with nothing of it left in this one's memory."""
        closing: Callable[[], None] | None = getattr(self._client, "close", None)
        if closing:
            closing()
        if self._lock:
            self._lock.release()

    def _on(self, collection: str) -> Any:
        try:
            return self._client.get_collection(collection, embedding_function=None)
        except NotFoundError:
            raise CollectionMissingError(collection) from None


def _metadata(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.payload().items() if name != "text"}


def _record(identifier: str, vector: Any, text: str, payload: Mapping[str, Any]) -> Record:
    return from_payload(identifier, vector, {**payload, "text": text})


def _records(found: Mapping[str, Any]) -> list[Record]:
    rows = zip(found["ids"], found["embeddings"], found["documents"], found["metadatas"], strict=True)
    return [_record(*row) for row in rows]
