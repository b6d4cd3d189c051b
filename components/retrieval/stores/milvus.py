"""Milvus as a server, or embedded by Milvus Lite."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import DataType, MilvusClient

from .base import NUMBERS, TEXTS, CollectionMissingError, Found, Record, VectorStore, checked, from_payload
from .opening import FolderLock

_TEXT_BYTES = 65_535
_FIELDS = ["id", "vector", *TEXTS, *NUMBERS]


class MilvusStore(VectorStore):
    """Milvus's collections with cosine distance; embedded, one process at a time has the file."""

    def __init__(self, folder: Path, url: str | None, key: str | None) -> None:
        self._lock = None
        if url:
            self._client = MilvusClient(uri=url, token=key or "")
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FolderLock(folder, "the Milvus file")
        self._client = MilvusClient(uri=str(folder.with_suffix(".db")))

    def create(self, collection: str, dimension: int) -> None:
        """Make a collection whose reads see the writes before them."""
        if self._client.has_collection(collection):
            return
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=36)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        for name in TEXTS:
            schema.add_field(name, DataType.VARCHAR, max_length=_TEXT_BYTES)
        for name in NUMBERS:
            schema.add_field(name, DataType.INT64)
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
        self._client.create_collection(collection, schema=schema, index_params=index, consistency_level="Strong")

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        if self._client.has_collection(collection):
            self._client.drop_collection(collection)

    def collections(self, prefix: str) -> list[str]:
        """Names of all collections."""
        return sorted(name for name in self._client.list_collections() if name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write records."""
        self._check(collection)
        rows = [{"id": record.id, "vector": record.vector.tolist(), **record.payload()} for record in records]
        if rows:
            self._client.upsert(collection, rows)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        self._check(collection)
        if ids:
            self._client.delete(collection, ids=list(ids))

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records."""
        self._check(collection)
        self._client.delete(collection, filter=_filter({"document": document}))

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by cosine."""
        self._check(collection)
        found = self._client.search(
            collection,
            data=[np.asarray(vector, np.float32).tolist()],
            filter=_filter(checked(where)),
            limit=k,
            output_fields=_FIELDS,
            search_params={"metric_type": "COSINE"},
        )
        return [Found(_record(hit["entity"]), float(hit["distance"])) for hit in found[0]]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        self._check(collection)
        return (
            [_record(row) for row in self._client.get(collection, ids=list(ids), output_fields=_FIELDS)] if ids else []
        )

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, in pages by id."""
        self._check(collection)
        pages = self._client.query_iterator(collection, batch_size=self.batch, output_fields=_FIELDS)
        try:
            while page := pages.next():
                yield from map(_record, page)
        finally:
            pages.close()

    def count(self, collection: str) -> int:
        """How many records."""
        self._check(collection)
        return int(self._client.query(collection, filter="", output_fields=["count(*)"])[0]["count(*)"])

    def close(self) -> None:
        """Let the next process have the file."""
        self._client.close()
        if self._lock:
            self._lock.release()

    def _check(self, collection: str) -> None:
        if not self._client.has_collection(collection):
            raise CollectionMissingError(collection)


def _filter(where: Mapping[str, str]) -> str:
    return " and ".join(f"{name} == {json.dumps(value, ensure_ascii=False)}" for name, value in where.items())


def _record(row: Mapping[str, Any]) -> Record:
    return from_payload(row["id"], row["vector"], row)
