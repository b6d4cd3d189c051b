"""Databricks queries, parsed by sqlglot: which tables they read, and how they read on this machine."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DIALECT = "databricks"
_FILE_FUNCTIONS = ("read_files", "cloud_files")
_MARKS = ("stream", "live.", *_FILE_FUNCTIONS)


class QueryError(Exception):
    """SQL that cannot be parsed: what, and at which line of its file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def parsed(sql: str, first_line: int = 1) -> Any:
    """The syntax tree of one statement.

    Args:
        sql: The statement.
        first_line: Line of its file that it begins in.

    Raises:
        QueryError: it is no SQL.
    """
    with quiet():
        import sqlglot
        from sqlglot.errors import ParseError, TokenError

    try:
        with quiet():
            return sqlglot.parse_one(sql, read=DIALECT)
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        words = found.get("description") or str(error)
        near = f" at {found['highlight']!r}" if found.get("highlight") else ""
        raise QueryError(f"{words}{near}", first_line + (found.get("line") or 1) - 1) from None
    except TokenError as error:
        raise QueryError(" ".join(str(error).split()), first_line) from None


def tables_read(tree: Any) -> list[str]:
    """The names of the tables that a query reads, as they are written; without its own common table expressions."""
    from sqlglot import exp

    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = []
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue  # a function, such as read_files
        name = ".".join(part.name for part in table.parts)
        name = name[5:] if name.lower().startswith("live.") else name
        if name.lower() not in own and name not in found:
            found.append(name)
    return found


def streams(tree: Any) -> bool:
    """Whether a query reads a stream."""
    from sqlglot import exp

    return tree.find(exp.Stream) is not None


def localized_query(spark: Any, sql: str) -> str:
    """The query as Spark without Databricks takes it: files and streams become what they are now.

    Args:
        spark: A local session.
        sql: SQL, maybe of a statement that is no query.
    """
    if not any(mark in sql.lower() for mark in _MARKS):
        return sql
    from sqlglot import exp

    tree = parsed(sql)
    changed = False
    for stream in list(tree.find_all(exp.Stream)):
        inner = stream.this.this if isinstance(stream.this, exp.Subquery) else stream.this
        if isinstance(inner, exp.Table) and isinstance(inner.this, exp.Identifier):
            spark.stream_log.streams_tables = True
        alias = stream.args.get("alias")
        if alias is not None:
            inner.set("alias", alias)
        stream.replace(inner)
        changed = True
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Anonymous) and table.this.name.lower() in _FILE_FUNCTIONS:
            table.set("this", exp.to_identifier(_view_of_files(spark, table.this)))
            changed = True
        elif table.db.lower() == "live" and not table.catalog:
            table.set("db", None)
            changed = True
    return str(tree.sql(dialect=DIALECT)) if changed else sql


def _view_of_files(spark: Any, function: Any) -> str:
    """A temporary view of the files that ``read_files`` or ``cloud_files`` names."""
    from sqlglot import exp

    positional = [item for item in function.expressions if not isinstance(item, exp.Kwarg)]
    named = {
        item.this.name.lower(): _text(item.expression) for item in function.expressions if isinstance(item, exp.Kwarg)
    }
    if function.name.lower() == "cloud_files" and len(positional) > 1:
        named["format"] = positional[1].name
        if len(positional) > 2 and isinstance(positional[2], exp.VarMap):
            pairs = zip(positional[2].args["keys"].expressions, positional[2].args["values"].expressions, strict=True)
            named |= {key.name: _text(value) for key, value in pairs}
    reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", named.pop("format", ""))
    if schema := named.pop("schema", None):
        reader = reader.schema(schema)
    hints = named.pop("schemahints", None)
    reader = reader.option("cloudFiles.schemaHints", hints) if hints else reader
    if function.name.lower() == "read_files":  # which finds out types, where cloud_files leaves text
        reader = reader.option("cloudFiles.inferColumnTypes", "true")
    rows = reader.options(**named).load(positional[0].name)
    view = f"files_{abs(hash(function.sql(dialect=DIALECT)))}"
    rows.createOrReplaceTempView(view)
    return view


def _text(value: Any) -> str:
    from sqlglot import exp

    return str(value.name or value.this).lower() if isinstance(value, exp.Boolean) else str(value.name)


@contextmanager
def quiet() -> Iterator[None]:
    """Without sqlglot's remarks on statements that it hands through, and on how it is installed."""
    import warnings

    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"sqlglot\[rs\]")
            yield
    finally:
        logger.setLevel(level)
