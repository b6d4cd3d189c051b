"""The record of files that were loaded, kept in the warehouse beside the rows."""

from collections.abc import Iterable
from pathlib import Path

from .attributes import FileTable, LoadedTable
from .files import SourceError, SourceFile
from .loading import SAMPLE, Loader
from .staging import StagedTable

TABLE = "_loaded_files"
_COLUMNS = ("table_name", "file", "version")


class LoadedFiles:
    """The table ``_loaded_files`` of a dataset: a row for each file, written by the load that took its rows.

    A file counts as loaded once the load is complete. Rows of a load that was cut off are taken back, so that a file
    is neither lost nor doubled.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def not_loaded(self, table: FileTable, files: list[SourceFile]) -> list[SourceFile]:
        """Those files that are new, or changed where that matters.

        Raises:
            SourceError: the table has rows whose files nobody wrote down.
        """
        columns, _ = self._loader.progress(table)
        if not columns:
            return files
        known = self._known(table.name)
        if table.write_disposition == "append":
            self._take_back(table.name)
            if not known and self._count(table.name):
                relation = f"{self._loader.dataset}.{table.name}"
                raise SourceError(
                    f"table {relation}: only_new {table.only_new} cannot tell which files its rows came from, as they "
                    f"were loaded without it; drop {relation} to load it anew."
                )
        if table.only_new == "name":
            names = {name for name, _ in known}
            return [file for file in files if file.key not in names]
        return [file for file in files if (file.key, file.version) not in known]

    def staged(self, tables: Iterable[StagedTable], work: Path) -> list[StagedTable]:
        """The new rows of the record, to be loaded along with the tables."""
        rows = [
            (done.table.name, file.key, file.version)
            for done in tables
            if isinstance(done.table, FileTable) and done.table.only_new
            for file in done.files
        ]
        if not rows:
            return []
        import duckdb

        parquet = work / f"{TABLE}.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE files ({', '.join(f'{name} VARCHAR' for name in _COLUMNS)})")
            connection.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)
            target = str(parquet).replace("'", "''")
            connection.execute(f"COPY files TO '{target}' (FORMAT parquet)")
        table = LoadedTable(name=TABLE, description="Files that were loaded.", write_disposition="append")
        columns = {name: {"name": name, "data_type": "text", "nullable": False} for name in _COLUMNS}
        return [StagedTable(table, [], parquet, columns, len(rows), is_asset=False)]

    def _known(self, table: str) -> set[tuple[str, str]]:
        """Names and versions of the files of a table that complete loads took."""
        engine, dataset = self._loader.engine, self._loader.dataset
        if not engine.relation_type(dataset, TABLE):
            return set()
        quoted = ", ".join(map(engine.quote, ("file", "version")))
        query = (
            f"SELECT {quoted} FROM {engine.qualify(dataset, TABLE)} "  # noqa: S608 - quoted
            f"WHERE {engine.quote('table_name')} = '{table}' "
            f"AND {self._complete(of_the_source=not self._loader.sample)}"
        )
        return {(name, version) for name, version in engine.query(query).rows}

    def _take_back(self, table: str) -> None:
        """Delete the rows of loads that were never completed."""
        engine = self._loader.engine
        relation = engine.qualify(self._loader.dataset, table)
        engine.execute(f"DELETE FROM {relation} WHERE NOT ({self._complete()})")  # noqa: S608 - quoted

    def _count(self, table: str) -> int:
        engine = self._loader.engine
        return engine.query(f"SELECT count(*) FROM {engine.qualify(self._loader.dataset, table)}").rows[0][0]  # noqa: S608 - quoted

    def _complete(self, *, of_the_source: bool = False) -> str:
        """The condition that a row's load was completed, and was not one of the sample where that matters."""
        engine = self._loader.engine
        loads = engine.qualify(self._loader.dataset, "_dlt_loads")
        real = f"right({engine.quote('schema_name')}, {len(SAMPLE)}) <> '{SAMPLE}'" if of_the_source else "1 = 1"
        return f"{engine.quote('_dlt_load_id')} IN (SELECT {engine.quote('load_id')} FROM {loads} WHERE {real})"  # noqa: S608 - quoted
