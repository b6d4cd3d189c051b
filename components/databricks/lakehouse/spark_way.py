"""Delta tables by engines that know Delta themselves: Sail, and servers of Spark Connect."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...warehouse.lakehouse import Lakehouse, TableName

_INCOMING = "incoming_rows"


class SparkWay:
    """The engine reads and writes Delta, and knows names of three parts."""

    settings: Mapping[str, str] = {}

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.spark: Any = None

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Nothing is needed."""
        yield

    def started(self, spark: Any, schema: str) -> None:
        """Register every table that is there, and choose the schema."""
        self.spark = spark
        for name in self.lakehouse.tables():
            self.register(name)
        spark.sql(f"CREATE DATABASE IF NOT EXISTS `{schema}`")
        spark.catalog.setCurrentDatabase(schema)

    def register(self, name: TableName) -> None:
        """Make a table known under its three names."""
        self.spark.sql(f"CREATE DATABASE IF NOT EXISTS `{name.catalog}`.`{name.schema}`")
        location = self._folder(name).replace("'", "\\'")
        self.spark.sql(f"CREATE TABLE IF NOT EXISTS {name.quoted} USING delta LOCATION '{location}'")

    def read(self, name: TableName) -> Any:
        """A data frame of the table's rows."""
        return self.spark.read.format("delta").load(self._folder(name))

    def reader(self, reader: Any) -> Any:
        """The reader, as it is."""
        return reader

    def query(self, sql: str) -> str:
        """The statement, as it is."""
        return sql

    def known_as(self, name: str) -> str:
        """The name, as it is."""
        return name

    def replace(self, name: TableName, rows: Any, partition_by: Sequence[str]) -> None:
        """Make a table of these rows and columns."""
        writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer.partitionBy(*partition_by).save(self._folder(name))
        self.register(name)

    def replace_inside(self, name: TableName, rows: Any, condition: str) -> None:
        """Put these rows in the place of those for which the condition holds."""
        rows.write.format("delta").mode("overwrite").option("replaceWhere", condition).save(self._folder(name))

    def append(self, name: TableName, rows: Any) -> None:
        """Add rows."""
        rows.write.format("delta").mode("append").save(self._folder(name))

    def merge(self, name: TableName, rows: Any, keys: Sequence[str], evolve: bool) -> None:
        """Update the rows with the same keys, and add the others."""
        rows.createOrReplaceTempView(_INCOMING)
        self.spark.sql(merge_statement(name, _INCOMING, keys, evolve)).collect()

    def _folder(self, name: TableName) -> str:
        return str(self.lakehouse.folder(name))


class SailWay(SparkWay):
    """Sail gets its catalogs from variables that it reads when it starts."""

    def __init__(self, lakehouse: Lakehouse, catalog: str) -> None:
        super().__init__(lakehouse)
        self.catalog = catalog

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Name the catalogs; who opens the session sees to it that the variables go again."""
        names = sorted({self.catalog, *(name.catalog for name in self.lakehouse.tables())})
        written = (f'{{name={json.dumps(name)}, type="memory", initial_database=["default"]}}' for name in names)
        os.environ["SAIL_CATALOG__LIST"] = f"[{', '.join(written)}]"
        os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = self.catalog
        yield

    def started(self, spark: Any, schema: str) -> None:
        """Choose the catalog, register every table that is there, and choose the schema."""
        spark.catalog.setCurrentCatalog(self.catalog)
        super().started(spark, schema)


def merge_statement(name: TableName, source: str, keys: Sequence[str], evolve: bool) -> str:
    """The statement that merges the rows of ``source`` into a table."""
    on = " AND ".join(f"t.`{key}` <=> s.`{key}`" for key in keys)
    evolving = "WITH SCHEMA EVOLUTION " if evolve else ""
    return (
        f"MERGE {evolving}INTO {name.quoted} AS t USING {source} AS s ON {on} "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
