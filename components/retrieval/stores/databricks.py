"""Databricks Vector Search: direct access indexes, one for each collection."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError, NotFound, ResourceAlreadyExists
from databricks.sdk.service.vectorsearch import DirectAccessVectorIndexSpec, EmbeddingVectorColumn, VectorIndexType

from .base import (
    NUMBERS,
    PAYLOAD,
    TEXTS,
    CollectionMissingError,
    Found,
    Record,
    StoreError,
    VectorStore,
    checked,
    from_payload,
    pages,
)

_READY_SECONDS = 900.0
_SCHEMA = {"id": "string", "vector": "array<float>", **dict.fromkeys(TEXTS, "string"), **dict.fromkeys(NUMBERS, "long")}


class DatabricksStore(VectorStore):
    """Indexes of an endpoint, in a schema of Unity Catalog.

    A score is made from the distance that Databricks measures: of vectors of length 1 it tells the cosine.

    Args:
        endpoint: Vector Search endpoint.
        schema: catalog.schema of the indexes.
        url: The workspace; the SDK's own settings (DATABRICKS_HOST …) where it is None.
    """

    batch = 500

    def __init__(self, endpoint: str, schema: str, url: str | None, key: str | None) -> None:
        self._endpoint, self._schema = endpoint, schema
        try:
            self._client = WorkspaceClient(host=url, token=key) if url or key else WorkspaceClient()
        except (DatabricksError, ValueError) as error:
            raise StoreError(f"store databricks: {error}") from None
        self._indexes = self._client.vector_search_indexes

    def create(self, collection: str, dimension: int) -> None:
        """Make an index and wait until it takes records."""
        column = EmbeddingVectorColumn(name="vector", embedding_dimension=dimension)
        spec = DirectAccessVectorIndexSpec(embedding_vector_columns=[column], schema_json=json.dumps(_SCHEMA))
        try:
            self._indexes.create_index(
                self._name(collection),
                self._endpoint,
                "id",
                VectorIndexType.DIRECT_ACCESS,
                direct_access_index_spec=spec,
            )
        except ResourceAlreadyExists:
            return
        end = time.monotonic() + _READY_SECONDS
        while not (state := self._indexes.get_index(self._name(collection)).status) or not state.ready:
            if time.monotonic() > end:
                raise StoreError(f"store databricks: {self._name(collection)} is not ready", transient=True)
            time.sleep(1)

    def drop(self, collection: str) -> None:
        """Remove an index."""
        with suppress(NotFound):
            self._indexes.delete_index(self._name(collection))

    def collections(self, prefix: str) -> list[str]:
        """Names of the endpoint's indexes in the schema."""
        start = f"{self._schema}."
        names = [item.name or "" for item in self._indexes.list_indexes(self._endpoint)]
        found = [name.removeprefix(start) for name in names if name.startswith(start)]
        return sorted(name for name in found if name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write records."""
        rows = [{"id": record.id, "vector": record.vector.tolist(), **record.payload()} for record in records]
        if rows:
            self._call(self._indexes.upsert_data_vector_index, collection, json.dumps(rows))

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        for page in pages(ids, 100):  # they travel in the address
            self._call(self._indexes.delete_data_vector_index, collection, page)

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records, which have to be looked for."""
        self.delete(collection, [record.id for record in self.scan(collection) if record.document == document])

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by distance."""
        asked = np.asarray(vector, np.float32)
        narrowed = checked(where)
        answer = self._call(
            self._indexes.query_index,
            collection,
            ["id", "vector", *PAYLOAD],
            query_vector=asked.tolist(),
            num_results=k,
            filters_json=json.dumps(narrowed) if narrowed else None,
        )
        names = [column.name for column in answer.manifest.columns]
        found = []
        for row in (answer.result.data_array if answer.result else None) or []:
            values = dict(zip(names, row, strict=True))
            vector_text = values["vector"]
            numbers = json.loads(vector_text) if isinstance(vector_text, str) else vector_text
            record = from_payload(values["id"], numbers, values)
            found.append(Found(record, float(record.vector @ asked)))
        return sorted(found, key=lambda item: -item.score)

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id: the scan begins after the id before."""
        found = []
        for identifier in ids:
            before = _before(identifier)
            data = self._call(self._indexes.scan_index, collection, last_primary_key=before, num_results=1).data
            found += [record for record in map(_record, data or []) if record.id == identifier]
        return found

    def scan(self, collection: str) -> Iterator[Record]:
        """All records in the order of their ids."""
        last: str | None = None
        while True:
            page = self._call(self._indexes.scan_index, collection, last_primary_key=last, num_results=self.batch)
            if not page.data:
                return
            yield from map(_record, page.data)
            last = page.last_primary_key

    def count(self, collection: str) -> int:
        """Rows that are indexed."""
        status = self._call(self._indexes.get_index, collection).status
        return int((status and status.indexed_row_count) or 0)

    def _call(self, call: Any, collection: str, *arguments: Any, **options: Any) -> Any:
        try:
            return call(self._name(collection), *arguments, **options)
        except NotFound:
            raise CollectionMissingError(collection) from None
        except DatabricksError as error:
            raise StoreError(f"store databricks: {error}", transient="429" in str(error)) from None

    def _name(self, collection: str) -> str:
        return f"{self._schema}.{collection}"


def _before(identifier: str) -> str:
    """A text that sorts just before a UUID, and after every smaller one."""
    last = identifier[-1]
    smaller = chr(ord(last) - 1)
    return f"{identifier[:-1]}{smaller}~"


def _record(row: Any) -> Record:
    values = {field.key: _value(field.value) for field in row.fields}
    return from_payload(values["id"], values["vector"], values)


def _value(value: Any) -> Any:
    if value.list_value is not None:
        return [item.number_value for item in value.list_value.values]
    for name in ("string_value", "number_value", "bool_value"):
        if (found := getattr(value, name)) is not None:
            return found
    return None
