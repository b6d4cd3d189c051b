"""The component that keeps a table or view in the warehouse by SQL."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import AssetKeys, Description, Group, Owners, SqlFile, Tags
from ..base import StrictComponent
from .engines.base import Column, Engine, WarehouseError
from .kind import engine_kind
from .partition import SqlPartition, partition_of
from .sql import PARTITION_PLACEHOLDERS, Sql, defs_folder, load_sql
from .transpile import DialectError, WrittenIn, transpiled

KEY_PATTERN = r"^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"


class SqlTableParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="marts/example", description="Asset key, schema/table", pattern=KEY_PATTERN)


class SqlTableScaffolder(dg.Scaffolder[SqlTableParams]):
    """Writes a table and its SQL file."""

    @classmethod
    def get_scaffold_params(cls) -> type[SqlTableParams]:
        """The asset key."""
        return SqlTableParams

    def scaffold(self, request: dg.ScaffoldRequest[SqlTableParams]) -> None:
        """Write ``defs.yaml`` and a SQL file named after the table."""
        file = f"{request.params.key.split('/')[1]}.sql"
        (request.target_path / file).write_text("select 1 as id\n", encoding="utf-8")
        attributes = {
            "key": request.params.key,
            "sql_file": file,
            "materialized": "table",
            "description": "Say what one row is, and what the table is for.",
            "group": "warehouse",
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(SqlTableScaffolder)
@dataclass
class SqlTableComponent(StrictComponent):
    """A table or view of the warehouse, made by a query.

    Readers see the old rows until all new ones are there. The SQL may use ``{{ partition.key }}``,
    ``{{ partition.start }}`` and ``{{ partition.end }}`` where a partition is given.

    .. code-block:: yaml

        type: components.SqlTableComponent
        attributes:
          key: marts/numbers
          description: One row a number.
          sql: SELECT 1 AS n
          materialized: table
          columns:
            n: The number.
          dialect: duckdb
          owners: [team:data]
          group: marts
          tags:
            domain: numbers
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key: schema/table.",
            examples=["marts/busiest_routes"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    description: Description
    sql: Annotated[str | None, dg.Resolver.default(description="The query.")] = None
    sql_file: SqlFile = None
    materialized: Annotated[Literal["table", "view"], dg.Resolver.default(description="What the warehouse keeps.")] = (
        "table"
    )
    depends_on: AssetKeys = field(default_factory=list)
    columns: Annotated[dict[str, str], dg.Resolver.default(description="Descriptions of columns, by name.")] = field(
        default_factory=dict
    )
    partition: Annotated[
        SqlPartition | None, dg.Resolver.default(description="Time partitions; a table without them is replaced whole.")
    ] = None
    dialect: WrittenIn = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    @classmethod
    def get_additional_scope(cls) -> dict[str, Any]:
        """``partition`` in the YAML's SQL, which stays a template until the query runs."""
        return {"partition": PARTITION_PLACEHOLDERS}

    def __post_init__(self) -> None:
        if self.partition and self.materialized == "view":
            raise ValueError(f"{self.key}: partition needs materialized table; a view has no rows of its own")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        sql = load_sql(self.sql, self.sql_file, defs_folder(context), partitioned=self.partition is not None)

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            deps=[dg.AssetKey.from_user_string(key) for key in self.depends_on],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"sql", self.materialized} | engine_kind(context),
            metadata={"dagster/table_name": self.key.replace("/", ".")},
            code_version=sql.version,
            partitions_def=self.partition.definition() if self.partition else None,
            required_resource_keys={"warehouse"},
        )
        def sql_table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self.materialize(context, sql)
            except (WarehouseError, DialectError) as error:
                raise dg.Failure(description=f"{self.key} ({sql.origin}): {error}") from None

        return dg.Definitions(assets=[sql_table])

    def materialize(self, context: dg.AssetExecutionContext, sql: Sql) -> dg.MaterializeResult:
        """Run the query and say what came of it."""
        engine: Engine = context.resources.warehouse.engine
        schema, table = self.key.split("/")
        partition = partition_of(context) if self.partition else None
        query = transpiled(sql.render(partition), self.dialect, engine.dialect, sql.origin)
        found = self._check_columns(engine, query, sql)
        if self.partition and partition:
            inside = engine.between(found[self.partition.column], partition.start, partition.end)
            engine.replace_rows(schema, table, query, inside)
        elif self.materialized == "view":
            engine.replace_view(schema, table, query)
        else:
            engine.replace_table(schema, table, query)
        relation = engine.qualify(schema, table)
        rows = engine.query(f"SELECT count(*) AS n FROM {relation}").rows[0][0]  # noqa: S608 - quoted
        context.log.info(f"{relation}: {rows:,} rows")
        columns = [
            dg.TableColumn(column.name, column.type, description=self.columns.get(column.name))
            for column in engine.columns(schema, table)
        ]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "dagster/column_schema": dg.TableSchema(columns),
                "relation": relation,
                "sql": dg.MetadataValue.md(f"```sql\n{query.strip()}\n```"),
                "warehouse": f"{engine.title} ({context.resources.warehouse.target})",
            }
        )

    def _check_columns(self, engine: Engine, query: str, sql: Sql) -> dict[str, Column]:
        """The columns of the query, so that a mistake in it is found before the relation is touched."""
        found = {column.name: column for column in engine.describe(query)}
        wanted = [*self.columns, *([self.partition.column] if self.partition else [])]
        if missing := [name for name in wanted if name not in found]:
            raise dg.Failure(
                description=f"{self.key} ({sql.origin}): the query has no column {', '.join(map(repr, missing))}; "
                f"it has: {', '.join(found)}",
                allow_retries=False,
            )
        return found
