"""What differs between the engines: how a session of each reads and writes the Delta tables of the lakehouse."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from ...warehouse.lakehouse import Lakehouse, TableName

LocalEngine = Literal["sail", "jvm", "connect"]


class EngineWay(Protocol):
    """One engine's way with Delta tables; it lasts as long as the session."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Settings that a session of the engine starts with."""

    def starting(self) -> AbstractContextManager[None]:
        """Around everything: before the engine starts, and after it ended."""

    def started(self, spark: Any, schema: str) -> None:
        """Take the session, make the tables known to it, and choose the schema of names that have none."""

    def register(self, name: TableName) -> None:
        """Make a table known under its three names, as it is now."""

    def read(self, name: TableName) -> Any:
        """A data frame of the table's rows."""

    def reader(self, reader: Any) -> Any:
        """Spark's reader, for which ``delta`` is a format."""

    def query(self, sql: str) -> str:
        """The statement in names that the session knows."""

    def known_as(self, name: str) -> str:
        """A table's name as the session knows it."""

    def replace(self, name: TableName, rows: Any, partition_by: Sequence[str]) -> None:
        """Make a table of these rows and columns, in one commit."""

    def replace_inside(self, name: TableName, rows: Any, condition: str) -> None:
        """Put these rows in the place of those for which a SQL condition holds, in one commit."""

    def append(self, name: TableName, rows: Any) -> None:
        """Add rows of the table's columns, in one commit."""

    def merge(self, name: TableName, rows: Any, keys: Sequence[str], evolve: bool) -> None:
        """Update the rows with the same keys and add the others, in one commit; ``evolve`` takes new columns."""


def way_of(engine: LocalEngine, lakehouse: Lakehouse, catalog: str) -> EngineWay:
    """The way of an engine.

    Args:
        engine: The engine.
        lakehouse: The folders.
        catalog: Catalog of names that have none.
    """
    if engine == "jvm":
        from .jvm_way import JvmWay

        return JvmWay(lakehouse, catalog)
    from .spark_way import SailWay, SparkWay

    return SailWay(lakehouse, catalog) if engine == "sail" else SparkWay(lakehouse)
