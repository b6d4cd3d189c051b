"""Loading staged tables through dlt, file by file: no row passes through Python."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from ..warehouse.engines.base import Engine
from .attributes import LoadedTable
from .staging import StagedTable

BATCH_ROWS = 50_000
SAMPLE = "_sample"  # ends the name of the schema that sample rows are loaded under
_TELEMETRY = "RUNTIME__DLTHUB_TELEMETRY"
# What a user has set stays.
_DLT_SETTINGS = {
    _TELEMETRY: "false",  # nothing reaches the network
    "LOAD__TRUNCATE_STAGING_DATASET": "true",  # or every table would be kept twice
}


class Loader:
    """One dlt pipeline that keeps its state in the warehouse only.

    Its working folder is new in every run, so that neither a failed load nor another clone, target or deleted
    warehouse file leaves anything behind that a later run would take up.

    Args:
        name: Name of the pipeline and of its dlt schema; stable from run to run.
        dataset: Dataset (the warehouse's schema) that receives the tables.
        engine: The warehouse.
        work: Folder for the pipeline's working files.
        sample: Whether it loads sample rows, which the real rows are to replace one day.
    """

    def __init__(self, name: str, dataset: str, engine: Engine, work: Path, *, sample: bool = False) -> None:
        for setting, value in _DLT_SETTINGS.items():
            os.environ.setdefault(setting, value)
        import dlt
        from dlt.common.runtime.anon_tracker import disable_anon_tracker

        if os.environ[_TELEMETRY] == "false":
            disable_anon_tracker()  # which other code of this process may have started
        self.dataset, self.engine, self.sample = dataset, engine, sample
        self.name = f"{name}{SAMPLE}" if sample else name
        self._outdated: set[str] = set()
        self._pipeline = dlt.pipeline(
            pipeline_name=self.name,
            pipelines_dir=str(work / "pipelines"),
            destination=engine.dlt_destination(),
            dataset_name=dataset,
        )

    def normalize(self, column: str) -> str:
        """A column's name in the warehouse, by dlt's naming convention."""
        import dlt

        return dlt.Schema(self.name).naming.normalize_identifier(column)

    def existing_columns(self, tables: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The columns with dlt's hints of those tables that the warehouse has."""
        clients: Any = self._pipeline.destination_client()  # SQL clients have more than their base class
        with clients as client:
            return {name: dict(columns) for name, columns in client.get_storage_tables(tables) if columns}

    def greatest(self, table: str, column: str) -> Any:
        """The greatest value of a column in the warehouse, or None."""
        engine = self.engine
        relation = engine.qualify(self.dataset, table)
        return engine.query(f"SELECT max({engine.quote(column)}) FROM {relation}").rows[0][0]  # noqa: S608 - quoted

    def progress(self, table: LoadedTable) -> tuple[dict[str, dict[str, Any]], Any]:
        """The columns that a table has, with dlt's hints, and its cursor's greatest value; sample rows do not count."""
        columns = self.existing_columns([table.name]).get(table.name, {})
        if columns and not self.sample and self._loaded_by([table.name], sample=True):
            self._outdated.add(table.name)
            return {}, None
        cursor = self.normalize(table.cursor) if table.cursor else None
        return columns, self.greatest(table.name, cursor) if cursor in columns else None

    def tables_of_the_source(self, tables: Sequence[str]) -> list[str]:
        """Those of the tables that hold rows of a real source."""
        return self._loaded_by(tables, sample=False)

    def _loaded_by(self, tables: Sequence[str], *, sample: bool) -> list[str]:
        """Tables with rows of a sample, or with rows of a real source."""
        engine = self.engine
        if not engine.relation_type(self.dataset, "_dlt_loads"):
            return []
        loads = engine.qualify(self.dataset, "_dlt_loads")
        schema, load_id, row_id = (engine.quote(name) for name in ("schema_name", "load_id", "_dlt_load_id"))
        kind = f"right({schema}, {len(SAMPLE)}) {'=' if sample else '<>'} '{SAMPLE}'"
        if not engine.query(f"SELECT 1 FROM {loads} WHERE {kind} LIMIT 1").rows:  # noqa: S608 - quoted
            return []  # as in production, where no table need be searched
        found = []
        for table in tables:
            if engine.relation_type(self.dataset, table):
                query = (
                    f"SELECT 1 FROM {engine.qualify(self.dataset, table)} WHERE {row_id} IN "  # noqa: S608 - quoted
                    f"(SELECT {load_id} FROM {loads} WHERE {kind}) LIMIT 1"
                )
                found += [table] if engine.query(query).rows else []
        return found

    def load(self, staged: Sequence[StagedTable]) -> dict[str, str]:
        """Load tables, all in one package, and return dlt's load id for each that has something to load."""
        staged = [table for table in staged if table.columns]
        self._drop_outdated()
        forgotten = self._forgotten([table.table.name for table in staged])
        loads: dict[str, str] = {}
        for tables, refresh in (
            ([table for table in staged if table.table.name not in forgotten], None),
            ([table for table in staged if table.table.name in forgotten], "drop_resources"),
        ):
            if tables:
                load_id = self._run(tables, refresh)
                loads |= {table.table.name: load_id for table in tables}
        return loads

    def _drop_outdated(self) -> None:
        """Drop the tables of sample rows that real ones are about to replace."""
        for table in sorted(self._outdated):
            for dataset in (self.dataset, f"{self.dataset}_staging"):
                self.engine.execute(f"DROP TABLE IF EXISTS {self.engine.qualify(dataset, table)}")

    def _forgotten(self, tables: Sequence[str]) -> set[str]:
        """Tables that dlt has loaded before and somebody has dropped since: dlt would not make them again."""
        if not self.engine.relation_type(self.dataset, "_dlt_version"):
            return set()
        self._pipeline.sync_destination()
        if self.name not in self._pipeline.schemas:
            return set()
        known = self._pipeline.schemas[self.name].tables
        return {name for name in tables if name in known} - self.existing_columns(tables).keys()

    def _run(self, staged: Sequence[StagedTable], refresh: Any) -> str:
        import dlt

        if refresh:
            self._prepare_refresh()
        source = dlt.source(lambda: [self._resource(table) for table in staged], name=self.name)
        # Otherwise dlt would turn Parquet into the format that the destination likes best, row by row.
        as_it_is: Any = "parquet" if self.engine.load_format == "parquet" else None
        return str(self._pipeline.run(source(), refresh=refresh, loader_file_format=as_it_is).loads_ids[0])

    def _prepare_refresh(self) -> None:
        """Give the staging dataset the table that dlt looks into when it drops others, but does not always make."""
        engine, staging, versions = self.engine, f"{self.dataset}_staging", "_dlt_version"
        if not engine.relation_type(staging, versions):
            known = f"SELECT * FROM {engine.qualify(self.dataset, versions)} WHERE 1 = 0"  # noqa: S608 - quoted
            engine.execute(
                engine.create_schema(staging), f"CREATE TABLE {engine.qualify(staging, versions)} AS {known}"
            )

    def _resource(self, staged: StagedTable) -> Any:
        import dlt

        def rows() -> Iterator[Any]:
            from dlt.common.configuration.container import Container
            from dlt.common.storages.load_package import LoadPackageStateInjectableContext

            load_id = Container()[LoadPackageStateInjectableContext].load_id
            load_id_column: Any = {"name": "_dlt_load_id", "data_type": "text", "nullable": False}
            hints = dlt.mark.make_hints(columns=[*cast(Any, staged.columns.values()), load_id_column])
            if self.engine.load_format in ("parquet", "insert_values") and not staged.rows:
                yield dlt.mark.with_hints(dlt.mark.materialize_table_schema(), hints)  # dlt passes over such a file
                return
            if self.engine.load_format == "insert_values":
                for batch in _batches(staged, load_id):
                    yield dlt.mark.with_hints(batch, hints)
                return
            file = _LOAD_FILES[self.engine.load_format](staged, load_id)
            yield dlt.mark.with_file_import(str(file), self.engine.load_format, staged.rows, hints=hints)

        return dlt.resource(rows, name=staged.table.name, write_disposition=staged.table.write_disposition)


def _model_file(staged: StagedTable, load_id: str) -> Path:
    """A query that the warehouse itself runs over the staged file."""
    from dlt.common.destination.client import SqlModel

    columns = ", ".join(f'"{name}"' for name in staged.columns)
    query = f"SELECT {columns}, '{load_id}' AS \"_dlt_load_id\" FROM read_parquet('{_escaped(staged.parquet)}')"  # noqa: S608
    file = staged.parquet.with_suffix(".model")
    file.write_text(str(SqlModel.from_query_string(query, dialect="duckdb")), encoding="utf-8")
    return file


def _csv_file(staged: StagedTable, load_id: str) -> Path:
    """The staged rows as CSV, for a warehouse that takes files over its connection."""
    columns = ", ".join(
        f"""'\\x' || lower(hex("{name}")) AS "{name}\"""" if column["data_type"] == "binary" else f'"{name}"'
        for name, column in staged.columns.items()
    )
    return _copied(staged, columns, load_id, staged.parquet.with_suffix(".csv"), "FORMAT csv, HEADER true")


def _parquet_file(staged: StagedTable, load_id: str) -> Path:
    """The staged rows as Parquet, for a warehouse that loads such files itself."""
    columns = ", ".join(f'"{name}"' for name in staged.columns)
    return _copied(staged, columns, load_id, staged.parquet.with_suffix(".load.parquet"), "FORMAT parquet")


def _batches(staged: StagedTable, load_id: str) -> Iterator[Any]:
    """The staged rows in pieces, for a warehouse that takes neither files nor queries over them."""
    from pyarrow import array
    from pyarrow.parquet import ParquetFile

    for batch in ParquetFile(staged.parquet).iter_batches(BATCH_ROWS):
        yield batch.append_column("_dlt_load_id", array([load_id] * len(batch)))


def _copied(staged: StagedTable, columns: str, load_id: str, file: Path, options: str) -> Path:
    """A copy of the staged rows that carries dlt's load id."""
    import duckdb

    query = f"SELECT {columns}, '{load_id}' AS \"_dlt_load_id\" FROM read_parquet('{_escaped(staged.parquet)}')"  # noqa: S608
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        connection.execute(f"COPY ({query}) TO '{_escaped(file)}' ({options})")
    return file


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")


_LOAD_FILES = {"model": _model_file, "csv": _csv_file, "parquet": _parquet_file}
