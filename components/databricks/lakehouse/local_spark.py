"""Spark as pipeline code expects it: streams over files and tables, volumes, and Databricks' words in SQL."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ...warehouse.lakehouse import Lakehouse
from .engine_way import EngineWay
from .files import FileStream, StreamError, new_files

_READS = ("load", "csv", "json", "parquet", "text", "orc")


@dataclass
class StreamLog:
    """What the query of one table streams from, found out while it is built.

    Args:
        taken: Files that earlier runs took, by folder; see ``files.new_files``.
    """

    taken: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    found: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    new: int = 0
    streams_tables: bool = False
    streams_files: bool = False


def localized(spark: Any, lakehouse: Lakehouse, way: EngineWay) -> Any:
    """The same session with ``readStream``, volume paths, tables' names and Databricks SQL understood."""
    base: Any = type(spark)
    spark.__class__ = _local_class(base)
    spark.lakehouse, spark.stream_log, spark.way = lakehouse, StreamLog(), way
    return spark


@cache
def _local_class(base: Any) -> Any:
    class LocalSpark(base):
        """A session whose reads are those of a laptop."""

        lakehouse: Lakehouse
        stream_log: StreamLog
        way: EngineWay

        @property
        def readStream(self) -> Any:  # noqa: N802 - Spark's name
            """A reader of streams: files that are new, or a table as it is."""
            return StreamReader(self)

        @property
        def read(self) -> Any:
            """Spark's reader, for which a volume is a folder and ``LIVE.name`` a table."""
            return _local_reader(self.way.reader(base.read.fget(self)), self.lakehouse, self.way)

        def table(self, tableName: str) -> Any:  # noqa: N803 - Spark's name
            """A table by the name that it has in the workspace."""
            return self.read.table(tableName)

        def sql(self, sqlQuery: str, *args: Any, **kwargs: Any) -> Any:  # noqa: N803 - Spark's name
            """Run SQL; ``STREAM``, ``LIVE`` and ``read_files`` are read as here."""
            from .sql_query import localized_query

            return super().sql(self.way.query(localized_query(self, sqlQuery)), *args, **kwargs)

        def plain_sql(self, sqlQuery: str) -> Any:  # noqa: N803 - Spark's name
            """Run SQL as the engine itself understands it."""
            return super().sql(sqlQuery)

    return LocalSpark


def _local_reader(reader: Any, lakehouse: Lakehouse, way: EngineWay) -> Any:
    """The reader with the methods that take paths and names replaced."""

    def replaced(method: Any) -> Any:
        def read(path: Any = None, *args: Any, **kwargs: Any) -> Any:
            if isinstance(path, str):
                path = lakehouse.local_path(path)
            elif isinstance(path, list):
                path = [lakehouse.local_path(one) for one in path]
            return method(path, *args, **kwargs)

        return read

    table = reader.table
    reader.table = lambda name: table(way.known_as(name[5:] if name.lower().startswith("live.") else name))
    for name in _READS:
        setattr(reader, name, replaced(getattr(reader, name)))
    return reader


class StreamReader:
    """``spark.readStream`` on this machine: what is there now, read once."""

    def __init__(self, spark: Any) -> None:
        self._spark = spark
        self._format = "parquet"
        self._options: dict[str, str] = {}
        self._schema: Any = None

    def format(self, source: str) -> "StreamReader":
        """The format; ``cloudFiles`` is Auto Loader."""
        self._format = source
        return self

    def option(self, key: str, value: Any) -> "StreamReader":
        """One option."""
        self._options[key] = str(value).lower() if isinstance(value, bool) else str(value)
        return self

    def options(self, **options: Any) -> "StreamReader":
        """Several options."""
        for key, value in options.items():
            self.option(key, value)
        return self

    def schema(self, schema: Any) -> "StreamReader":
        """The columns and their types."""
        self._schema = schema
        return self

    def table(self, name: str) -> Any:
        """A table as it is: what streams from it is computed anew."""
        self._spark.stream_log.streams_tables = True
        return self._spark.table(name)

    def load(self, path: str | None = None) -> Any:
        """The files that no earlier run took.

        Raises:
            StreamError: there are no files, or the format streams from none.
        """
        place = path or self._options.get("path")
        if place is None:
            raise StreamError(f"readStream.format({self._format!r}).load() names no path")
        stream = FileStream.of(self._format, self._options, self._schema)
        folder = Path(self._spark.lakehouse.local_path(place))
        log: StreamLog = self._spark.stream_log
        log.streams_files = True
        present, new = new_files(folder, stream.pattern, log.taken.get(place, {}))
        log.found[place] = present
        log.new += len(new)
        return stream.frame(self._spark, place, folder, sorted(present), new)

    def csv(self, path: str) -> Any:
        """New CSV files."""
        return self.format("csv").load(path)

    def json(self, path: str) -> Any:
        """New JSON files."""
        return self.format("json").load(path)

    def parquet(self, path: str) -> Any:
        """New Parquet files."""
        return self.format("parquet").load(path)
