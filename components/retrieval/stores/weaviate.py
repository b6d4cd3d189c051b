"""Weaviate as a server."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import weaviate
from weaviate.classes.config import Configure, DataType, Property, Tokenization, VectorDistances
from weaviate.classes.data import DataObject
from weaviate.classes.init import Auth
from weaviate.classes.query import Filter, MetadataQuery
from weaviate.exceptions import WeaviateBaseError

from .base import NUMBERS, TEXTS, CollectionMissingError, Found, Record, StoreError, VectorStore, checked, from_payload

_GRPC_PORT = 50051


class WeaviateStore(VectorStore):
    """Weaviate's collections with cosine distance.

    Args:
        url: Address of the server; ``?grpc_port=`` where that is not 50051.
    """

    def __init__(self, url: str, key: str | None) -> None:
        address = urlsplit(url)
        secure, host = address.scheme == "https", address.hostname or ""
        try:
            self._client: Any = weaviate.connect_to_custom(
                http_host=host,
                http_port=address.port or (443 if secure else 8080),
                http_secure=secure,
                grpc_host=host,
                grpc_port=int(parse_qs(address.query).get("grpc_port", [_GRPC_PORT])[0]),
                grpc_secure=secure,
                auth_credentials=Auth.api_key(key) if key else None,
                skip_init_checks=True,  # they would ask a package index for the client's newest version
            )
        except WeaviateBaseError as error:
            raise StoreError(f"store weaviate: {error}", transient=True) from None

    def create(self, collection: str, dimension: int) -> None:
        """Make a collection; vectors are our own."""
        if self._client.collections.exists(_class(collection)):
            return
        texts = [Property(name=name, data_type=DataType.TEXT, tokenization=Tokenization.FIELD) for name in TEXTS]
        self._client.collections.create(
            _class(collection),
            properties=[*texts, *(Property(name=name, data_type=DataType.INT) for name in NUMBERS)],
            vector_config=Configure.Vectors.self_provided(
                vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE)
            ),
        )

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        self._client.collections.delete(_class(collection))

    def collections(self, prefix: str) -> list[str]:
        """Names of all collections, as we wrote them."""
        names = [name[:1].lower() + name[1:] for name in self._client.collections.list_all(simple=True)]
        return sorted(name for name in names if name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write objects."""
        objects = [
            DataObject(uuid=record.id, vector=record.vector.tolist(), properties=record.payload()) for record in records
        ]
        if objects:
            done = self._on(collection).data.insert_many(objects)
            if done.has_errors:
                first = next(iter(done.errors.values())).message
                raise StoreError(f"store weaviate: {len(done.errors)} records were refused: {first}")

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove objects by id."""
        if ids:
            self._on(collection).data.delete_many(where=Filter.by_id().contains_any(list(ids)))

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's objects."""
        self._on(collection).data.delete_many(where=Filter.by_property("document").equal(document))

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by cosine."""
        conditions = [Filter.by_property(name).equal(value) for name, value in checked(where).items()]
        found = self._on(collection).query.near_vector(
            near_vector=np.asarray(vector, np.float32).tolist(),
            limit=k,
            filters=Filter.all_of(conditions) if conditions else None,
            return_metadata=MetadataQuery(distance=True),
            include_vector=True,
        )
        return [Found(_record(item), 1 - float(item.metadata.distance)) for item in found.objects]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        if not ids:
            return []
        found = self._on(collection).query.fetch_objects_by_ids(list(ids), limit=len(ids), include_vector=True)
        return [_record(item) for item in found.objects]

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, in pages."""
        yield from map(_record, self._on(collection).iterator(include_vector=True))

    def count(self, collection: str) -> int:
        """How many objects."""
        return int(self._on(collection).aggregate.over_all(total_count=True).total_count)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _on(self, collection: str) -> Any:
        if not self._client.collections.exists(_class(collection)):
            raise CollectionMissingError(collection)
        return self._client.collections.get(_class(collection))


def _class(collection: str) -> str:
    """Weaviate's names begin with a capital."""
    return collection[:1].upper() + collection[1:]


def _record(item: Any) -> Record:
    return from_payload(item.uuid, item.vector["default"], item.properties)
