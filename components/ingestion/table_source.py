"""What the sources that read first and load afterwards have in common: assets, runs, samples and results."""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.kind import engine_kind
from .attributes import NAME_PATTERN, LoadedTable, SchemaContract
from .files import SourceError, SourceUnreachableError
from .loading import Loader
from .staging import StagedTable


@dataclass(frozen=True)
class Place:
    """Where a source is written down.

    Args:
        name: Name of its op, pipeline and dlt schema: follows the folder of the YAML, stable from run to run.
        project_root: The project's root.
        folder: Folder of the YAML.
    """

    name: str
    project_root: Path
    folder: Path


@dataclass(frozen=True)
class Run:
    """One run of a source: what it reads, and what it loads with."""

    context: dg.AssetExecutionContext
    place: Place
    tables: Sequence[Any]
    loader: Loader
    work: Path


@dataclass(kw_only=True)
class TableSource(StrictComponent):
    """Base of such sources; a subclass says which ``tables`` there are, where rows come from, and reads them."""

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
            description="What a new column in the source does: evolve adds it, freeze refuses the load."
        ),
    ] = "evolve"
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    loader_class: ClassVar[type[Loader]] = Loader

    def __post_init__(self) -> None:
        names = [table.name for table in self.declared_tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tables: name {', '.join(map(repr, twice))} is there more than once")

    @property
    @abstractmethod
    def declared_tables(self) -> Sequence[LoadedTable]:
        """The tables of the YAML."""

    @abstractmethod
    def opened(self, place: Place) -> tuple[Any, str | None]:
        """The source in force, whatever its class reads from, and why it is the sample where it is.

        Raises:
            SourceError: it cannot be opened as the YAML says.
        """

    @abstractmethod
    def read(self, run: Run, source: Any) -> list[StagedTable]:
        """Read all tables of a run into files.

        Raises:
            SourceError: a table cannot be read as the YAML says.
        """

    def loaded(self, run: Run, source: Any) -> tuple[Sequence[Any], dict[str, str]]:
        """Read the tables of a run and load them; what was read, and dlt's load id by table."""
        staged = self.read(run, source)
        return staged, run.loader.load(staged)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One subsettable multi-asset with an asset for each table."""
        engine = engine_kind(context)
        place = Place(_name(context), context.project_root, context.path)

        @dg.multi_asset(
            name=f"load_{place.name}",
            specs=[self._spec(table, engine) for table in self.declared_tables],
            can_subset=True,
            required_resource_keys={"warehouse"},
        )
        def load_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            try:
                yield from self._load(context, place)
            except SourceError as error:
                again = isinstance(error, SourceUnreachableError)
                raise dg.Failure(description=str(error), allow_retries=again) from None

        return dg.Definitions(assets=[load_tables])

    def _spec(self, table: LoadedTable, engine: set[str]) -> dg.AssetSpec:
        # Where the data goes: a kind that is a database may be where it comes from.
        storage = {"dagster/storage_kind": next(iter(engine))} if engine else {}
        return dg.AssetSpec(
            key=[self.dataset, table.name],
            description=table.description,
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"dlt", self.kind_of(table)} | engine,
            metadata={"dagster/table_name": f"{self.dataset}.{table.name}", **storage},
        )

    def kind_of(self, table: LoadedTable) -> str:
        """The format or system that a table comes from, as an asset's kind."""
        return table.file_format

    def _load(self, context: dg.AssetExecutionContext, place: Place) -> Iterator[dg.MaterializeResult]:
        warehouse = context.resources.warehouse
        selected = [
            table
            for table in self.declared_tables
            if dg.AssetKey([self.dataset, table.name]) in context.selected_asset_keys
        ]
        source, sampled = self.opened(place)
        if sampled:
            context.log.warning(f"{place.name} loads sample rows: {sampled}")
        warehouse.query("SELECT 1")  # a refused login is told in our words, before any work
        with TemporaryDirectory(prefix=f"{place.name}-", ignore_cleanup_errors=True) as temporary:
            loader = self.loader_class(
                place.name, self.dataset, warehouse.engine, Path(temporary), sample=bool(sampled)
            )
            self._check_origin(loader, selected, sampled)
            staged, loads = self.loaded(Run(context, place, selected, loader, Path(temporary)), source)
        for table in staged:
            if table.is_asset:
                yield self._result(context, table, loads.get(table.table.name), loader.name, bool(sampled))

    def _check_origin(self, loader: Loader, selected: Sequence[LoadedTable], sampled: str | None) -> None:
        """Keep rows of the sample and of the real source apart; raises SourceError where one would spoil the other."""
        if sampled and (kept := loader.tables_of_the_source([table.name for table in selected])):
            named = ", ".join(f"{self.dataset}.{name}" for name in kept)
            raise SourceError(f"{named}: rows of the real source are there, and {sampled}. Set it, or drop the table.")

    def _result(
        self, context: dg.AssetExecutionContext, staged: StagedTable, load_id: str | None, pipeline: str, sample: bool
    ) -> dg.MaterializeResult:
        engine = context.resources.warehouse.engine
        table = staged.table
        relation = engine.qualify(self.dataset, table.name)
        rows = engine.query(f"SELECT count(*) FROM {relation}").rows[0][0]  # noqa: S608 - quoted
        columns = [dg.TableColumn(column.name, column.type) for column in engine.columns(self.dataset, table.name)]
        metadata: dict[str, Any] = {
            "dagster/row_count": rows,
            "dagster/column_schema": dg.TableSchema(columns),
            "rows_loaded": staged.rows,
            "write_disposition": table.write_disposition,
            **staged.metadata,
            "dlt_pipeline": pipeline,
            "warehouse": f"{engine.title} ({context.resources.warehouse.target})",
        }
        if load_id:
            metadata["dlt_load_id"] = load_id
        if sample:
            metadata["sample"] = True
        return dg.MaterializeResult(asset_key=[self.dataset, table.name], metadata=metadata)


def _name(context: dg.ComponentLoadContext) -> str:
    path = context.component_path
    folder = path.file_path.parent if path.file_path.suffix else path.file_path
    parts = [
        *folder.relative_to(context.defs_module_path).parts,
        *([str(path.instance_key)] if path.instance_key else []),
    ]
    name = re.sub(r"[^a-z0-9]+", "_", "_".join(parts).lower()).strip("_")
    return name if name[:1].isalpha() else f"files_{name}".strip("_")  # dlt takes no name that begins with a digit
