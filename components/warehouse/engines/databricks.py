"""Databricks SQL: a SQL warehouse of a workspace, through the statement execution API."""

import os
from dataclasses import dataclass
from typing import Any

from .base import Column, WarehouseError
from .cloud import CloudEngine
from .databricks_statements import StatementCursor

RETRY_SECONDS = 60


@dataclass(frozen=True)
class Databricks(CloudEngine):
    """A SQL warehouse of a Databricks workspace; tables stand in ``DATABRICKS_CATALOG`` or the workspace's own."""

    name = "databricks"
    title = "Databricks SQL"
    dialect = "databricks"
    load_format = "parquet"
    required_environment = ("DATABRICKS_HOST", "DATABRICKS_HTTP_PATH")

    def check_environment(self) -> None:
        """Raise WarehouseError where a variable is missing, or both ways to log in."""
        super().check_environment()
        by_key = os.environ.get("DATABRICKS_CLIENT_ID") and os.environ.get("DATABRICKS_CLIENT_SECRET")
        if not (os.environ.get("DATABRICKS_TOKEN") or by_key):
            raise WarehouseError(
                "The production warehouse (Databricks SQL) needs DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and "
                "DATABRICKS_CLIENT_SECRET, in the environment."
            )

    def _dlt_destination(self) -> Any:
        """A dlt destination for this warehouse."""
        import dlt
        from dlt.destinations.impl.databricks.configuration import DatabricksCredentials

        self.check_environment()
        if not (catalog := os.environ.get("DATABRICKS_CATALOG")):
            raise WarehouseError("Loading into Databricks SQL needs DATABRICKS_CATALOG in the environment.")
        credentials = DatabricksCredentials(
            catalog=catalog,
            server_hostname=os.environ["DATABRICKS_HOST"].removeprefix("https://").rstrip("/"),
            http_path=os.environ["DATABRICKS_HTTP_PATH"],
            access_token=os.environ.get("DATABRICKS_TOKEN"),
            client_id=os.environ.get("DATABRICKS_CLIENT_ID"),
            client_secret=os.environ.get("DATABRICKS_CLIENT_SECRET"),
        )
        return dlt.destinations.databricks(
            credentials=credentials, destination_name="warehouse", replace_strategy="staging-optimized"
        )

    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, or None where the catalog has no such relation."""
        rows = self._catalog("table_type", "tables", schema, table)
        return None if not rows else "view" if "VIEW" in rows[0][0] else "table"

    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order."""
        rows = self._catalog("column_name, data_type", "columns", schema, table, "ORDER BY ordinal_position")
        return [Column(name, kind) for name, kind in rows]

    def _catalog(self, what: str, view: str, schema: str, table: str, order: str = "") -> list[tuple[Any, ...]]:
        # Unity Catalog keeps the names of schemas and tables in small letters.
        where = f"table_schema = {_text(schema.lower())} AND table_name = {_text(table.lower())}"
        return self.query(f"SELECT {what} FROM information_schema.{view} WHERE {where} {order}").rows  # noqa: S608 - escaped

    def replace_rows(self, schema: str, table: str, select: str, inside: str) -> None:
        """Make the rows for which ``inside`` holds those of ``select``, in the one statement that Delta has for it.

        Raises:
            WarehouseError: ``select`` has rows outside: Delta refuses them.
        """
        relation, query = self.qualify(schema, table), self.one_query(select)
        if not self.relation_type(schema, table):
            # Delta checks only rows for a table that is there; no empty one is left behind by a wrong query.
            counted = f"SELECT count(*) AS n FROM ({query}) AS query WHERE NOT coalesce({inside}, false)"  # noqa: S608 - checked
            if outside := self.query(counted).rows[0][0]:
                raise WarehouseError(f"{outside:,} rows of the query are not where {inside}")
            empty = f"SELECT * FROM ({query}) AS query LIMIT 0"  # noqa: S608 - checked
            self.execute(self.create_schema(schema), f"CREATE TABLE IF NOT EXISTS {relation} AS {empty}")
        try:
            self.execute(f"INSERT INTO {relation} REPLACE WHERE {inside} {query}")
        except WarehouseError as error:
            if "DELTA_REPLACE_WHERE_MISMATCH" not in str(error):
                raise
            raise WarehouseError(f"rows of the query are not where {inside}: {error}") from None

    def quote(self, identifier: str) -> str:
        """An identifier as SQL."""
        return "`" + identifier.replace("`", "``") + "`"

    def _open(self) -> tuple[Any, Any]:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config

        path = os.environ["DATABRICKS_HTTP_PATH"]
        before, _, warehouse = path.rpartition("/warehouses/")
        if not before or not warehouse or "/" in warehouse:
            raise WarehouseError(
                f"DATABRICKS_HTTP_PATH: {path!r} is not valid; expected a SQL warehouse's path, such as "
                "/sql/1.0/warehouses/1234567890abcdef."
            )
        try:
            config = Config(
                host=os.environ["DATABRICKS_HOST"],
                token=os.environ.get("DATABRICKS_TOKEN") or None,
                client_id=os.environ.get("DATABRICKS_CLIENT_ID") or None,
                client_secret=os.environ.get("DATABRICKS_CLIENT_SECRET") or None,
                retry_timeout_seconds=RETRY_SECONDS,
                http_timeout_seconds=RETRY_SECONDS,
                product="dagster",
            )
            client = WorkspaceClient(config=config)
        except ValueError as error:
            raise WarehouseError(f"Databricks SQL cannot be logged in to: {self._words(error)}") from None
        cursor = StatementCursor(client, warehouse, os.environ.get("DATABRICKS_CATALOG") or None, self._refusal)
        return cursor, cursor

    def _refusal(self, error: Exception) -> str:
        from databricks.sdk import errors

        host, path = os.environ["DATABRICKS_HOST"], os.environ["DATABRICKS_HTTP_PATH"]
        place = f"Databricks SQL at {host!r} ({path})"
        words = self._words(error)
        if isinstance(error, errors.Unauthenticated):
            return f"{place} refused the login. Check DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and its secret."
        if isinstance(error, errors.PermissionDenied):
            return f"{place} denies it: {words} Check what the login may do on the SQL warehouse and the catalog."
        if isinstance(error, errors.NotFound):
            return f"{place} does not know it: {words} Check DATABRICKS_HTTP_PATH."
        if isinstance(error, errors.DatabricksError):
            return f"{place}: {words}"
        return f"{place} does not answer. Check DATABRICKS_HOST and the network."

    def _words(self, error: Exception) -> str:
        words = " ".join(str(error).split()).split(" Config: ")[0]  # the SDK adds its whole configuration
        for variable in ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET"):
            if secret := os.environ.get(variable):
                words = words.replace(secret, "***")
        return words

    def _driver_error(self) -> type[Exception]:
        from databricks.sdk.errors import DatabricksError

        error: type[Exception] = DatabricksError
        return error


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
