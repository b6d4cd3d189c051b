"""Databricks Vector Search as its SDK sees it: direct access indexes of one endpoint."""

import json
from typing import Any
from urllib.parse import unquote

from tests.components.retrieval.fake_vendor import Answer, FakeVendor, nearest

_PAGE = 2


class FakeDatabricksSearch(FakeVendor):
    """Indexes by their full names."""

    def __init__(self) -> None:
        super().__init__()
        self.indexes: dict[str, dict[str, Any]] = {}

    def is_allowed(self, headers: Any) -> bool:
        return headers.get("Authorization") == f"Bearer {self.key}"

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        parts = [unquote(part) for part in path.removeprefix("/api/2.0/vector-search/").split("/")]
        if parts == ["indexes"]:
            return self._create(body) if method == "POST" else self._list(query)
        name = parts[1]
        if name not in self.indexes:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"Index {name} does not exist."}
        held = self.indexes[name]
        match (method, *parts[2:]):
            case ("GET",):
                held["looks"] += 1
                status = {"ready": held["looks"] > 1, "indexed_row_count": len(held["rows"])}
                return 200, {"name": name, "primary_key": held["key"], "status": status}
            case ("DELETE",):
                del self.indexes[name]
                return 200, {}
            case ("POST", "upsert-data"):
                return self._upsert(held, json.loads(body["inputs_json"]))
            case ("DELETE", "delete-data"):
                for key in query["primary_keys"]:
                    held["rows"].pop(key, None)
                return 200, {"status": "SUCCESS"}
            case ("POST", "query"):
                return self._query(held, body)
            case ("POST", "scan"):
                keys = sorted(key for key in held["rows"] if key > (body.get("last_primary_key") or ""))
                page = keys[: body.get("num_results", 10)]
                data = [{"fields": [_field(*pair) for pair in held["rows"][key].items()]} for key in page]
                return 200, {"data": data, "last_primary_key": page[-1] if page else ""}
        return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path}

    def _create(self, body: Any) -> Answer:
        if body["name"] in self.indexes:
            return 409, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": f"Index {body['name']} already exists."}
        spec = body["direct_access_index_spec"]
        column = spec["embedding_vector_columns"][0]
        self.indexes[body["name"]] = {
            "key": body["primary_key"],
            "schema": json.loads(spec["schema_json"]),
            "vector": column["name"],
            "dimension": column["embedding_dimension"],
            "rows": {},
            "looks": 0,
        }
        return 200, {"name": body["name"]}

    def _list(self, query: dict[str, list[str]]) -> Answer:
        names = sorted(self.indexes)
        start = int(query.get("page_token", ["0"])[0])
        found = [{"name": name, "endpoint_name": query["endpoint_name"][0]} for name in names[start : start + _PAGE]]
        more = {"next_page_token": str(start + _PAGE)} if start + _PAGE < len(names) else {}
        return 200, {"vector_indexes": found, **more}

    def _upsert(self, held: dict[str, Any], rows: list[dict[str, Any]]) -> Answer:
        for row in rows:
            if set(row) != set(held["schema"]) or len(row[held["vector"]]) != held["dimension"]:
                return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "the row does not fit the schema"}
            held["rows"][row[held["key"]]] = row
        return 200, {"status": "SUCCESS", "result": {"success_row_count": len(rows)}}

    def _query(self, held: dict[str, Any], body: Any) -> Answer:
        conditions = json.loads(body.get("filters_json") or "{}")
        found = nearest(
            list(held["rows"].values()),
            body["query_vector"],
            body.get("num_results", 10),
            lambda row: all(row[name] == value for name, value in conditions.items()),
        )
        # Scores come as Databricks makes them of the distance, not as cosines.
        data = [[*(row[name] for name in body["columns"]), 1 / (1 + 2 - 2 * score)] for score, row in found]
        columns = [{"name": name} for name in [*body["columns"], "score"]]
        return 200, {
            "manifest": {"column_count": len(columns), "columns": columns},
            "result": {"row_count": len(data), "data_array": data},
        }


def _field(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"key": name, "value": {"list_value": {"values": [{"number_value": number} for number in value]}}}
    return {"key": name, "value": {"number_value" if isinstance(value, int) else "string_value": value}}
