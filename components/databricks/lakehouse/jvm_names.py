"""Names of three parts in SQL for a session whose only catalog is Spark's own; the rest of a text stays as it is."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from ...warehouse.lakehouse import TableName
from .sql_query import QueryError, parsed

CATALOG = "spark_catalog"
_SPARKS_OWN = (CATALOG, "system")


def word(text: str) -> str:
    """A name of Spark's catalog, which takes letters of English, digits and underscores only."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in text)
    return plain if plain == text else f"{plain}_{sha256(text.encode()).hexdigest()[:8]}"


class SparkNames:
    """Where the tables of the lakehouse stand in Spark's own catalog: a catalog is part of the schema's name.

    Args:
        catalog: The catalog whose schemas keep their names.
    """

    def __init__(self, catalog: str) -> None:
        self.catalog = catalog

    def schema(self, name: TableName) -> str:
        """Spark's schema for that of a table."""
        return word(name.schema) if name.catalog == self.catalog else f"{word(name.catalog)}__{word(name.schema)}"

    def quoted(self, name: TableName) -> str:
        """The table's name in Spark's catalog, as SQL."""
        return f"`{CATALOG}`.`{self.schema(name)}`.`{word(name.table)}`"

    def table(self, parts: list[str], schema: str) -> TableName | None:
        """The table that parts of a name mean, or None where they can mean none of the lakehouse."""
        own = len(parts) == 3 and parts[0].lower() in _SPARKS_OWN
        if not 1 <= len(parts) <= 3 or own or any(mark in part for part in parts for mark in "/\\"):
            return None  # the last is a path, as in parquet.`/data`
        low = [part.lower() for part in parts]
        return TableName(*[self.catalog, schema][: 3 - len(low)], *low)

    def query(self, sql: str, schema: str, met: Callable[[TableName], bool]) -> str:
        """A statement in the names of Spark's catalog.

        Args:
            sql: The statement; one that cannot be parsed is Spark's to judge, and stays as it is.
            schema: Schema of names that have none.
            met: Called with every table that the statement may mean; says whether it is one of the lakehouse.
        """
        try:
            tree = parsed(sql)
        except QueryError:
            return sql
        changes: list[tuple[int, int, str]] = []
        renamed: dict[tuple[str, ...], str] = {}
        for parts in _tables(tree):
            name = self.table([part.name for part in parts], schema)
            if name is None:
                continue
            is_there, odd = met(name), word(name.table) != name.table
            if len(parts) == 3 or (is_there and (odd or word(name.schema) != name.schema)):
                whole = (name.catalog, name.schema, name.table)
                renamed |= {whole[start:]: self.quoted(name) for start in range(2 + odd)}
                changes.append(_change(parts, self.quoted(name)))
        for parts in _qualifiers(tree):
            if new := renamed.get(tuple(part.name.lower() for part in parts)):
                changes.append(_change(parts, new))
        for start, end, text in sorted(changes, reverse=True):
            sql = f"{sql[:start]}{text}{sql[end:]}"
        return sql


def _change(parts: list[Any], text: str) -> tuple[int, int, str]:
    return parts[0].meta["start"], parts[-1].meta["end"] + 1, text


def _tables(tree: Any) -> Iterator[list[Any]]:
    """The identifiers of every table's name."""
    from sqlglot import exp

    return (table.parts for table in tree.find_all(exp.Table) if _written(table.parts))


def _qualifiers(tree: Any) -> Iterator[list[Any]]:
    """The identifiers before the names of columns; those of fields in structs look alike."""
    from sqlglot import exp

    return (column.parts[:-1] for column in tree.find_all(exp.Column) if _written(column.parts[:-1]))


def _written(parts: list[Any]) -> bool:
    from sqlglot import exp

    return bool(parts) and all(isinstance(part, exp.Identifier) and "start" in part.meta for part in parts)
