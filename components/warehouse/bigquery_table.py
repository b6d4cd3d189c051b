"""The component that keeps a table or view in BigQuery by SQL, within a budget."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import AssetKeys, Description, Group, Owners, SqlFile, Tags
from ..base import StrictComponent
from .bigquery_budget import Price, QueryBudget, price_of
from .bigquery_labels import check_labels, cost_labels
from .bigquery_layout import PartitionBy, check_layout
from .bigquery_run import BigQueryRun
from .engines.base import WarehouseError
from .kind import engine_kind
from .partition import SqlPartition, partition_of
from .sql import PARTITION_PLACEHOLDERS, Partition, Sql, defs_folder, load_sql
from .sql_table import KEY_PATTERN, SqlTableComponent
from .transpile import DialectError, check_sql

_SOME_DAY = Partition("2000-01-01", "2000-01-01 00:00:00", "2000-01-02 00:00:00")


class BigQueryTableParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="marts/example", description="Asset key, dataset/table", pattern=KEY_PATTERN)


class BigQueryTableScaffolder(dg.Scaffolder[BigQueryTableParams]):
    """Writes a table with a budget, and its SQL file."""

    @classmethod
    def get_scaffold_params(cls) -> type[BigQueryTableParams]:
        """The asset key."""
        return BigQueryTableParams

    def scaffold(self, request: dg.ScaffoldRequest[BigQueryTableParams]) -> None:
        """Write ``defs.yaml`` and a SQL file named after the table."""
        file = f"{request.params.key.split('/')[1]}.sql"
        (request.target_path / file).write_text("SELECT 1 AS id, CURRENT_DATE() AS day\n", encoding="utf-8")
        attributes = {
            "key": request.params.key,
            "sql_file": file,
            "description": "Say what one row is, and what the table is for.",
            "group": "warehouse",
            "partition_by": {"column": "day"},
            "cluster_by": ["id"],
            "budget": {"max_bytes_billed": 10 * 2**30},
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(BigQueryTableScaffolder)
@dataclass
class BigQueryTableComponent(StrictComponent):
    """A table or view of BigQuery, made by a query whose cost is known before it runs.

    The SQL is BigQuery's. On the local target it is rewritten for DuckDB; partitions, clusters, labels and budget then
    have no effect, and the materialisation says so.

    .. code-block:: yaml

        type: components.BigQueryTableComponent
        attributes:
          key: marts/orders_by_day
          description: Orders of a day and their value.
          sql: SELECT DATE '2026-01-01' AS day, 'shop' AS channel, 3 AS orders
          materialized: table
          partition_by:
            column: day
            granularity: month
          cluster_by: [channel]
          require_partition_filter: false
          budget:
            max_bytes_billed: 10737418240
            max_cost_usd: 0.05
            price_per_tib_usd: 6.25
            price_as_of: "2026-11-01"
          labels:
            product: sales
          expires_after_days: 400
          columns:
            orders: Number of orders.
          owners: [team:data]
          group: marts
          tags:
            domain: sales
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key: dataset/table.",
            examples=["marts/orders_by_day"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    description: Description
    sql: Annotated[str | None, dg.Resolver.default(description="The query, in BigQuery's SQL.")] = None
    sql_file: SqlFile = None
    materialized: Annotated[
        Literal["table", "view", "materialized_view"], dg.Resolver.default(description="What BigQuery keeps.")
    ] = "table"
    partition: Annotated[
        SqlPartition | None,
        dg.Resolver.default(description="Time partitions of the asset; a table without them is replaced whole."),
    ] = None
    partition_by: Annotated[PartitionBy | None, dg.Resolver.default(description="How BigQuery splits the table.")] = (
        None
    )
    cluster_by: Annotated[
        list[str], dg.Resolver.default(description="Up to four columns that rows are sorted by.", examples=[["id"]])
    ] = field(default_factory=list)
    require_partition_filter: Annotated[
        bool, dg.Resolver.default(description="Whether queries of the table must name partitions.")
    ] = False
    budget: Annotated[
        QueryBudget | None, dg.Resolver.default(description="The most one run may read; a dry run decides.")
    ] = None
    labels: Annotated[
        dict[str, str],
        dg.Resolver.default(description="Labels of the table and its jobs, over those of owner and tags."),
    ] = field(default_factory=dict)
    expires_after_days: Annotated[
        int | None,
        dg.Resolver.default(
            description="Days after a run when BigQuery drops the table.", json_schema_extra={"minimum": 1}
        ),
    ] = None
    columns: Annotated[dict[str, str], dg.Resolver.default(description="Descriptions of columns, by name.")] = field(
        default_factory=dict
    )
    depends_on: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    @classmethod
    def get_additional_scope(cls) -> dict[str, Any]:
        """``partition`` in the YAML's SQL, which stays a template until the query runs."""
        return {"partition": PARTITION_PLACEHOLDERS}

    def __post_init__(self) -> None:
        view = self.materialized != "table"
        if self.partition and view:
            raise ValueError(f"{self.key}: partition needs materialized table; a view has no rows of its own")
        if self.partition and self.partition_by and self.partition_by.by_arrival:
            raise ValueError(f"{self.key}: partition needs partition_by.column: a rerun would change when rows arrived")
        check_layout(
            self.key, self.partition_by, self.cluster_by, require_filter=self.require_partition_filter, view=view
        )
        check_labels(self.key, self.labels)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        sql = load_sql(self.sql, self.sql_file, defs_folder(context), partitioned=self.partition is not None)
        check_sql(sql.render(_SOME_DAY if self.partition else None), "bigquery", sql.origin)
        price = price_of(self.budget, Path(context.project_root))

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            deps=[dg.AssetKey.from_user_string(key) for key in self.depends_on],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"sql", self.materialized.replace("materialized_", "")} | engine_kind(context),
            metadata={"dagster/table_name": self.key.replace("/", ".")},
            code_version=sql.version,
            partitions_def=self.partition.definition() if self.partition else None,
            required_resource_keys={"warehouse"},
        )
        def bigquery_table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._materialize(context, sql, price)
            except (WarehouseError, DialectError) as error:
                raise dg.Failure(description=f"{self.key} ({sql.origin}): {error}", allow_retries=False) from None

        return dg.Definitions(assets=[bigquery_table])

    def _materialize(self, context: dg.AssetExecutionContext, sql: Sql, price: Price | None) -> dg.MaterializeResult:
        engine = context.resources.warehouse.engine
        partition = partition_of(context) if self.partition else None
        if engine.name == "bigquery":
            run = BigQueryRun(self, engine, sql, price, cost_labels(self.owners, self.tags, self.labels), context)
            return run.materialize(sql.render(partition), partition)
        if context.resources.warehouse.target != "local":
            raise WarehouseError(f"the production warehouse is {engine.title}, but this component needs BigQuery")
        return self._on_a_laptop(context, sql)

    def _on_a_laptop(self, context: dg.AssetExecutionContext, sql: Sql) -> dg.MaterializeResult:
        """The same rows in the local DuckDB file."""
        local = SqlTableComponent(
            key=self.key,
            description=self.description,
            materialized="table" if self.materialized == "table" else "view",
            columns=self.columns,
            partition=self.partition,
            dialect="bigquery",
        )
        made = local.materialize(context, sql)
        names = ("partition_by", "cluster_by", "require_partition_filter", "budget", "labels", "expires_after_days")
        if ignored := [name for name in names if getattr(self, name)]:
            note = f"{', '.join(ignored)}: only on BigQuery"
            context.log.info(note)
            return made._replace(metadata={**(made.metadata or {}), "ignored_locally": note})
        return made
