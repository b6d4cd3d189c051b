"""One materialisation of a BigQuery table: dry run, budget, job, and what the table then says of itself."""

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import dagster as dg

from .bigquery_budget import Price, allowed_bytes, hold_against
from .bigquery_jobs import job_id, job_link, run_job
from .bigquery_labels import label_value
from .engines.base import Column, WarehouseError
from .engines.bigquery_client import TIMEOUT_SECONDS, short_retry, told
from .sql import Partition, Sql

if TYPE_CHECKING:
    from .bigquery_table import BigQueryTableComponent
    from .engines.bigquery import BigQuery


class BigQueryRun:
    """One run of one table.

    Args:
        table: The component.
        engine: The engine.
        sql: The SQL and where it is from.
        price: What reading costs, where that is known.
        labels: Labels of the table and its jobs.
        context: The step.
    """

    def __init__(
        self,
        table: "BigQueryTableComponent",
        engine: "BigQuery",
        sql: Sql,
        price: Price | None,
        labels: dict[str, str],
        context: dg.AssetExecutionContext,
    ) -> None:
        self._table, self._engine, self._sql, self._price = table, engine, sql, price
        self._labels, self._context = labels, context
        self._dataset, self._name = table.key.split("/")
        self._relation = engine.qualify(self._dataset, self._name)

    def materialize(self, query: str, partition: Partition | None) -> dg.MaterializeResult:
        """Make the table, or the rows of one partition.

        Raises:
            WarehouseError: the query is wrong, too dear, or BigQuery refuses it.
        """
        started = time.monotonic()
        query = self._engine.one_query(query)
        client = self._engine.client()
        try:
            columns, read = self._dry_run(client, query)
            self._check_columns(columns)
            hold_against(read, self._table.budget, self._price)
            inside = None
            if self._table.partition and partition:
                inside = self._engine.between(columns[self._table.partition.column], partition.start, partition.end)
            statement = self._statement(query, columns, inside)
            self._make_room(client)
            job = run_job(client, statement, self._job_id(partition, statement), self._config(client), self._log)
            with told():
                made = self._describe(client)
            return self._result(client, job, made, statement, read, inside, time.monotonic() - started)
        finally:
            client.close()

    def _log(self, message: str) -> None:
        self._context.log.info(message)

    def _dry_run(self, client: Any, query: str) -> tuple[dict[str, Column], int]:
        from google.cloud.bigquery import QueryJobConfig

        from .engines.bigquery import columns_of

        config = QueryJobConfig(dry_run=True, use_query_cache=False)
        with told():
            job = client.query(query, job_config=config, retry=short_retry(), job_retry=None, timeout=TIMEOUT_SECONDS)
        read = int(job.total_bytes_processed or 0)
        self._log(f"dry run: {read:,} bytes")
        return {column.name: column for column in columns_of(job.schema)}, read

    def _check_columns(self, found: dict[str, Column]) -> None:
        table = self._table
        wanted = [*table.columns, *table.cluster_by]
        wanted += [table.partition.column] if table.partition else []
        wanted += [table.partition_by.column] if table.partition_by and table.partition_by.column else []
        if missing := [name for name in dict.fromkeys(wanted) if name not in found]:
            raise WarehouseError(f"the query has no column {', '.join(map(repr, missing))}; it has: {', '.join(found)}")

    def _layout(self, columns: dict[str, Column]) -> str:
        table, clauses = self._table, []
        if table.partition_by and not table.partition_by.by_arrival:
            clauses.append(table.partition_by.clause(columns, self._engine.quote(str(table.partition_by.column))))
        if table.cluster_by:
            clauses.append("CLUSTER BY " + ", ".join(map(self._engine.quote, table.cluster_by)))
        if table.require_partition_filter:
            clauses.append("OPTIONS (require_partition_filter = TRUE)")
        return " ".join(clauses)

    def _statement(self, query: str, columns: dict[str, Column], inside: str | None) -> str:
        if inside is not None:
            return self._engine.replace_rows_script(self._dataset, self._name, query, inside, self._layout(columns))
        if self._table.partition_by and self._table.partition_by.by_arrival:
            return query  # such a table cannot be made by a statement with a query: the job's destination makes it
        kind = self._table.materialized.upper().replace("_", " ")
        return f"CREATE OR REPLACE {kind} {self._relation} {self._layout(columns)} AS\n{query}"

    def _config(self, client: Any) -> Any:
        from google.cloud import bigquery

        most = allowed_bytes(self._table.budget, self._price)
        config = bigquery.QueryJobConfig(labels=self._job_labels(), use_query_cache=False)
        if most is not None:
            config.maximum_bytes_billed = most
        by = self._table.partition_by
        if by and by.by_arrival:
            config.destination = f"{client.project}.{self._dataset}.{self._name}"
            config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE
            config.time_partitioning = bigquery.TimePartitioning(
                type_=by.granularity.upper(), require_partition_filter=self._table.require_partition_filter or None
            )
            config.clustering_fields = self._table.cluster_by or None
        return config

    def _job_labels(self) -> dict[str, str]:
        own = {
            "dagster_run_id": label_value(self._context.run.run_id),
            "dagster_asset": label_value(self._table.key),
        }
        return {**dict(list(self._labels.items())[: 64 - len(own)]), **own}

    def _job_id(self, partition: Partition | None, statement: str) -> str:
        run = self._context.run
        # An automatic retry of a run goes on with its first run's jobs; one that a person starts runs anew.
        retried = "dagster/retry_number" in run.tags and run.root_run_id
        return job_id(retried or run.run_id, self._table.key, partition.key if partition else None, statement)

    def _make_room(self, client: Any) -> None:
        """The dataset, and no relation of another kind in the table's place."""
        from google.api_core.exceptions import NotFound

        with told():
            try:
                client.get_dataset(self._dataset, retry=short_retry())
            except NotFound:
                client.create_dataset(self._dataset, exists_ok=True, retry=short_retry())
                self._log(f"dataset {self._dataset} was not there and is made")
        present = self._engine.relation_type(self._dataset, self._name)
        wanted = self._table.materialized.replace("_", " ")
        if present and present != wanted:
            self._engine.execute(f"DROP {present.upper()} {self._relation}")

    def _describe(self, client: Any) -> Any:
        """Put description, labels, expiration and column descriptions on the table."""
        from google.cloud.bigquery import SchemaField

        table = client.get_table(f"{client.project}.{self._dataset}.{self._name}", retry=short_retry())
        table.description, table.labels = self._table.description, self._labels
        changed = ["description", "labels"]
        if days := self._table.expires_after_days:
            table.expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
            changed.append("expires")
        if self._table.columns and self._table.materialized != "materialized_view":
            fields = [field.to_api_repr() for field in table.schema]
            for entry in fields:
                if said := self._table.columns.get(entry["name"]):
                    entry["description"] = said
            table.schema = [SchemaField.from_api_repr(entry) for entry in fields]
            changed.append("schema")
        return client.update_table(table, changed, retry=short_retry())

    def _result(
        self, client: Any, job: Any, made: Any, statement: str, read: int, inside: str | None, seconds: float
    ) -> dg.MaterializeResult:
        from .engines.bigquery import columns_of

        billed = int(job.total_bytes_billed or 0)
        metadata: dict[str, Any] = {
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(column.name, column.type, description=self._table.columns.get(column.name))
                    for column in columns_of(made.schema)
                ]
            ),
            "relation": f"{client.project}.{self._dataset}.{self._name}",
            "sql": dg.MetadataValue.md(f"```sql\n{statement.strip()}\n```"),
            "warehouse": f"{self._engine.title} ({self._context.resources.warehouse.target})",
            "bytes_estimated": read,
            "bytes_processed": int(job.total_bytes_processed or 0),
            "bytes_billed": billed,
            "slot_ms": int(job.slot_millis or 0),
            "run_seconds": round(seconds, 3),
            "job_id": job.job_id,
            "job": dg.MetadataValue.url(job_link(job)),
            "labels": self._labels,
        }
        if self._price:
            metadata["cost_usd"] = self._price.of(billed)
            metadata["price"] = f"{self._price.per_tib_usd:g} USD a TiB ({self._price.as_of})"
        if made.num_rows is not None and self._table.materialized == "table":
            metadata["dagster/row_count"] = int(made.num_rows)
        if inside is not None:
            counted = f"SELECT COUNT(*) AS n FROM {self._relation} WHERE {inside}"  # noqa: S608 - quoted
            metadata["dagster/partition_row_count"] = self._engine.query(counted).rows[0][0]
        return dg.MaterializeResult(metadata=metadata)
