"""SQL held against what a warehouse knows, and said in DuckDB's words, for the rehearsal."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

# Types that a warehouse does not have by that name. sqlglot reads them all the same.
UNKNOWN_TYPES = {
    "bigquery": "VARCHAR TEXT CHAR DOUBLE FLOAT REAL INT4 INT8 TIMESTAMPTZ UUID HUGEINT",
    "redshift": "STRING DOUBLE UUID HUGEINT JSON INT64 FLOAT64",
    "postgres": "STRING DOUBLE HUGEINT INT64 FLOAT64",
    "snowflake": "UUID HUGEINT INT64 FLOAT64 INT4 INT8",
    "databricks": "TEXT UUID HUGEINT TIMESTAMPTZ INT64 FLOAT64 INT4 INT8",
}
# Parts of EXTRACT beside year, quarter, month, week, day, hour, minute and second.
PARTS = {
    "bigquery": {"DAYOFWEEK", "DAYOFYEAR", "ISOWEEK", "ISOYEAR", "DATE", "TIME", "MILLISECOND", "MICROSECOND"},
    "snowflake": {"DAYOFWEEK", "DAYOFWEEKISO", "DAYOFWEEK_ISO", "DAYOFYEAR", "WEEKISO", "YEAROFWEEK", "EPOCH"},
    "redshift": {"DOW", "DOY", "EPOCH", "DECADE", "CENTURY", "MILLISECOND", "MICROSECOND", "DAYOFWEEK", "DAYOFYEAR"},
    "postgres": {"DOW", "DOY", "ISODOW", "ISOYEAR", "EPOCH", "DECADE", "CENTURY", "MILLISECONDS", "MICROSECONDS"},
    "databricks": {"DOW", "DOW_ISO", "DAYOFWEEK", "DAYOFWEEK_ISO", "DOY", "YEAROFWEEK"},
}
COMMON_PARTS = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}
# Functions that dbt's own macros use and sqlglot has no name for.
KNOWN_FUNCTIONS = {"MOD", "LPAD", "TO_HEX", "DATETIME", "ADD_MONTHS"}


@dataclass
class Faults:
    """What is to be mended, each in one line with its place."""

    found: list[str] = field(default_factory=list)

    def add(self, file: Path, line: int | None, what: str, advice: str = "") -> None:
        """One fault, once."""
        place = f"{file}:{line}" if line else f"{file}"
        text = f"{place}: {what}{f' ({advice})' if advice else ''}"
        if text not in self.found:
            self.found.append(text)


def portable_query(sql: str, dialect: str, file: Path, faults: Faults) -> str | None:
    """A statement of a warehouse in DuckDB's words, without the names of databases; None where it cannot be said.

    Args:
        sql: What the warehouse would run.
        dialect: The warehouse, as sqlglot calls it.
        file: Where the statement comes from.
        faults: Receives what the warehouse does not know.
    """
    before = len(faults.found)
    tree = parsed(sql, dialect, file, faults)
    if tree is None:
        return None
    check_tokens(sql, dialect, file, faults)
    check_functions(tree, sql, dialect, file, faults)
    if len(faults.found) > before:
        return None
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)
    return said(tree, dialect, "duckdb", file, faults)


def statement_faults(sql: str, written_in: str, dialect: str, file: Path, faults: Faults) -> str | None:
    """SQL of one dialect as a component would hand it to the warehouse; None where it cannot be said."""
    if written_in == dialect:
        return sql
    tree = parsed(sql, written_in, file, faults)
    return None if tree is None else said(tree, written_in, dialect, file, faults)


def parsed(sql: str, dialect: str, file: Path, faults: Faults) -> Any:
    """The statement as a tree, or None where it is not SQL of that dialect."""
    try:
        return sqlglot.parse_one(sql, read=dialect)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        faults.add(
            file, source_line(file, sql, first.get("line")), f"not {dialect} SQL near {first.get('highlight')!r}"
        )
    except SqlglotError as error:
        faults.add(file, None, f"not {dialect} SQL: {str(error).splitlines()[0]}")
    return None


def said(tree: Any, written_in: str, dialect: str, file: Path, faults: Faults) -> str | None:
    """A tree in a dialect's words, or None where it has none for something."""
    try:
        sql: str = tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        faults.add(file, None, f"{dialect} cannot say this {written_in} SQL: {str(error).splitlines()[0]}")
        return None
    return sql


def check_tokens(sql: str, dialect: str, file: Path, faults: Faults) -> None:
    """Casts, types and parts of dates that sqlglot lets pass in every dialect."""
    tokens = sqlglot.tokenize(sql, read=dialect)
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], None], strict=False):
        word = token.text.upper()
        if token.token_type == TokenType.DCOLON and dialect == "bigquery":
            tell(token, "a cast by :: is no BigQuery SQL", "write cast(... as ...)", sql, file, faults)
        is_type = before.token_type in (TokenType.DCOLON, TokenType.ALIAS)
        ends = after is None or after.text in (")", "(", ",") or before.token_type == TokenType.DCOLON
        precise = after is not None and after.text.upper() == "PRECISION"
        if (
            is_type
            and ends
            and not precise
            and word in UNKNOWN_TYPES.get(dialect, "").split()
            and in_cast(tokens, token)
        ):
            tell(token, f"{dialect} has no type {word}", "dbt.type_string() and its like name it", sql, file, faults)
        part = before.text == "(" and after is not None and after.text.upper() == "FROM"
        if part and word not in COMMON_PARTS | PARTS.get(dialect, {word}) and extracts(tokens, before):
            tell(token, f"{dialect} extracts no {word.lower()} from a date", "dbt's macros do", sql, file, faults)


def in_cast(tokens: list[Token], token: Token) -> bool:
    """Whether a word that may be a type stands where one is meant, not where a column gets its name."""
    index, depth = tokens.index(token) - 1, 0
    if tokens[index].token_type == TokenType.DCOLON:
        return True
    while index > 0:
        index -= 1
        if tokens[index].text == ")":
            depth += 1
        elif tokens[index].text == "(":
            if depth == 0:
                return tokens[index - 1].text.upper() in ("CAST", "TRY_CAST", "SAFE_CAST")
            depth -= 1
    return False


def extracts(tokens: list[Token], opening: Token) -> bool:
    """Whether a parenthesis is EXTRACT's."""
    return tokens[tokens.index(opening) - 1].text.upper() == "EXTRACT"


def tell(token: Token, what: str, advice: str, sql: str, file: Path, faults: Faults) -> None:
    """A fault at a token."""
    faults.add(file, source_line(file, sql, token.line), what, advice)


def check_functions(tree: Any, sql: str, dialect: str, file: Path, faults: Faults) -> None:
    """Functions that sqlglot does not know in that dialect; DuckDB, where the models were tried, may well."""
    for call in tree.find_all(exp.Anonymous):
        name = str(call.this).upper()
        if name not in KNOWN_FUNCTIONS:
            at = next((n for n, text in enumerate(sql.splitlines(), 1) if re.search(rf"(?i)\b{name}\s*\(", text)), None)
            faults.add(file, source_line(file, sql, at), f"{dialect} is not known to have a function {name.lower()}")


def source_line(file: Path, sql: str, line: int | None) -> int | None:
    """The line of a file that a line of its compiled SQL comes from, or None where a macro wrote it."""
    if not line or not file.is_file():
        return None
    text = sql.splitlines()[line - 1].strip()
    words = set(re.findall(r"\w+", text))
    best, most = None, 0
    for number, candidate in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if candidate.strip() == text:
            return number
        shared = len(words & set(re.findall(r"\w+", candidate)))
        if shared > most:
            best, most = number, shared
    return best if most >= min(3, len(words)) else None
