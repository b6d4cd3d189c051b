"""The vector stores' contract for Weaviate: a plugin for pytest in an environment that has Weaviate's client.

The client wants another grpcio than the rest of the repository, so that it cannot stand beside it. The server speaks
both protocols of the client, REST for the schema and gRPC for objects, by the client's own definitions.
"""

import struct
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from weaviate.proto.v1.v6300.v1 import (
    aggregate_pb2,
    base_pb2,
    batch_delete_pb2,
    batch_pb2,
    properties_pb2,
    search_get_pb2,
    weaviate_pb2_grpc,
)

from components.retrieval.stores.attributes import StoreSettings
from tests.components.retrieval.fake_vendor import Answer, FakeVendor, nearest, running
from tests.components.retrieval.store_kinds import StoreKind

Row = dict[str, Any]
HNSW: dict[str, Any] = {  # what a server adds to a vector index of which only the distance is said
    "cleanupIntervalSeconds": 300,
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "ef": -1,
    "efConstruction": 128,
    "filterStrategy": "acorn",
    "flatSearchCutoff": 40000,
    "maxConnections": 32,
    "skip": False,
    "vectorCacheMaxObjects": 1_000_000_000_000,
}


class FakeWeaviate(FakeVendor, weaviate_pb2_grpc.WeaviateServicer):
    """Collections and their objects."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: dict[str, Any] = {}
        self.objects: dict[str, dict[str, Row]] = {}

    def is_allowed(self, headers: Any) -> bool:
        return headers.get("Authorization") == f"Bearer {self.key}"

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        parts = path.strip("/").split("/")[1:]
        match (method, *parts):
            case ("GET", "meta"):
                return 200, {"hostname": self.url, "version": "1.34.0", "modules": {}}
            case ("GET", ".well-known", "openid-configuration"):
                return 404, {}
            case ("GET", "schema"):
                return 200, {"classes": list(self.classes.values())}
            case ("POST", "schema"):
                indexes = {"indexFilterable": True, "indexSearchable": True, "indexRangeFilters": False}
                body["properties"] = [{**indexes, **item} for item in body["properties"]]
                for held in body["vectorConfig"].values():
                    held["vectorIndexConfig"] = {**HNSW, **held["vectorIndexConfig"]}
                self.classes[body["class"]] = body
                self.objects[body["class"]] = {}
                return 200, body
            case ("GET", "schema", name):
                return (200, self.classes[name]) if name in self.classes else (404, {})
            case ("DELETE", "schema", name):
                self.classes.pop(name, None)
                self.objects.pop(name, None)
                return 200, {}
        return 404, {"error": [{"message": f"no route {method} {path}"}]}

    def BatchObjects(self, request: Any, context: Any) -> Any:
        with self.lock:
            for item in request.objects:
                properties = {
                    name: getattr(value, value.WhichOneof("kind"))
                    for name, value in item.properties.non_ref_properties.fields.items()
                }
                packed = next((held.vector_bytes for held in item.vectors), item.vector_bytes)
                row = {"id": str(uuid.UUID(item.uuid)), "vector": _floats(packed), **properties}
                self.objects[item.collection][row["id"]] = row
        return batch_pb2.BatchObjectsReply(took=0.1)

    def BatchDelete(self, request: Any, context: Any) -> Any:
        with self.lock:
            held = self.objects[request.collection]
            gone = [name for name, row in held.items() if _fits(row, request.filters)]
            for name in gone:
                del held[name]
        return batch_delete_pb2.BatchDeleteReply(matches=len(gone), successful=len(gone))

    def Aggregate(self, request: Any, context: Any) -> Any:
        count = len(self.objects[request.collection])
        single = aggregate_pb2.AggregateReply.Single(objects_count=count)
        return aggregate_pb2.AggregateReply(single_result=single)

    def Search(self, request: Any, context: Any) -> Any:
        if request.collection not in self.objects:
            context.abort(grpc.StatusCode.NOT_FOUND, f"could not find class {request.collection} in schema")
        with self.lock:
            rows = sorted(self.objects[request.collection].values(), key=lambda row: row["id"])
        if request.HasField("near_vector"):
            near = request.near_vector
            asked = _floats(next((held.vector_bytes for held in near.vectors), near.vector_bytes))
            found = nearest(rows, asked, request.limit or 10, lambda row: _fits(row, request.filters))
            return self._reply(request.collection, [(row, 1 - score) for score, row in found])
        wanted = [row for row in rows if row["id"] > request.after and _fits(row, request.filters)]
        return self._reply(request.collection, [(row, None) for row in wanted[: request.limit or 10]])

    def _reply(self, collection: str, found: list[tuple[Row, float | None]]) -> Any:
        kinds = {item["name"]: item["dataType"][0] for item in self.classes[collection]["properties"]}
        return search_get_pb2.SearchReply(results=[_result(row, distance, kinds) for row, distance in found])


def _result(row: Row, distance: float | None, kinds: dict[str, str]) -> Any:
    fields = {
        name: properties_pb2.Value(int_value=int(row[name]))
        if kind == "int"
        else properties_pb2.Value(text_value=row[name])
        for name, kind in kinds.items()
    }
    packed = struct.pack(f"{len(row['vector'])}f", *row["vector"])
    return search_get_pb2.SearchResult(
        metadata=search_get_pb2.MetadataResult(
            id=row["id"],
            id_as_bytes=uuid.UUID(row["id"]).bytes,
            vectors=[base_pb2.Vectors(name="default", vector_bytes=packed)],
            distance=distance or 0.0,
            distance_present=distance is not None,
        ),
        properties=search_get_pb2.PropertiesResult(
            non_ref_props=properties_pb2.Properties(fields=fields), target_collection="x"
        ),
    )


def _floats(packed: bytes) -> list[float]:
    return list(struct.unpack(f"{len(packed) // 4}f", packed))


def _fits(row: Row, rule: Any) -> bool:
    """Whether an object fits the filters that the client makes for us."""
    kinds = base_pb2.Filters
    if rule.operator == kinds.OPERATOR_UNSPECIFIED:
        return True
    if rule.operator == kinds.OPERATOR_AND:
        return all(_fits(row, part) for part in rule.filters)
    if rule.operator == kinds.OPERATOR_OR:
        return any(_fits(row, part) for part in rule.filters)
    name = {"_id": "id"}.get(rule.target.property, rule.target.property)
    if rule.operator == kinds.OPERATOR_EQUAL:
        return bool(row[name] == rule.value_text)
    assert rule.operator == kinds.OPERATOR_CONTAINS_ANY
    return row[name] in list(rule.value_text_array.values)


@pytest.fixture
def store_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreKind]:
    """Weaviate, empty."""
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    with running(FakeWeaviate()) as fake:
        monkeypatch.setenv("VECTOR_KEY", fake.key)
        server = grpc.server(ThreadPoolExecutor(4))
        weaviate_pb2_grpc.add_WeaviateServicer_to_server(fake, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        url = f"{fake.url}?grpc_port={port}"
        yield StoreKind(StoreSettings(type="weaviate", url=url, api_key="VECTOR_KEY"), tmp_path)
        server.stop(0)
