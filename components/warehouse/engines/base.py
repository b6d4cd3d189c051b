"""What every warehouse engine can do, so that components never ask which one is in force."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

LoadFormat = Literal["model", "csv", "parquet", "insert_values"]

# What may hold a semicolon that ends nothing: quoted text, quoted names, dollar-quoted text and comments.
_TOKENS = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)|(?P<semicolon>;)|[eE]'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"
    |\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|\w+|.""",
    re.DOTALL | re.VERBOSE,
)


class WarehouseError(Exception):
    """A warehouse that cannot be reached or that refuses a statement, told in one message without secrets."""


@dataclass(frozen=True)
class QueryResult:
    """The columns of a result, in order, and its rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Column:
    """A column of a relation, its type in the engine's own words."""

    name: str
    type: str


@dataclass(frozen=True)
class Engine(ABC):
    """One warehouse.

    Every call opens and closes its own connection, as DuckDB has one writer and dbt runs in its own process.

    Args:
        project_root: Folder that relative paths start from.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    required_environment: ClassVar[tuple[str, ...]] = ()
    dialect: ClassVar[str]
    """The engine's SQL in sqlglot's words."""
    transactional: ClassVar[bool] = True
    """Whether several statements, tables among them, are done all or none."""
    load_format: ClassVar[LoadFormat]
    """How dlt hands rows over: a query that the engine runs over a local file, files through the connection, or INSERT
    statements."""

    project_root: Path

    @abstractmethod
    def _open(self) -> tuple[Any, Any]:
        """A new connection outside any transaction, and its cursor; raises WarehouseError where it is refused."""

    @abstractmethod
    def _driver_error(self) -> type[Exception]:
        """The base class of what the driver raises."""

    @abstractmethod
    def _dlt_destination(self) -> Any:
        """The dlt destination of this warehouse."""

    def dlt_destination(self) -> Any:
        """The dlt destination of this warehouse, whose replace keeps the old rows until all new ones are there."""
        os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")  # dlt reads it once, at its first use
        return self._dlt_destination()

    @abstractmethod
    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, or None where the warehouse has no such relation."""

    @abstractmethod
    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order; empty where there is no such relation."""

    @abstractmethod
    def replace_table(self, schema: str, table: str, select: str) -> None:
        """Make ``schema.table`` the rows of ``select``; readers see the old rows until all new ones are there."""

    @abstractmethod
    def replace_view(self, schema: str, table: str, select: str) -> None:
        """Make ``schema.table`` a view of ``select``; readers see the old one until the new is there."""

    def replace_rows(self, schema: str, table: str, select: str, inside: str) -> None:
        """Make the rows of ``schema.table`` for which ``inside`` holds those of ``select``, all or none.

        Raises:
            WarehouseError: ``select`` has rows outside, which a second run would double.
        """
        relation, staged = self.qualify(schema, table), self.quote(f"{table[:50]}__staged")
        with self.connect() as cursor:
            cursor.execute(self.create_schema(schema))
            cursor.execute(f"CREATE TEMPORARY TABLE {staged} AS {subselect(select)}")
            cursor.execute(f"SELECT count(*) FROM {staged} WHERE ({inside}) IS NOT TRUE")  # noqa: S608 - quoted
            if outside := cursor.fetchone()[0]:
                raise WarehouseError(f"{outside:,} rows of the query are not where {inside}")
            cursor.execute(self._create_like(relation, staged))
            cursor.execute(f"DELETE FROM {relation} WHERE {inside}")  # noqa: S608 - quoted
            cursor.execute(f"INSERT INTO {relation} SELECT * FROM {staged}")  # noqa: S608 - quoted
            cursor.execute(f"DROP TABLE {staged}")

    def _create_like(self, relation: str, other: str) -> str:
        """The statement that makes an empty table with the columns of another, where there is none."""
        return f"CREATE TABLE IF NOT EXISTS {relation} AS SELECT * FROM {other} LIMIT 0"  # noqa: S608 - quoted

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A DB-API cursor, inside one transaction where the engine has them: an exception rolls it back.

        Raises:
            WarehouseError: a required environment variable is missing, the warehouse cannot be reached, or it refuses
                a statement.
        """
        self.check_environment()
        connection, cursor = self._open()
        try:
            if self.transactional:
                cursor.execute("BEGIN")
            yield cursor
            if self.transactional:
                cursor.execute("COMMIT")
        except self._driver_error() as error:
            raise WarehouseError(str(error).strip()) from error
        finally:
            connection.close()  # an open transaction is rolled back

    def check_environment(self) -> None:
        """Raise WarehouseError naming every required environment variable that is unset or empty."""
        missing = [name for name in self.required_environment if not os.environ.get(name)]
        if missing:
            raise WarehouseError(
                f"The production warehouse ({self.title}) needs {', '.join(missing)} in the environment."
            )

    def query(self, sql: str) -> QueryResult:
        """The result of one statement, held in memory."""
        with self.connect() as cursor:
            cursor.execute(sql)
            return QueryResult([column[0] for column in cursor.description or []], cursor.fetchall())

    def execute(self, *statements: str) -> None:
        """Run statements in order up to the first that fails: all or none where the engine is transactional."""
        with self.connect() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def describe(self, select: str) -> list[Column]:
        """The columns of a query, found without reading its rows; types are empty where that does not tell them."""
        found = self.query(f"SELECT * FROM ({self.one_query(select)}) AS query LIMIT 0")  # noqa: S608 - checked
        return [Column(name, "") for name in found.columns]

    def one_query(self, select: str) -> str:
        """One query as it may stand inside another statement; raises WarehouseError where there is none, or more."""
        return subselect(select)

    def between(self, column: Column, start: str, end: str) -> str:
        """The condition that a column is in a period.

        Args:
            column: A column as ``describe`` gives it.
            start: First moment in UTC, as ``YYYY-MM-DD HH:MM:SS``.
            end: First moment after it.
        """
        name = self.quote(column.name)
        return f"{name} >= '{start}' AND {name} < '{end}'"

    def quote(self, identifier: str) -> str:
        """An identifier as SQL, whatever characters it has."""
        return '"' + identifier.replace('"', '""') + '"'

    def qualify(self, schema: str, table: str) -> str:
        """A relation as SQL."""
        return f"{self.quote(schema)}.{self.quote(table)}"

    def create_schema(self, schema: str) -> str:
        """The statement that makes a schema where there is none."""
        return f"CREATE SCHEMA IF NOT EXISTS {self.quote(schema)}"


def subselect(select: str) -> str:
    """One query as it may stand inside another statement, without what follows it: semicolon and comments.

    Raises:
        WarehouseError: there is no query, or more than one.
    """
    end, closed = 0, False
    for token in _TOKENS.finditer(select):
        if token["semicolon"]:
            closed = closed or end > 0
        elif not token["blank"]:
            if closed:
                raise WarehouseError(
                    f"expected one query, but more follows its semicolon: {select[token.start() :][:60]}"
                )
            end = token.end()
    if not end:
        raise WarehouseError("expected a query, but there is none")
    return select[:end]
