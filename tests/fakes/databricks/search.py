"""Vector Search: endpoints, and indexes that follow a Delta table of the SQL warehouse."""

from typing import Any

from databricks.sdk.service import vectorsearch as api

from tests.fakes.databricks.wire import Ask, Refused, checked, page, route, shaped


class Search:
    """Endpoints and indexes.

    Attributes:
        looks_until_ready: After how many looks an endpoint is online and a synchronisation is done.
        fails_with: What a synchronisation ends with that fails.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.endpoints: dict[str, int] = {}
        self.indexes: dict[str, dict[str, Any]] = {}
        self.looks_until_ready = 2
        self.fails_with: str | None = None

    @route("POST", "vector-search/endpoints")
    def create_endpoint(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.VectorSearchEndpointsAPI.create_endpoint, ask.body)
        if body["name"] in self.endpoints:
            raise Refused(409, "ALREADY_EXISTS", f"Vector search endpoint with name {body['name']} already exists.")
        self.endpoints[body["name"]] = 0
        return self._endpoint(body["name"])

    @route("GET", "vector-search/endpoints/{name}")
    def get_endpoint(self, ask: Ask) -> dict[str, Any]:
        if ask["name"] not in self.endpoints:
            raise Refused(404, "NOT_FOUND", f"Vector search endpoint {ask['name']} not found.")
        self.endpoints[ask["name"]] += 1
        return shaped(api.EndpointInfo, self._endpoint(ask["name"]))

    @route("GET", "vector-search/indexes")
    def list_indexes(self, ask: Ask) -> dict[str, Any]:
        found = [{"name": name, "endpoint_name": each["endpoint_name"]} for name, each in self.indexes.items()]
        return page(found, ask.query, "vector_indexes", 20)

    @route("POST", "vector-search/indexes")
    def create_index(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.VectorSearchIndexesAPI.create_index, ask.body)
        if self.endpoints.get(body["endpoint_name"], 0) < self.looks_until_ready:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Endpoint {body['endpoint_name']} is not online.")
        if body["name"] in self.indexes:
            raise Refused(409, "RESOURCE_ALREADY_EXISTS", f"Index {body['name']} already exists.")
        columns = {column for column, _ in self._columns(body["delta_sync_index_spec"]["source_table"])}
        if body["primary_key"] not in columns:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Column {body['primary_key']} is not in the source table.")
        self.indexes[body["name"]] = {**body, "looks": 0, "rows": 0, "syncs": 0}
        return self._index(body["name"])

    @route("GET", "vector-search/indexes/{name}")
    def get_index(self, ask: Ask) -> dict[str, Any]:
        held = self._held(ask["name"])
        held["looks"] += 1
        if held["looks"] == self.looks_until_ready and not self.fails_with:
            source = held["delta_sync_index_spec"]["source_table"]
            held["rows"] = self._workspace.sql.run(f"SELECT count(*) FROM {source}")[0][0]
        return shaped(api.VectorIndex, self._index(ask["name"]))

    @route("POST", "vector-search/indexes/{name}/sync")
    def sync(self, ask: Ask) -> dict[str, Any]:
        held = self._held(ask["name"])
        if held["looks"] < self.looks_until_ready:
            raise Refused(400, "BAD_REQUEST", f"Index {ask['name']} is not ready to sync yet.")
        held |= {"looks": 0, "syncs": held["syncs"] + 1}
        return {}

    @route("DELETE", "vector-search/indexes/{name}")
    def delete_index(self, ask: Ask) -> dict[str, Any]:
        self._held(ask["name"])
        del self.indexes[ask["name"]]
        return {}

    @route("POST", "vector-search/indexes/{name}/query")
    def query(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.VectorSearchIndexesAPI.query_index, ask.body)
        held = self._held(ask["name"])
        columns = ", ".join(body["columns"])
        source = held["delta_sync_index_spec"]["source_table"]
        rows = self._workspace.sql.run(f"SELECT {columns} FROM {source} LIMIT {body.get('num_results', 10)}")
        names = [{"name": name} for name in [*body["columns"], "score"]]
        data = [[*map(str, row), "0.9"] for row in rows]
        answer = {"manifest": {"column_count": len(names), "columns": names}}
        return shaped(api.QueryVectorIndexResponse, {**answer, "result": {"row_count": len(rows), "data_array": data}})

    def _held(self, name: str) -> dict[str, Any]:
        if name not in self.indexes:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Index {name} does not exist.")
        return self.indexes[name]

    def _endpoint(self, name: str) -> dict[str, Any]:
        online = self.endpoints[name] >= self.looks_until_ready
        state = {"state": "ONLINE" if online else "PROVISIONING"}
        return {"name": name, "endpoint_type": "STANDARD", "endpoint_status": state}

    def _index(self, name: str) -> dict[str, Any]:
        held = self.indexes[name]
        done = held["looks"] >= self.looks_until_ready and not self.fails_with
        message = self.fails_with or ("Index is ready" if done else "Index is being synchronised")
        spec = {
            key: value
            for key, value in held["delta_sync_index_spec"].items()
            if key in api.DeltaSyncVectorIndexSpecResponse.__dataclass_fields__
        }
        return {
            "name": name,
            "endpoint_name": held["endpoint_name"],
            "primary_key": held["primary_key"],
            "index_type": held["index_type"],
            "delta_sync_index_spec": spec,
            "status": {"ready": done, "indexed_row_count": held["rows"], "message": message},
        }

    def _columns(self, table: str) -> list[tuple[Any, ...]]:
        try:
            return self._workspace.sql.run(f"DESCRIBE {table}") and [
                (row[0], row[1]) for row in self._workspace.sql.run(f"DESCRIBE {table}")
            ]
        except Exception:
            raise Refused(404, "TABLE_DOES_NOT_EXIST", f"Table '{table}' does not exist.") from None
