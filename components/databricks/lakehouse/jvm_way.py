"""Delta tables by Apache Spark on Java, without Delta Lake's jar: Spark computes, and delta-rs keeps the tables.

Spark reads the files of a table's version as Parquet. What it writes are Parquet files beside the tables, which
delta-rs takes over batch by batch in one commit, so that memory does not grow with the rows.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import uuid4

from ...warehouse.lakehouse import Lakehouse, TableName
from .jvm_names import CATALOG, SparkNames, word
from .jvm_snapshot import Snapshot, Snapshots
from .sql_query import parsed
from .store import nullable_schema

_SESSIONS = "sessions"
_FILES = "lakehouse_files"
_FORGOTTEN_AFTER_SECONDS = 2 * 24 * 3600  # longer than any run
_BATCH_ROWS = 65_536
_SELECT = "SELECT * FROM "


class JvmWay:
    """Spark reads Parquet, delta-rs writes Delta.

    Args:
        lakehouse: The folders.
        catalog: Catalog of names that have none.
    """

    def __init__(self, lakehouse: Lakehouse, catalog: str) -> None:
        self.lakehouse, self.names = lakehouse, SparkNames(catalog)
        self.folder = lakehouse.root / _SESSIONS / uuid4().hex
        self.spark: Any = None
        self._schema = ""
        self._snapshots = Snapshots(self.folder / "read")
        self._registered: dict[TableName, Path] = {}
        self._files: dict[Path, str] = {}
        self._numbers = count()

    @property
    def settings(self) -> Mapping[str, str]:
        """Times as Delta has them, and Spark's own files in the session's folder."""
        return {
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            "spark.sql.hive.manageFilesourcePartitions": "false",  # folders tell the partitions
        }

    @contextmanager
    def starting(self) -> Iterator[None]:
        """A folder of the session, which goes with it; that of a process that was killed goes with a later one."""
        for left in self.folder.parent.glob("*"):
            if time.time() - left.stat().st_mtime > _FORGOTTEN_AFTER_SECONDS:
                rmtree(left, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            yield
        finally:
            rmtree(self.folder, ignore_errors=True)

    def started(self, spark: Any, schema: str) -> None:
        """Take the session; a table is registered when it is named."""
        self.spark, self._schema = spark, schema
        for database in (_FILES, word(schema)):
            spark.plain_sql(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        spark.catalog.setCurrentDatabase(word(schema))

    def register(self, name: TableName) -> None:
        """Make a table known under its names, as it is now."""
        if not self.lakehouse.has(name):
            return
        snapshot = self._snapshots.of(self.lakehouse.folder(name))
        if self._registered.get(name) == snapshot.folder:
            return
        self.spark.plain_sql(f"CREATE DATABASE IF NOT EXISTS `{self.names.schema(name)}`")
        columns = ", ".join(map(_quoted, snapshot.columns))
        rows = f"{_SELECT.replace('*', columns)}{self._files_of(snapshot)}"
        self.spark.plain_sql(f"CREATE OR REPLACE VIEW {self.names.quoted(name)} AS {rows}")
        self._registered[name] = snapshot.folder

    def read(self, name: TableName) -> Any:
        """A data frame of the table's rows."""
        return self.rows(self.lakehouse.folder(name))

    def rows(self, folder: str | Path, version: int | str | None = None) -> Any:
        """A data frame of the rows of a Delta table in a folder; of an older version, if it is named."""
        snapshot = self._snapshots.of(Path(folder), version)
        return self.spark.table(self._files_of(snapshot)).select(*map(_quoted, snapshot.columns))

    def reader(self, reader: Any) -> Any:
        """The reader, with ``delta`` as a format."""
        formats = reader.format
        reader.format = lambda source: DeltaReader(self) if source.lower() == "delta" else formats(source)
        return reader

    def query(self, sql: str) -> str:
        """The statement in the names of Spark's catalog; what it reads is there when it runs."""
        schema = self.spark.catalog.currentDatabase()  # the code may have chosen another one
        return self.names.query(sql, self._schema if schema == word(self._schema) else schema, self._met)

    def _met(self, name: TableName) -> bool:
        self.register(name)
        return name in self._registered

    def known_as(self, name: str) -> str:
        """A table's name in Spark's catalog; that of a view stays."""
        return self.query(_SELECT + name).removeprefix(_SELECT)

    def replace(self, name: TableName, rows: Any, partition_by: Sequence[str]) -> None:
        """Make a table of these rows and columns."""
        how = {"schema_mode": "overwrite", "partition_by": list(partition_by)}
        self._write(name, rows, mode="overwrite", **how)

    def replace_inside(self, name: TableName, rows: Any, condition: str) -> None:
        """Put these rows in the place of those for which the condition holds."""
        inside = parsed(condition).sql(dialect="postgres")
        self._write(name, self._ordered(name, rows), mode="overwrite", predicate=inside)

    def append(self, name: TableName, rows: Any) -> None:
        """Add rows."""
        self._write(name, self._ordered(name, rows), mode="append")

    def merge(self, name: TableName, rows: Any, keys: Sequence[str], evolve: bool) -> None:
        """Update the rows with the same keys, and add the others."""
        from deltalake import DeltaTable

        on = " AND ".join(f'(t."{key}" IS NOT DISTINCT FROM s."{key}")' for key in keys)
        with self._batches(rows) as reader:
            table = DeltaTable(self.lakehouse.folder(name))
            merger = table.merge(reader, on, source_alias="s", target_alias="t", merge_schema=evolve)
            merger.when_matched_update_all().when_not_matched_insert_all().execute()
        self.register(name)

    def _write(self, name: TableName, rows: Any, **how: Any) -> None:
        from deltalake import write_deltalake

        with self._batches(rows) as reader:
            write_deltalake(self.lakehouse.folder(name), reader, **how)
        self.register(name)

    @contextmanager
    def _batches(self, rows: Any) -> Iterator[Any]:
        """The rows as record batches, from Parquet files that Spark wrote."""
        import pyarrow.dataset

        folder = self.folder / "written" / str(next(self._numbers))
        rows.write.parquet(str(folder))
        files = sorted(map(str, folder.glob("*.parquet")))
        data = pyarrow.dataset.dataset(files, format="parquet")
        batches = data.scanner(batch_size=_BATCH_ROWS, batch_readahead=2, fragment_readahead=1).to_reader()
        yield batches.cast(nullable_schema(data.schema))
        rmtree(folder)

    def _ordered(self, name: TableName, rows: Any) -> Any:
        """The rows' columns in the table's order."""
        return rows.select(*map(_quoted, self.read(name).columns))

    def _files_of(self, snapshot: Snapshot) -> str:
        """A table of Spark's catalog over the files of a snapshot."""
        from pyspark.sql.types import StructType

        if snapshot.folder not in self._files:
            name = f"`{CATALOG}`.`{_FILES}`.`v{len(self._files)}`"
            columns = StructType.fromJson(dict(snapshot.schema)).toDDL()
            parts = (
                f"PARTITIONED BY ({', '.join(map(_quoted, snapshot.partition_by))})" if snapshot.partition_by else ""
            )
            location = str(snapshot.folder).replace("'", "\\'")
            self.spark.plain_sql(f"CREATE TABLE {name} ({columns}) USING parquet {parts} LOCATION '{location}'")
            self._files[snapshot.folder] = name
        return self._files[snapshot.folder]


class DeltaReader:
    """``spark.read.format("delta")`` where Spark knows no Delta."""

    def __init__(self, way: JvmWay) -> None:
        self._way = way
        self._version: int | str | None = None

    def option(self, key: str, value: Any) -> "DeltaReader":
        """An older version by its number or its time; there is no other option.

        Raises:
            ValueError: it is another option.
        """
        match key.lower():
            case "versionasof":
                self._version = int(value)
            case "timestampasof":
                self._version = str(value)
            case _:
                raise ValueError(
                    f"option {key!r} of delta: expected versionAsOf or timestampAsOf with spark_engine: jvm"
                )
        return self

    def options(self, **options: Any) -> "DeltaReader":
        """Several options."""
        for key, value in options.items():
            self.option(key, value)
        return self

    def load(self, path: str) -> Any:
        """The rows of the table in a folder."""
        return self._way.rows(self._way.lakehouse.local_path(path), self._version)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
