"""The component that loads files into the warehouse through dlt."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, Field

from .attributes import NAME_PATTERN, FileLocation, FileTable
from .files import Folder, SourceFile
from .loaded_files import LoadedFiles
from .sample import sample_reason
from .staging import StagedTable, Stager
from .table_source import Place, Run, TableSource


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
@dataclass(kw_only=True)
class FileSourceComponent(TableSource):
    """Files of a folder or an object store, one asset a table, loaded into the warehouse by dlt.

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

    @property
    def declared_tables(self) -> Sequence[FileTable]:
        """The tables."""
        return self.tables

    def opened(self, place: Place) -> tuple[Any, str | None]:
        """The folder or the object store, and why it is the sample."""
        source = self.source
        if source.url_env and (url := os.environ.get(source.url_env)):
            return self._store(url, source.url_env, place), None
        if source.url_env:
            missing = f"the environment variable {source.url_env} is not set"
            sampled = sample_reason(missing, has_sample=source.sample is not None)
            return Folder.of(str(place.folder / str(source.sample)), None, place.project_root), sampled
        if source.url:
            return self._store(source.url, "url", place), None
        return Folder.of(source.folder or ".", source.package, place.project_root), None

    def _store(self, url: str, key: str, place: Place) -> Any:
        from .object_store import opened_store

        return opened_store(url, key, self.source.credentials, place.project_root)

    def read(self, run: Run, source: Any) -> list[StagedTable]:
        """Find and read the files of each table."""
        ledger = LoadedFiles(run.loader)
        found: dict[str, list[SourceFile]] = {table.name: source.find(table) for table in run.tables}
        for table in run.tables:
            if table.only_new:
                found[table.name] = ledger.not_loaded(table, found[table.name])
        staged = []
        with Stager(run.work, self.dataset, run.loader.normalize) as stager:
            for table in run.tables:
                if files := source.fetch_all(found[table.name], run.work):
                    staged.append(self._staged(run, stager, table, files))
                else:
                    staged.append(StagedTable.nothing(table))
        return [*staged, *ledger.staged(staged, run.work)]

    def _staged(self, run: Run, stager: Stager, table: FileTable, files: list[SourceFile]) -> StagedTable:
        columns, since = run.loader.progress(table)
        done = stager.stage(table, files, columns, since, freeze=self.schema_contract == "freeze")
        named = ", ".join(file.short_name for file in files[:3])
        run.context.log.info(f"{self.dataset}.{table.name}: {done.rows:,} rows read from {named}")
        return done
