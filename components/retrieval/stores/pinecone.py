"""Pinecone: one index for each length of vector, one namespace for each collection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from pinecone import Pinecone, RetryConfig, ServerlessSpec
from pinecone.errors import ApiError, ConflictError, NotFoundError, PineconeConnectionError, PineconeError

from .base import CollectionMissingError, Found, Record, StoreError, VectorStore, checked, from_payload, pages

_RETRIES = 6


class PineconeStore(VectorStore):
    """Namespaces of serverless indexes with cosine distance.

    Pinecone shows a write to readers some time after it has taken it.

    Args:
        url: Address of the control plane, where it is not Pinecone's own.
        prefix: First part of the names of the indexes; the length of their vectors follows.
    """

    batch = 100
    eventually = True

    def __init__(self, key: str | None, url: str | None, prefix: str, region: str) -> None:
        self._prefix = prefix.replace("_", "-").replace(".", "-").lower()
        cloud, _, name = region.partition("/")
        self._spec = ServerlessSpec(cloud=cloud, region=name)
        try:
            self._client = Pinecone(api_key=key, host=url, retry_config=RetryConfig(max_retries=_RETRIES))
        except PineconeError as error:
            raise StoreError(f"store pinecone: {error}") from None
        self._open: dict[str, Any] = {}
        self._places: dict[str, str] = {}

    def create(self, collection: str, dimension: int) -> None:
        """Make sure of the index; a namespace begins with its first record."""
        name = f"{self._prefix}-{dimension}"
        if not self._client.indexes.exists(name):
            with suppress(ConflictError):  # somebody else made it meanwhile
                self._client.indexes.create(name=name, dimension=dimension, metric="cosine", spec=self._spec)
        self._places[collection] = name

    def drop(self, collection: str) -> None:
        """Remove a namespace."""
        with suppress(CollectionMissingError, NotFoundError):
            self._on(collection).delete_namespace(name=collection)
        self._places.pop(collection, None)

    def collections(self, prefix: str) -> list[str]:
        """Names of all namespaces."""
        self._look()
        return sorted(name for name in self._places if name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write records."""
        vectors = [
            {"id": record.id, "values": record.vector.tolist(), "metadata": record.payload()} for record in records
        ]
        if vectors:
            _told(self._on(collection).upsert, vectors=vectors, namespace=collection)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        if ids:
            _told(self._on(collection).delete, ids=list(ids), namespace=collection)

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records."""
        _told(self._on(collection).delete, filter={"document": {"$eq": document}}, namespace=collection)

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by cosine."""
        narrowed = {name: {"$eq": value} for name, value in checked(where).items()} or None
        found = _told(
            self._on(collection).query,
            vector=np.asarray(vector, np.float32).tolist(),
            top_k=k,
            namespace=collection,
            filter=narrowed,
            include_values=True,
            include_metadata=True,
        )
        if not found.matches and not narrowed:
            self._places.pop(collection)  # a namespace that is gone is simply empty
            self._on(collection)
        return [Found(from_payload(hit.id, hit.values, hit.metadata or {}), hit.score) for hit in found.matches]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        return [record for page in pages(ids, self.batch) for record in self._fetched(collection, page)]

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, in pages."""
        for page in self._on(collection).list(namespace=collection):
            yield from self._fetched(collection, [item.id for item in page.vectors])

    def count(self, collection: str) -> int:
        """How many records readers see."""
        spaces = _told(self._on(collection).describe_index_stats).namespaces
        return int(spaces[collection].vector_count) if collection in spaces else 0

    def close(self) -> None:
        """Close the connections."""
        for index in self._open.values():
            index.close()
        self._client.close()

    def _fetched(self, collection: str, ids: Sequence[str]) -> list[Record]:
        if not ids:
            return []
        found = _told(self._on(collection).fetch, ids=list(ids), namespace=collection)
        return [from_payload(item.id, item.values, item.metadata or {}) for item in found.vectors.values()]

    def _on(self, collection: str) -> Any:
        if collection not in self._places:
            self._look()
        if collection not in self._places:
            raise CollectionMissingError(collection)
        return self._index(self._places[collection])

    def _look(self) -> None:
        """Find out which namespace is in which index."""

        def places() -> dict[str, str]:
            names = [item.name for item in self._client.indexes.list()]
            ours = [name for name in names if name.startswith(f"{self._prefix}-")]
            found = [(name, page) for name in ours for page in self._index(name).list_namespaces()]
            return {space.name: name for name, page in found for space in page.namespaces}

        self._places = _told(places)

    def _index(self, name: str) -> Any:
        if name not in self._open:
            self._open[name] = self._client.index(host=_told(self._client.indexes.describe, name).host)
        return self._open[name]


def _told(call: Any, *arguments: Any, **options: Any) -> Any:
    """What a call gives; its failure as ours."""
    try:
        return call(*arguments, **options)
    except PineconeConnectionError as error:
        raise StoreError(f"store pinecone cannot be reached: {error}", transient=True) from None
    except ApiError as error:
        status = getattr(error, "status_code", 0) or 0
        raise StoreError(f"store pinecone: {error}", transient=status == 429 or status >= 500) from None
