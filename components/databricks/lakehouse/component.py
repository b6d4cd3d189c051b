"""The component that keeps a Delta or Iceberg table by a query, on this machine or in the workspace."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import dagster as dg
from pydantic import BaseModel, Field

from ...attributes import AssetKeys, Description, Group, Owners, SqlFile, Tags
from ...base import StrictComponent
from ...compute.sizes import approved_size
from ...governance.policy import policy_for
from ...spark.attributes import SparkEngine, SparkRemoteEnv
from ...warehouse.engines.base import WarehouseError
from ...warehouse.lakehouse import Lakehouse, TableName, default_catalog
from ...warehouse.sql import Sql, defs_folder, load_sql
from ..attributes import CatalogName
from ..target import databricks_target
from .remembered import remembered
from .session import SessionError, chosen_engine
from .sql_query import QueryError, parsed, tables_read
from .store import SchemaChangedError, SchemaChanges
from .table import LakehouseTable, TableMistakeError, write_here

KEY_PATTERN = r"^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"


class LakehouseTableParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="gold/example", description="Asset key, schema/table", pattern=KEY_PATTERN)


class LakehouseTableScaffolder(dg.Scaffolder[LakehouseTableParams]):
    """Writes a table and its SQL file."""

    @classmethod
    def get_scaffold_params(cls) -> type[LakehouseTableParams]:
        """The asset key."""
        return LakehouseTableParams

    def scaffold(self, request: dg.ScaffoldRequest[LakehouseTableParams]) -> None:
        """Write ``defs.yaml`` and a SQL file named after the table."""
        file = f"{request.params.key.split('/')[1]}.sql"
        (request.target_path / file).write_text("SELECT 1 AS id, 'first' AS name\n", encoding="utf-8")
        dg.scaffold_component(
            request,
            {
                "key": request.params.key,
                "sql_file": file,
                "description": "Say what one row is, and what the table is for.",
                "owners": ["team:data"],
            },
        )


@dg.scaffold_with(LakehouseTableScaffolder)
@dataclass
class LakehouseTableComponent(StrictComponent):
    """A Delta or Iceberg table kept by a query: replaced, appended to, merged into, or a part of it overwritten.

    On this machine Spark without Java writes it below the project; in the workspace that ``DATABRICKS_HOST`` names, the
    SQL warehouse does. Readers see the old rows until all new ones are there. The tables that the query reads become
    upstream assets.

    .. code-block:: yaml

        type: components.LakehouseTableComponent
        attributes:
          key: gold/numbers
          description: One row a number.
          sql: SELECT 1 AS n, 'one' AS word
          mode: merge
          merge_keys: [n]
          schema_changes: refuse
          columns:
            n: The number.
          properties: {quality: gold}
          owners: [team:data]
          tags:
            domain: numbers
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key: schema/table.",
            examples=["gold/routes"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    description: Description
    sql: Annotated[str | None, dg.Resolver.default(description="The query, in Databricks SQL.")] = None
    sql_file: SqlFile = None
    python_file: Annotated[
        str | None,
        dg.Resolver.default(
            description="Python file beside this one, instead of SQL: its rows(spark) gives a DataFrame. In the "
            "workspace Python is a pipeline's or a notebook's to run.",
            examples=["rows.py"],
            json_schema_extra={"pattern": r"\.py$"},
        ),
    ] = None
    catalog: CatalogName = None
    format: Annotated[Literal["delta", "iceberg"], dg.Resolver.default(description="Format of the table.")] = "delta"
    mode: Annotated[
        Literal["replace", "append", "merge", "overwrite_partitions"],
        dg.Resolver.default(description="What happens to the rows that are there."),
    ] = "replace"
    merge_keys: Annotated[
        list[str], dg.Resolver.default(description="Columns that tell which row is meant; for mode merge.")
    ] = field(default_factory=list)
    partition_by: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that the files are parted by; mode overwrite_partitions replaces the parts that the "
            "query has."
        ),
    ] = field(default_factory=list)
    schema_changes: Annotated[
        SchemaChanges, dg.Resolver.default(description="Whether other columns than before are refused.")
    ] = "refuse"
    columns: Annotated[dict[str, str], dg.Resolver.default(description="Comments of columns, by name.")] = field(
        default_factory=dict
    )
    properties: Annotated[
        dict[str, str], dg.Resolver.default(description="Properties of the table.", examples=[{"quality": "gold"}])
    ] = field(default_factory=dict)
    depends_on: AssetKeys = field(default_factory=list)
    spark_engine: SparkEngine = None
    spark_remote_env: SparkRemoteEnv = "SPARK_REMOTE"
    compute_size: Annotated[
        str | None, dg.Resolver.default(description="Approved size of policy.yaml: what Spark may use here.")
    ] = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where attributes contradict each other."""
        if (self.mode == "merge") != bool(self.merge_keys):
            raise ValueError("merge_keys: expected columns with mode merge, and none with the other modes")
        if self.mode == "overwrite_partitions" and not self.partition_by:
            raise ValueError("partition_by: expected columns with mode overwrite_partitions")
        if self.format == "iceberg" and self.mode == "merge":
            raise ValueError("mode: merge is for format delta; an Iceberg table can be replaced or appended to here")
        if self.python_file and (self.sql or self.sql_file):
            raise ValueError("expected one of sql, sql_file and python_file")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        folder, project_root = defs_folder(context), context.project_root
        name = TableName(self.catalog or default_catalog(), *self.key.lower().split("/"))
        where = f"{folder / 'defs.yaml'}: {self.key}"
        source, reads = self._source(folder, name, project_root)
        size = None
        if self.compute_size is not None:
            size = approved_size(policy_for(project_root), self.compute_size, where)
        table = LakehouseTable(
            name,
            source.text,
            Path(source.origin) if self.python_file else None,
            self.mode,
            tuple(self.merge_keys),
            tuple(self.partition_by),
            self.schema_changes,
            self.description,
            self.columns,
            self.properties,
            self.format,
        )
        upstream = dict.fromkeys([*reads, *map(dg.AssetKey.from_user_string, self.depends_on)])

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            deps=list(upstream),
            owners=self.owners,
            group_name=self.group or name.schema,
            tags=self.tags,
            kinds={"databricks" if databricks_target() == "workspace" else "spark", self.format, "sql"},
            metadata={"dagster/table_name": str(name)},
            code_version=source.version,
        )
        def lakehouse_table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                if databricks_target() == "workspace":
                    from .workspace_table import write_there

                    return write_there(context, table, project_root)
                engine = chosen_engine(self.spark_engine, self.spark_remote_env)
                return write_here(context, table, Lakehouse.of(project_root), engine, size, self.spark_remote_env)
            except (SchemaChangedError, SessionError, TableMistakeError, QueryError) as error:
                raise dg.Failure(description=f"{where} ({source.origin}): {error}", allow_retries=False) from None
            except WarehouseError as error:
                raise dg.Failure(description=f"{where} ({source.origin}): {error}") from None

        return dg.Definitions(assets=[lakehouse_table])

    def _source(self, folder: Path, name: TableName, project_root: Path) -> tuple[Sql, list[dg.AssetKey]]:
        """The query, or the Python file's text, and the assets that a query reads."""
        if self.python_file is not None:
            file = folder / self.python_file
            if not file.is_file():
                raise ValueError(f"{folder / 'defs.yaml'}: python_file {self.python_file!r} does not exist")
            return Sql(file.read_text(encoding="utf-8"), str(file)), []
        source = load_sql(self.sql, self.sql_file, folder, partitioned=False)
        try:
            reads = remembered(project_root, f"table {name}", source.text, lambda: tables_read(parsed(source.text)))
            found = [TableName.parse(read, name.catalog, name.schema) for read in reads]
        except QueryError as error:
            raise dg.DagsterInvalidDefinitionError(f"{source.origin}:{error.line}: {error}") from None
        return source, [dg.AssetKey([read.schema, read.table]) for read in found if read != name]
