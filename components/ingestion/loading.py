"""Loading staged tables through dlt, file by file: no row passes through Python."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from ..warehouse.engines.base import Engine
from .staging import StagedTable

# What a user has set stays.
_DLT_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",  # nothing reaches the network
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
    """

    def __init__(self, name: str, dataset: str, engine: Engine, work: Path) -> None:
        for setting, value in _DLT_SETTINGS.items():
            os.environ.setdefault(setting, value)
        import dlt

        self._name, self._dataset, self._engine, self._work = name, dataset, engine, work
        self._pipeline = dlt.pipeline(
            pipeline_name=name,
            pipelines_dir=str(work / "pipelines"),
            destination=engine.dlt_destination(),
            dataset_name=dataset,
        )

    def normalize(self, column: str) -> str:
        """A column's name in the warehouse, by dlt's naming convention."""
        import dlt

        return dlt.Schema(self._name).naming.normalize_identifier(column)

    def existing_columns(self, tables: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The columns with dlt's hints of those tables that the warehouse has."""
        clients: Any = self._pipeline.destination_client()  # SQL clients have more than their base class
        with clients as client:
            return {name: dict(columns) for name, columns in client.get_storage_tables(tables) if columns}

    def greatest(self, table: str, column: str) -> Any:
        """The greatest value of a column in the warehouse, or None."""
        engine = self._engine
        relation = engine.qualify(self._dataset, table)
        return engine.query(f"SELECT max({engine.quote(column)}) FROM {relation}").rows[0][0]  # noqa: S608 - quoted

    def load(self, staged: Sequence[StagedTable]) -> dict[str, str]:
        """Load tables, all in one package, and return dlt's load id for each."""
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

    def _forgotten(self, tables: Sequence[str]) -> set[str]:
        """Tables that dlt has loaded before and somebody has dropped since: dlt would not make them again."""
        if not self._engine.relation_type(self._dataset, "_dlt_version"):
            return set()
        self._pipeline.sync_destination()
        if self._name not in self._pipeline.schemas:
            return set()
        known = self._pipeline.schemas[self._name].tables
        return {name for name in tables if name in known} - self.existing_columns(tables).keys()

    def _run(self, staged: Sequence[StagedTable], refresh: Any) -> str:
        import dlt

        source = dlt.source(lambda: [self._resource(table) for table in staged], name=self._name)
        # Otherwise dlt would turn Parquet into the format that the destination likes best, row by row.
        as_it_is: Any = "parquet" if self._engine.load_format == "parquet" else None
        return str(self._pipeline.run(source(), refresh=refresh, loader_file_format=as_it_is).loads_ids[0])

    def _resource(self, staged: StagedTable) -> Any:
        import dlt

        def rows() -> Iterator[Any]:
            from dlt.common.configuration.container import Container
            from dlt.common.storages.load_package import LoadPackageStateInjectableContext

            load_id = Container()[LoadPackageStateInjectableContext].load_id
            load_id_column: Any = {"name": "_dlt_load_id", "data_type": "text", "nullable": False}
            hints = dlt.mark.make_hints(columns=[*cast(Any, staged.columns.values()), load_id_column])
            if self._engine.load_format == "parquet" and not staged.rows:
                yield dlt.mark.with_hints(dlt.mark.materialize_table_schema(), hints)  # dlt passes over such a file
                return
            file = _LOAD_FILES[self._engine.load_format](staged, load_id)
            yield dlt.mark.with_file_import(str(file), self._engine.load_format, staged.rows, hints=hints)

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
