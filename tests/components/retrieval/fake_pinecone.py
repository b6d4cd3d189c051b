"""Pinecone as its client sees it: the control plane and the indexes of one project, in one server."""

import time
from typing import Any
from urllib.parse import unquote

from tests.components.retrieval.fake_vendor import Answer, FakeVendor, nearest

_PAGE = 100


class FakePinecone(FakeVendor):
    """Indexes with namespaces.

    Attributes:
        lag_seconds: How long a write stays unseen by readers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lag_seconds = 0.0
        self.indexes: dict[str, int] = {}
        self.spaces: dict[str, dict[str, dict[str, Any]]] = {}
        self._unseen: list[tuple[float, str, dict[str, Any] | None, str]] = []

    def is_allowed(self, headers: Any) -> bool:
        return headers.get("Api-Key") == self.key

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        self._settle()
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match (method, *parts):
            case ("GET", "indexes"):
                return 200, {"indexes": [self._index(name) for name in self.indexes]}
            case ("POST", "indexes"):
                if body["name"] in self.indexes:
                    return 409, {"error": {"code": "ALREADY_EXISTS", "message": "there is one"}, "status": 409}
                self.indexes[body["name"]] = next(iter(body["schema"]["fields"].values()))["dimension"]
                return 201, self._index(body["name"])
            case ("GET", "indexes", name):
                if name not in self.indexes:
                    return 404, {"error": {"code": "NOT_FOUND", "message": f"no {name}"}, "status": 404}
                return 200, self._index(name)
            case ("GET", place, "namespaces"):
                mine = [name for name in sorted(self.spaces) if name.startswith(f"{place}/")]
                start = int(query.get("paginationToken", ["0"])[0])
                page = mine[start : start + 2]
                found = [{"name": name.partition("/")[2], "record_count": len(self.spaces[name])} for name in page]
                more = {"next": str(start + 2)} if start + 2 < len(mine) else None
                return 200, {"namespaces": found, "pagination": more}
            case ("DELETE", place, "namespaces", name):
                self.spaces.pop(f"{place}/{name}", None)
                return 200, {}
            case ("POST", place, "describe_index_stats"):
                counts = {
                    name.partition("/")[2]: {"vectorCount": len(rows)}
                    for name, rows in self.spaces.items()
                    if name.startswith(f"{place}/")
                }
                return 200, {"namespaces": counts, "dimension": self.indexes[place], "totalVectorCount": 0}
            case (_, place, "vectors", action):
                space = f"{place}/{body.get('namespace') or query.get('namespace', [''])[0]}"
                return self._vectors(action, place, space, query, body)
            case ("POST", place, "query"):
                return self._query(f"{place}/{body['namespace']}", body)
        return 404, {"error": {"message": f"no route {method} {path}"}}

    def _vectors(self, action: str, place: str, space: str, query: dict[str, list[str]], body: Any) -> Answer:
        rows = self.spaces.get(space, {})
        if action == "upsert":
            if len(body["vectors"]) > 1000 or any(len(v["values"]) != self.indexes[place] for v in body["vectors"]):
                return 400, {"message": "wrong dimension or too many", "code": 3}
            for vector in body["vectors"]:
                self._later(space, vector["id"], {"vector": vector["values"], "metadata": vector["metadata"]})
            return 200, {"upsertedCount": len(body["vectors"])}
        if action == "delete":
            ids = body.get("ids") or [name for name, row in rows.items() if _takes(row, body["filter"])]
            for name in ids:
                self._later(space, name, None)
            return 200, {}
        if action == "fetch":
            found = {name: self._vector(name, rows[name]) for name in query["ids"] if name in rows}
            return 200, {"vectors": found, "namespace": space.partition("/")[2]}
        start = query.get("paginationToken", [""])[0]
        names = sorted(name for name in rows if name > start)
        more = {"next": names[_PAGE - 1]} if len(names) > _PAGE else None
        return 200, {"vectors": [{"id": name} for name in names[:_PAGE]], "pagination": more}

    def _query(self, space: str, body: Any) -> Answer:
        rows = [{"id": name, **row} for name, row in self.spaces.get(space, {}).items()]
        found = nearest(rows, body["vector"], body["topK"], lambda row: _takes(row, body.get("filter") or {}))
        matches = [{**self._vector(row["id"], row), "score": score} for score, row in found]
        return 200, {"matches": matches, "namespace": space.partition("/")[2], "usage": {"readUnits": 1}}

    def _vector(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        numbers = {key: float(value) if isinstance(value, int) else value for key, value in row["metadata"].items()}
        return {"id": name, "values": row["vector"], "metadata": numbers}

    def _later(self, space: str, name: str, row: dict[str, Any] | None) -> None:
        self._unseen.append((time.monotonic() + self.lag_seconds, space, row, name))
        self._settle()

    def _settle(self) -> None:
        """Let readers see what is old enough."""
        now = time.monotonic()
        while self._unseen and self._unseen[0][0] <= now:
            _, space, row, name = self._unseen.pop(0)
            if row is None:
                self.spaces.get(space, {}).pop(name, None)
            else:
                self.spaces.setdefault(space, {})[name] = row

    def _index(self, name: str) -> dict[str, Any]:
        vector = {"type": "dense_vector", "dimension": self.indexes[name], "metric": "cosine"}
        return {
            "name": name,
            "host": f"{self.url}/{name}",
            "schema": {"version": "v1", "fields": {"_values": vector}},
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1", "environment": "e"},
            "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
            "status": {"ready": True, "state": "Ready"},
            "deletion_protection": "disabled",
        }


def _takes(row: dict[str, Any], conditions: dict[str, Any]) -> bool:
    return all(row["metadata"].get(name) == rule["$eq"] for name, rule in conditions.items())
