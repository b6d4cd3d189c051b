"""Unity Catalog: catalogs, schemas, tables, volumes and grants; what is stored is what the SQL warehouse has."""

import time
from typing import Any

from databricks.sdk.service import catalog as api

from tests.fakes.databricks.wire import Ask, Refused, checked, page, route, shaped

_KINDS = {"INTEGER": ("INT", "int"), "BIGINT": ("LONG", "bigint"), "VARCHAR": ("STRING", "string")}
_KINDS |= {"DOUBLE": ("DOUBLE", "double"), "DATE": ("DATE", "date"), "BOOLEAN": ("BOOLEAN", "boolean")}
_TITLES = {"catalog": "Catalog", "schema": "Schema", "table": "Table", "volume": "Volume"}


class Catalog:
    """What the metastore holds.

    Attributes:
        denied: A privilege that the login lacks, by the full name of what it is needed on.
        updated: When a table was written last, as seconds since 1970, by full name; now for all others.
        grants: Privileges by securable and principal.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self._sql = workspace.sql
        self.catalogs: dict[str, dict[str, Any]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.grants: dict[tuple[str, str], dict[str, set[str]]] = {}
        self.denied: dict[str, str] = {}
        self.updated: dict[str, float] = {}
        self.page_size = 50
        self._began = time.time()

    def add(self, schema: str) -> None:
        """Make ``catalog.schema``, as an administrator would."""
        catalog = schema.split(".")[0]
        if catalog not in self.catalogs:
            self._catalog({"name": catalog})
        self._schema({"name": schema.split(".")[1], "catalog_name": catalog})

    @route("GET", "unity-catalog/catalogs")
    def list_catalogs(self, ask: Ask) -> dict[str, Any]:
        return page(list(self.catalogs.values()), ask.query, "catalogs", self.page_size)

    @route("POST", "unity-catalog/catalogs")
    def create_catalog(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.CatalogsAPI.create, ask.body)
        self._allowed("metastore", "CREATE CATALOG", "Metastore")
        self._new(body["name"] in self.catalogs, "CATALOG", body["name"])
        return self._catalog(body)

    @route("GET", "unity-catalog/catalogs/{name}")
    def get_catalog(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.CatalogInfo, self._found(self.catalogs, "catalog", ask["name"]))

    @route("GET", "unity-catalog/schemas")
    def list_schemas(self, ask: Ask) -> dict[str, Any]:
        found = [each for each in self.schemas.values() if each["catalog_name"] == ask.query["catalog_name"]]
        return page(found, ask.query, "schemas", self.page_size)

    @route("POST", "unity-catalog/schemas")
    def create_schema(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.SchemasAPI.create, ask.body)
        self._found(self.catalogs, "catalog", body["catalog_name"])
        self._allowed(body["catalog_name"], "CREATE SCHEMA", "Catalog")
        name = f"{body['catalog_name']}.{body['name']}"
        self._new(name in self.schemas, "SCHEMA", name)
        return self._schema(body)

    @route("GET", "unity-catalog/schemas/{name}")
    def get_schema(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.SchemaInfo, self._found(self.schemas, "schema", ask["name"]))

    @route("GET", "unity-catalog/volumes")
    def list_volumes(self, ask: Ask) -> dict[str, Any]:
        prefix = f"{ask.query['catalog_name']}.{ask.query['schema_name']}."
        found = [each for name, each in self.volumes.items() if name.startswith(prefix)]
        return page(found, ask.query, "volumes", self.page_size)

    @route("POST", "unity-catalog/volumes")
    def create_volume(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.VolumesAPI.create, ask.body)
        schema = f"{body['catalog_name']}.{body['schema_name']}"
        self._found(self.schemas, "schema", schema)
        self._allowed(schema, "CREATE VOLUME", "Schema")
        name = f"{schema}.{body['name']}"
        self._new(name in self.volumes, "VOLUME", name)
        if body["volume_type"] == "EXTERNAL" and not body.get("storage_location"):
            raise Refused(400, "INVALID_PARAMETER_VALUE", "CreateVolume storage_location is required")
        self.volumes[name] = {**body, "full_name": name, "owner": "ann@example.com"}
        return shaped(api.VolumeInfo, self.volumes[name])

    @route("GET", "unity-catalog/volumes/{name}")
    def get_volume(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.VolumeInfo, self._found(self.volumes, "volume", ask["name"]))

    @route("GET", "unity-catalog/tables")
    def list_tables(self, ask: Ask) -> dict[str, Any]:
        schema = f"{ask.query['catalog_name']}.{ask.query['schema_name']}"
        self._found(self.schemas, "schema", schema)
        with self._sql.lock:
            found = self._sql.database.execute(
                "SELECT table_name, list(column_name ORDER BY column_index), list(data_type ORDER BY column_index) "
                "FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? GROUP BY 1 ORDER BY 1",
                schema.split("."),
            ).fetchall()
        columns = {f"{schema}.{name}": list(zip(*fields, strict=True)) for name, *fields in found}
        answer = page([name for name in columns if name not in self.denied], ask.query, "tables", self.page_size)
        return {**answer, "tables": [self._described(name, columns[name]) for name in answer["tables"]]}

    @route("GET", "unity-catalog/tables/{name}")
    def get_table(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.TableInfo, self._table(ask["name"]))

    @route("DELETE", "unity-catalog/tables/{name}")
    def delete_table(self, ask: Ask) -> dict[str, Any]:
        self._table(ask["name"])
        self._sql.run(f"DROP TABLE {ask['name']}")
        return {}

    @route("GET", "unity-catalog/permissions/{kind}/{name}")
    def get_grants(self, ask: Ask) -> dict[str, Any]:
        held = self.grants.get((ask["kind"].lower(), ask["name"]), {})
        found = [{"principal": who, "privileges": sorted(what)} for who, what in sorted(held.items()) if what]
        return shaped(api.GetPermissionsResponse, page(found, ask.query, "privilege_assignments", self.page_size))

    @route("PATCH", "unity-catalog/permissions/{kind}/{name}")
    def change_grants(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.GrantsAPI.update, ask.body)
        self._allowed(ask["name"], "MANAGE", _TITLES.get(ask["kind"].lower(), ask["kind"]))
        held = self.grants.setdefault((ask["kind"].lower(), ask["name"]), {})
        for change in body["changes"]:
            mine = held.setdefault(change["principal"], set())
            mine |= set(change.get("add") or [])
            mine -= set(change.get("remove") or [])
        return {k: v for k, v in self.get_grants(ask).items() if k == "privilege_assignments"}

    def _catalog(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._sql.lock:
            self._sql.dialect.attach(body["name"])
        self.catalogs[body["name"]] = {**body, "full_name": body["name"], "owner": "ann@example.com"}
        return shaped(api.CatalogInfo, self.catalogs[body["name"]])

    def _schema(self, body: dict[str, Any]) -> dict[str, Any]:
        name = f"{body['catalog_name']}.{body['name']}"
        with self._sql.lock:
            catalog, schema = name.split(".")
            self._sql.database.execute(f'CREATE SCHEMA IF NOT EXISTS "{catalog}"."{schema}"')
        self.schemas[name] = {**body, "full_name": name, "owner": "ann@example.com"}
        return shaped(api.SchemaInfo, self.schemas[name])

    def _table(self, name: str) -> dict[str, Any]:
        catalog, schema, table = name.split(".")
        self._allowed(name, "SELECT", "Table")
        with self._sql.lock:
            columns = self._sql.database.execute(
                "SELECT column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
                [catalog, schema, table],
            ).fetchall()
        if not columns:
            raise Refused(404, "TABLE_DOES_NOT_EXIST", f"Table '{name}' does not exist.")
        return self._described(name, columns)

    def _described(self, name: str, columns: list[tuple[str, str]]) -> dict[str, Any]:
        catalog, schema, table = name.split(".")
        fields = []
        for place, (column, kind) in enumerate(columns):
            type_name, text = _KINDS.get(kind, (kind.split("(")[0].split(" ")[0], kind.lower()))
            fields.append({"name": column, "type_name": type_name, "type_text": text, "position": place})
        return {
            "name": table,
            "catalog_name": catalog,
            "schema_name": schema,
            "full_name": name,
            "table_type": "MANAGED",
            "data_source_format": "DELTA",
            "columns": fields,
            "owner": "ann@example.com",
            "updated_at": int(self.updated.get(name, self._began) * 1000),
        }

    def _found(self, held: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
        privilege = {"catalog": "USE CATALOG", "schema": "USE SCHEMA", "volume": "READ VOLUME"}[kind]
        self._allowed(name, privilege, _TITLES[kind])
        if name not in held:
            raise Refused(404, f"{kind.upper()}_DOES_NOT_EXIST", f"{_TITLES[kind]} '{name}' does not exist.")
        return held[name]

    def _new(self, is_there: bool, kind: str, name: str) -> None:
        if is_there:
            raise Refused(400, f"{kind}_ALREADY_EXISTS", f"{kind.capitalize()} '{name}' already exists")

    def _allowed(self, name: str, privilege: str, title: str) -> None:
        if self.denied.get(name) == privilege:
            message = f"User does not have {privilege} on {title} '{name}'."
            raise Refused(403, "PERMISSION_DENIED", message)
