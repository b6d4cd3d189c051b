"""SQL files of a pipeline, read without running them: what each statement declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..lakehouse.sql_query import QueryError, parsed, streams, tables_read
from .spec import Action, Expectation, Kind, PipelineError
from .sql_words import Words

_ACTIONS: dict[str, Action] = {"DROP ROW": "drop", "FAIL UPDATE": "fail"}


@dataclass(frozen=True)
class Cdc:
    """How changes are applied to a table: the words of AUTO CDC, as SQL."""

    source: str
    keys: tuple[str, ...]
    sequence_by: str
    delete_when: str | None = None
    columns: tuple[str, ...] | None = None
    except_columns: tuple[str, ...] = ()
    scd_type: int = 1


@dataclass(frozen=True)
class SqlStatement:
    """One statement of a pipeline's SQL file.

    Args:
        target: Data set that it declares or feeds, as it is written.
        kind: What is declared; None for a flow into something that stands.
        query: The query, or None where there is none.
        cdc: Changes that are applied instead of a query.
        reads: Names of what it reads, as they are written.
        line: First line, counted from 1.
        streaming: Whether the query reads a stream.
    """

    target: str
    kind: Kind | None
    query: str | None
    cdc: Cdc | None
    reads: tuple[str, ...]
    line: int
    streaming: bool = False
    comment: str = ""
    expectations: tuple[Expectation, ...] = ()
    partition_by: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


def read_sql(file: Path, configuration: Mapping[str, str]) -> list[SqlStatement]:
    """The statements of a file.

    Args:
        file: The file.
        configuration: Values of ``${names}``.

    Raises:
        PipelineError: a statement cannot be parsed, or is none of a pipeline; the message has file and line.
    """
    text = file.read_text(encoding="utf-8")
    for name, value in configuration.items():
        text = text.replace(f"${{{name}}}", value)
    try:
        return [_statement(words) for words in Words.statements(text)]
    except QueryError as error:
        raise PipelineError(f"{file}:{error.line}: {error}") from None


def _statement(words: Words) -> SqlStatement:
    line = words.line
    if words.take("APPLY", "CHANGES", "INTO"):
        return _changes(words, words.name(), line)
    words.expect("CREATE")
    if words.take("FLOW"):
        words.name()
        if words.take("COMMENT"):
            words.text()
        words.expect("AS")
        return _flow(words, line)
    if not words.take("OR", "REFRESH"):
        words.take("OR", "REPLACE")
    words.take("PRIVATE")
    kind = _kind(words)
    words.take("IF", "NOT", "EXISTS")
    target = words.name()
    expectations = _columns(words) if words.at("(") else ()
    made = _clauses(words, SqlStatement(target, kind, None, None, (), line, expectations=expectations))
    if words.take("FLOW"):
        fed = _changes(words, target, line) if words.take("AUTO", "CDC") else _flow(words, line)
        return replace(made, query=fed.query, cdc=fed.cdc, reads=fed.reads)
    if words.ended:
        return made
    words.expect("AS")
    return _query(words, made)


def _clauses(words: Words, made: SqlStatement) -> SqlStatement:
    """What stands between a table's columns and its query."""
    while not words.ended and not words.at("AS") and not words.at("FLOW"):
        if words.take("COMMENT"):
            made = replace(made, comment=words.text())
        elif words.take("PARTITIONED", "BY"):
            made = replace(made, partition_by=tuple(words.names_in_brackets()))
        elif words.take("TBLPROPERTIES"):
            made = replace(made, properties=words.properties())
        else:
            words.skip_clause()
    return made


def _query(words: Words, made: SqlStatement) -> SqlStatement:
    start = words.line
    query = words.rest()
    tree = parsed(query, start)
    return replace(made, query=query, reads=tuple(tables_read(tree)), streaming=streams(tree))


def _flow(words: Words, line: int) -> SqlStatement:
    if words.take("AUTO", "CDC", "INTO"):
        return _changes(words, words.name(), line)
    if not words.take("INSERT", "INTO", "ONCE"):
        words.expect("INSERT", "INTO")
    target = words.name()
    words.take("BY", "NAME")
    return _query(words, SqlStatement(target, None, None, None, (), line))


def _changes(words: Words, target: str, line: int) -> SqlStatement:
    """AUTO CDC, from after its target."""
    words.expect("FROM")
    words.take("STREAM")
    bracket = words.take("(")
    source = words.name()
    if bracket:
        words.expect(")")
    words.expect("KEYS")
    keys = tuple(words.names_in_brackets())
    words.take("IGNORE", "NULL", "UPDATES")
    delete = (
        words.until("SEQUENCE", "APPLY", "COLUMNS", "STORED") if words.take("APPLY", "AS", "DELETE", "WHEN") else None
    )
    words.expect("SEQUENCE", "BY")
    sequence = words.until("COLUMNS", "STORED", "APPLY", "TRACK")
    columns: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    scd = 1
    if words.take("COLUMNS"):
        if words.take("*", "EXCEPT"):
            excluded = tuple(words.names_in_brackets())
        else:
            columns = tuple(words.names_in_brackets())
    if words.take("STORED", "AS", "SCD", "TYPE"):
        scd = int(words.number())
    if not words.ended:
        words.fail("is not understood here")
    source = source[5:] if source.lower().startswith("live.") else source
    cdc = Cdc(source, keys, sequence, delete, columns, excluded, scd)
    return SqlStatement(target, None, None, cdc, (source,), line, streaming=True)


def _kind(words: Words) -> Kind:
    if words.take("STREAMING", "TABLE") or words.take("STREAMING", "LIVE", "TABLE"):
        return "streaming_table"
    if words.take("MATERIALIZED", "VIEW") or words.take("LIVE", "TABLE"):
        return "materialized_view"
    temporary = words.take("TEMPORARY") or words.take("TEMP")
    words.take("STREAMING")
    live = words.take("LIVE")
    if (temporary or live) and words.take("VIEW"):
        return "temporary_view"
    return words.fail("expected STREAMING TABLE, MATERIALIZED VIEW, TEMPORARY VIEW or FLOW after CREATE")


def _columns(words: Words) -> tuple[Expectation, ...]:
    """The expectations between the brackets of a table; its columns are passed over."""
    expectations = []
    for item in words.items_in_brackets():
        if not item.take("CONSTRAINT"):
            continue
        name = item.name()
        if not item.take("EXPECT"):
            continue  # a key, which is information only
        condition = item.bracket_text()
        parsed(f"SELECT 1 WHERE {condition}", item.line)
        action: Action = "warn"
        if item.take("ON", "VIOLATION"):
            words_of_action = item.rest().upper()
            if words_of_action not in _ACTIONS:
                item.fail(f"ON VIOLATION {words_of_action}: expected {' or '.join(_ACTIONS)}")
            action = _ACTIONS[words_of_action]
        expectations.append(Expectation(name, condition, action))
    return tuple(expectations)
