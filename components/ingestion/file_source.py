"""The component that loads files into the warehouse through dlt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.kind import engine_kind
from .attributes import NAME_PATTERN, FileLocation, FileTable, SchemaContract
from .files import SourceError, source_folder, table_files
from .loading import Loader
from .staging import StagedTable, Stager


class FileSourceParams(BaseModel):
    """What the scaffolder asks."""

    folder: str = Field(default="data/landing", description="Folder of the files, from the project's root")
    table: str = Field(default="orders", description="Table name in the warehouse", pattern=NAME_PATTERN)
    file: str = Field(default="orders*.csv", description="File name or glob pattern")


class FileSourceScaffolder(dg.Scaffolder[FileSourceParams]):
    """Writes a source with one table."""

    @classmethod
    def get_scaffold_params(cls) -> type[FileSourceParams]:
        """Folder, table and file."""
        return FileSourceParams

    def scaffold(self, request: dg.ScaffoldRequest[FileSourceParams]) -> None:
        """Write ``defs.yaml``."""
        params = request.params
        table = {
            "name": params.table,
            "file": params.file,
            "description": f"Rows of {params.file}: say what one row is, and who makes it.",
        }
        attributes = {"source": {"folder": params.folder}, "dataset": "raw", "tables": [table], "group": "ingestion"}
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(FileSourceScaffolder)
@dataclass
class FileSourceComponent(StrictComponent):
    """Files, one asset a table, loaded into the warehouse by dlt.

    Everything is read and checked before anything is loaded; a table that is replaced keeps its old rows until then.
    Empty text loads as no value. In CSV and JSON Lines, dates and times are recognised in ISO 8601 only, and a time
    without a zone is UTC. A column keeps the type of its first load.

    .. code-block:: yaml

        type: components.FileSourceComponent
        attributes:
          source: {folder: data/landing}
          tables:
            - name: orders
              file: orders/*.parquet
              description: One row an order, from the web shop.
              write_disposition: merge
              primary_key: [order_id]
              cursor: updated_at
            - name: customers
              file: customers.csv.gz
              description: One row a customer, from the CRM.
              null_values: [NA]
              columns: {zip_code: text}
          owners: [team:data]
          group: raw
          tags: {classification: internal}
    """

    source: Annotated[FileLocation, dg.Resolver.default(description="Where the files stand.")]
    tables: Annotated[list[FileTable], dg.Resolver.default(description="The tables, and the files of each.")]
    dataset: Annotated[
        str,
        dg.Resolver.default(
            description="Dataset (schema) of the tables, and first part of their asset keys.",
            json_schema_extra={"pattern": NAME_PATTERN},
        ),
    ] = "raw"
    schema_contract: Annotated[
        SchemaContract,
        dg.Resolver.default(
            description="What a new column in the files does: evolve adds it, freeze refuses the load."
        ),
    ] = "evolve"
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [table.name for table in self.tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tables: name {', '.join(map(repr, twice))} is there more than once")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One subsettable multi-asset with an asset for each table."""
        engine = engine_kind(context)
        name, project_root = _name(context), context.project_root

        @dg.multi_asset(
            name=f"load_{name}",
            specs=[self._spec(table, engine) for table in self.tables],
            can_subset=True,
            required_resource_keys={"warehouse"},
        )
        def load_files(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            try:
                yield from self._load(context, name, project_root)
            except SourceError as error:
                raise dg.Failure(description=str(error), allow_retries=False) from None

        return dg.Definitions(assets=[load_files])

    def _spec(self, table: FileTable, engine: set[str]) -> dg.AssetSpec:
        return dg.AssetSpec(
            key=[self.dataset, table.name],
            description=table.description,
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"dlt", table.file_format} | engine,
            metadata={"dagster/table_name": f"{self.dataset}.{table.name}"},
        )

    def _load(self, context: dg.AssetExecutionContext, name: str, project_root: Path) -> Iterator[dg.MaterializeResult]:
        warehouse = context.resources.warehouse
        selected = [
            table for table in self.tables if dg.AssetKey([self.dataset, table.name]) in context.selected_asset_keys
        ]
        folder = source_folder(self.source, project_root)
        files = {table.name: table_files(table, folder) for table in selected}
        warehouse.query("SELECT 1")  # a refused login is told in our words, before any work
        with TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True) as temporary:
            loader = Loader(name, self.dataset, warehouse.engine, Path(temporary))
            staged = self._stage(context, loader, selected, files, Path(temporary))
            loads = loader.load(staged)
        for table in staged:
            yield self._result(context, table, loads[table.table.name], name)

    def _stage(
        self,
        context: dg.AssetExecutionContext,
        loader: Loader,
        selected: list[FileTable],
        files: dict[str, list[Path]],
        work: Path,
    ) -> list[StagedTable]:
        staged = []
        existing = loader.existing_columns([table.name for table in selected])
        with Stager(work, self.dataset, loader.normalize) as stager:
            for table in selected:
                columns = existing.get(table.name, {})
                cursor = loader.normalize(table.cursor) if table.cursor else None
                since = loader.greatest(table.name, cursor) if cursor in columns else None
                freeze = self.schema_contract == "freeze"
                done = stager.stage(table, files[table.name], columns, since, freeze=freeze)
                named = ", ".join(file.name for file in done.files[:3])
                context.log.info(f"{self.dataset}.{table.name}: {done.rows:,} rows read from {named}")
                staged.append(done)
        return staged

    def _result(
        self, context: dg.AssetExecutionContext, staged: StagedTable, load_id: str, pipeline: str
    ) -> dg.MaterializeResult:
        engine = context.resources.warehouse.engine
        table = staged.table
        relation = engine.qualify(self.dataset, table.name)
        rows = engine.query(f"SELECT count(*) FROM {relation}").rows[0][0]  # noqa: S608 - quoted
        columns = [dg.TableColumn(column.name, column.type) for column in engine.columns(self.dataset, table.name)]
        return dg.MaterializeResult(
            asset_key=[self.dataset, table.name],
            metadata={
                "dagster/row_count": rows,
                "dagster/column_schema": dg.TableSchema(columns),
                "rows_loaded": staged.rows,
                "write_disposition": table.write_disposition,
                "files": [file.name for file in staged.files],
                "file_bytes": sum(file.stat().st_size for file in staged.files),
                "dlt_load_id": load_id,
                "dlt_pipeline": pipeline,
                "warehouse": f"{engine.title} ({context.resources.warehouse.target})",
            },
        )


def _name(context: dg.ComponentLoadContext) -> str:
    """A name for op, pipeline and dlt schema that follows the folder of the YAML and is stable from run to run."""
    path = context.component_path
    folder = path.file_path.parent if path.file_path.suffix else path.file_path
    parts = [
        *folder.relative_to(context.defs_module_path).parts,
        *([str(path.instance_key)] if path.instance_key else []),
    ]
    name = re.sub(r"[^a-z0-9]+", "_", "_".join(parts).lower()).strip("_")
    return name if name[:1].isalpha() else f"files_{name}".strip("_")  # dlt takes no name that begins with a digit
