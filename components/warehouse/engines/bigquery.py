"""BigQuery: a project, found and logged in to by Google's own environment variables."""

import os
from dataclasses import dataclass
from typing import Any

from .base import Column, WarehouseError
from .bigquery_client import TIMEOUT_SECONDS, bigquery_client, short_job_retry, short_retry, told
from .cloud import CloudEngine

# The API still has the names of legacy SQL.
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
_KINDS = {"TABLE": "table", "VIEW": "view", "MATERIALIZED_VIEW": "materialized view"}


@dataclass(frozen=True)
class BigQuery(CloudEngine):
    """A BigQuery project; a schema is a dataset."""

    name = "bigquery"
    title = "BigQuery"
    dialect = "bigquery"
    load_format = "parquet"
    required_environment = ("GOOGLE_CLOUD_PROJECT",)

    def _dlt_destination(self) -> Any:
        """A dlt destination for this project."""
        import dlt
        from dlt.sources.credentials import GcpServiceAccountCredentials

        self.check_environment()
        credentials = GcpServiceAccountCredentials()  # looks for Google's own login when the first load needs it
        credentials.project_id = os.environ["GOOGLE_CLOUD_PROJECT"]
        location = os.environ.get("BIGQUERY_LOCATION")
        options: dict[str, Any] = {"location": location} if location else {}
        return dlt.destinations.bigquery(
            credentials=credentials,
            destination_name="warehouse",
            replace_strategy="staging-optimized",  # a copy job over the table, in one step
            **options,
        )

    def client(self) -> Any:
        """The Google client; close it after use."""
        self.check_environment()
        return bigquery_client()

    def describe(self, select: str) -> list[Column]:
        """The columns of a query by a dry run, which bills nothing; a limit of no rows would bill the whole scan."""
        from google.cloud.bigquery import QueryJobConfig

        query = self.one_query(select)
        client = self.client()
        try:
            with told():
                job = client.query(
                    query,
                    job_config=QueryJobConfig(dry_run=True, use_query_cache=False),
                    retry=short_retry(),
                    job_retry=None,
                    timeout=TIMEOUT_SECONDS,
                )
                return columns_of(job.schema)
        finally:
            client.close()

    def between(self, column: Column, start: str, end: str) -> str:
        """The condition by literals of the column's own type, so that BigQuery reads only the partitions it needs."""
        name, kind = self.quote(column.name), column.type
        if kind == "DATE":
            if not (start.endswith("00:00:00") and end.endswith("00:00:00")):
                raise WarehouseError(f"column {column.name!r} is a DATE, but the partition is shorter than a day")
            start, end = start[:10], end[:10]
        elif kind not in ("TIMESTAMP", "DATETIME"):
            raise WarehouseError(
                f"column {column.name!r} is {kind}, but a time partition needs DATE, DATETIME or TIMESTAMP"
            )
        zone = "+00" if kind == "TIMESTAMP" else ""
        return f"{name} >= {kind} '{start}{zone}' AND {name} < {kind} '{end}{zone}'"

    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, ``materialized view``, or None where the dataset or the relation is not there."""
        found = self.table(schema, table)
        return None if found is None else _KINDS.get(found.table_type, "table")

    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order."""
        found = self.table(schema, table)
        return columns_of(found.schema) if found else []

    def table(self, schema: str, table: str) -> Any | None:
        """What the client knows of a relation, or None where there is none."""
        from google.api_core.exceptions import NotFound

        client = self.client()
        try:
            with told():
                try:
                    return client.get_table(f"{client.project}.{schema}.{table}", retry=short_retry())
                except NotFound:
                    return None
        finally:
            client.close()

    def replace_rows(self, schema: str, table: str, select: str, inside: str) -> None:
        """Make the rows for which ``inside`` holds those of ``select``, by one script with a transaction."""
        self.execute(self.create_schema(schema), self.replace_rows_script(schema, table, select, inside))

    def replace_rows_script(self, schema: str, table: str, select: str, inside: str, options: str = "") -> str:
        """The script of ``replace_rows``; ``options`` are clauses of a table that is not there yet."""
        relation, staged = self.qualify(schema, table), self.quote(f"{table[:50]}__staged")
        outside = "ERROR(CONCAT(CAST(COUNT(*) AS STRING), " + _text(f" rows of the query are not where {inside}") + "))"
        return (
            f"CREATE OR REPLACE TEMP TABLE {staged} AS {self.one_query(select)}\n;\n"  # noqa: S608 - quoted
            f"SELECT IF(COUNT(*) > 0, {outside}, 0) FROM {staged} WHERE ({inside}) IS NOT TRUE;\n"
            f"CREATE TABLE IF NOT EXISTS {relation} {options} AS SELECT * FROM {staged} LIMIT 0;\n"
            "BEGIN TRANSACTION;\n"
            f"DELETE FROM {relation} WHERE {inside};\n"
            f"INSERT INTO {relation} SELECT * FROM {staged};\n"
            "COMMIT TRANSACTION;\n"
            f"DROP TABLE {staged};"
        )

    def quote(self, identifier: str) -> str:
        """An identifier as SQL."""
        return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def create_schema(self, schema: str) -> str:
        """The statement that makes a dataset, in ``BIGQUERY_LOCATION`` where that is set."""
        location = os.environ.get("BIGQUERY_LOCATION")
        return super().create_schema(schema) + (f" OPTIONS (location = {_text(location)})" if location else "")

    def _open(self) -> tuple[Any, Any]:
        client = bigquery_client()
        return client, _Cursor(client)

    def _driver_error(self) -> type[Exception]:
        from google.api_core.exceptions import GoogleAPIError

        error: type[Exception] = GoogleAPIError
        return error


class _Cursor:
    """Statements as jobs, each with its own result."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.description: list[tuple[str, str]] | None = None
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str) -> None:
        with told():
            job = self._client.query(sql, retry=short_retry(), job_retry=short_job_retry(), timeout=TIMEOUT_SECONDS)
            found = job.result(retry=short_retry())
            self._rows = [tuple(row.values()) for row in found]
            self.description = [(field.name, field.field_type) for field in found.schema or []]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None


def columns_of(schema: Any) -> list[Column]:
    """The columns of a schema of the client, in the names of today's SQL."""
    return [
        Column(
            field.name,
            f"ARRAY<{_TYPES.get(field.field_type, field.field_type)}>"
            if field.mode == "REPEATED"
            else _TYPES.get(field.field_type, field.field_type),
        )
        for field in schema or []
    ]


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
