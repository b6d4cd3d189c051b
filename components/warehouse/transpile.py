"""SQL read with sqlglot: checked for its dialect, or rewritten for the engine in force."""

from typing import Annotated, Any, Literal

import dagster as dg

Dialect = Literal["duckdb", "postgres", "bigquery", "snowflake", "databricks", "redshift"]
WrittenIn = Annotated[
    Dialect | None,
    dg.Resolver.default(
        description="Dialect that the SQL is written in; it is rewritten for the engine in force. "
        "Left out, the engine gets the SQL as it stands."
    ),
]


class DialectError(ValueError):
    """SQL that cannot be read in its dialect, or not be said in another; the message has the line."""


def check_sql(text: str, dialect: str, origin: str) -> None:
    """Read SQL without running it.

    Raises:
        DialectError: it is not valid, with file, line, column and an excerpt.
    """
    _parsed(text, dialect, origin)


def transpiled(text: str, written_in: str | None, engine: str, origin: str) -> str:
    """SQL of one dialect in another's words; unchanged where both are the same, or its own is not said.

    Raises:
        DialectError: it is not valid, or something in it has no counterpart.
    """
    if written_in in (None, engine):
        if written_in == "databricks":  # a statement there starts a warehouse: a mistake is cheaper found here
            _parsed(text, written_in, origin)
        return text
    from sqlglot import ErrorLevel
    from sqlglot.errors import UnsupportedError

    [tree, *more] = _parsed(text, str(written_in), origin)
    if more:
        raise DialectError(f"{origin}: expected one query, but there are {len(more) + 1}")
    try:
        sql: str = tree.sql(dialect=engine, unsupported_level=ErrorLevel.RAISE, pretty=True)
    except UnsupportedError as error:
        raise DialectError(f"{origin}: {written_in} SQL that {engine} cannot say: {error}") from None
    return sql


def _parsed(text: str, dialect: str, origin: str) -> list[Any]:
    import sqlglot
    from sqlglot.errors import ParseError, SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        if not first.get("line"):
            raise DialectError(f"{origin}: this is not {dialect} SQL: {error}") from None
        near = first.get("highlight", "")
        raise DialectError(
            f"{origin}: line {first['line']}, column {first['col']} of the SQL: this is not {dialect} SQL"
            f"{f' near {near!r}' if near else ''}: {first.get('description', '').rstrip('.')}"
        ) from None
    except SqlglotError as error:
        raise DialectError(f"{origin}: this is not {dialect} SQL: {error}") from None
    if not trees:
        raise DialectError(f"{origin}: expected a query, but there is none")
    return trees
