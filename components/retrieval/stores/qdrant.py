"""Qdrant, embedded or as a server."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from .base import FILTERS, CollectionMissingError, Found, Record, VectorStore, checked, from_payload
from .opening import FolderLock

_TIMEOUT_SECONDS = 60


class QdrantStore(VectorStore):
    """Qdrant's collections with cosine distance; embedded, one process at a time has the folder."""

    def __init__(self, folder: Path, url: str | None, key: str | None) -> None:
        self._lock = None if url else FolderLock(folder, "the Qdrant folder")
        if url:
            self._client = QdrantClient(url=url, api_key=key, timeout=_TIMEOUT_SECONDS)
        else:
            self._client = QdrantClient(path=str(folder))
        self._is_server = bool(url)

    def create(self, collection: str, dimension: int) -> None:
        """Make a collection, with indexes on what is filtered by."""
        if self._client.collection_exists(collection):
            return
        vectors = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        self._client.create_collection(collection, vectors_config=vectors)
        if self._is_server:  # the embedded one has no indexes, and warns
            for name in FILTERS:
                self._client.create_payload_index(collection, name, models.PayloadSchemaType.KEYWORD)

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        self._client.delete_collection(collection)

    def collections(self, prefix: str) -> list[str]:
        """Names of all collections."""
        found = self._client.get_collections().collections
        return sorted(item.name for item in found if item.name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write points and wait for them."""
        self._check(collection)
        points = [
            models.PointStruct(id=record.id, vector=record.vector.tolist(), payload=record.payload())
            for record in records
        ]
        if points:
            self._client.upsert(collection, points, wait=True)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove points by id."""
        self._check(collection)
        if ids:
            self._client.delete(collection, models.PointIdsList(points=list(ids)), wait=True)

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's points."""
        self._check(collection)
        self._client.delete(collection, models.FilterSelector(filter=_filter({"document": document})), wait=True)

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by cosine."""
        self._check(collection)
        narrowed = checked(where)
        found = self._client.query_points(
            collection,
            query=np.asarray(vector, np.float32).tolist(),
            query_filter=_filter(narrowed) if narrowed else None,
            limit=k,
            with_vectors=True,
        )
        return [Found(_record(point), point.score) for point in found.points]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        self._check(collection)
        return [_record(point) for point in self._client.retrieve(collection, list(ids), with_vectors=True)]

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, in pages."""
        self._check(collection)
        offset: Any = None
        while True:
            page, offset = self._client.scroll(collection, limit=self.batch, offset=offset, with_vectors=True)
            yield from map(_record, page)
            if offset is None:
                return

    def count(self, collection: str) -> int:
        """How many points, exactly."""
        self._check(collection)
        return self._client.count(collection, exact=True).count

    def close(self) -> None:
        """Let the next process have the folder."""
        self._client.close()
        if self._lock:
            self._lock.release()

    def _check(self, collection: str) -> None:
        try:
            if not self._client.collection_exists(collection):
                raise CollectionMissingError(collection)
        except UnexpectedResponse as error:
            if error.status_code == 404:
                raise CollectionMissingError(collection) from None
            raise


def _filter(where: Mapping[str, str]) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=name, match=models.MatchValue(value=value)) for name, value in where.items()]
    )


def _record(point: Any) -> Record:
    return from_payload(point.id, point.vector, point.payload or {})
