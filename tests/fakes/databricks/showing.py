"""SHOW and DESCRIBE, as Databricks answers them; what is there is what DuckDB has."""

import json
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot.tokens import Token, TokenType

Shown = tuple[list[tuple[str, str]], list[tuple[Any, ...]]]
_DESCRIBED = [("col_name", "VARCHAR"), ("data_type", "VARCHAR"), ("comment", "VARCHAR")]
_TYPES = {"INTEGER": "int", "VARCHAR": "string", "TIMESTAMP": "timestamp_ntz", "TIMESTAMP WITH TIME ZONE": "timestamp"}


class Showing:
    """Answers about what is stored.

    Args:
        database: The DuckDB of the warehouse.
        place: Gives the catalog and the schema that names start from.
    """

    def __init__(self, database: Any, place: Callable[[], tuple[str, str]]) -> None:
        self._database = database
        self._place = place
        self.comments: dict[str, str] = {}
        self.properties: dict[str, dict[str, str]] = {}

    def answer(self, statement: str, tokens: list[Token]) -> Shown | None:
        """Columns and rows of a statement, or None where it asks for something else."""
        words = [token.text.upper() for token in tokens]
        if words[:1] == ["SHOW"]:  # the tokenizer gives the rest as one text
            tokens = [tokens[0], *sqlglot.tokenize(tokens[1].text, read="databricks")]
            return self._shown([token.text.upper() for token in tokens], tokens)
        if words[:1] in (["DESCRIBE"], ["DESC"]) and words[1:2] != ["HISTORY"]:
            if words[1] == "QUERY":
                return _DESCRIBED, self.described_query(statement[tokens[2].start :])
            start = 1 + sum(word in ("TABLE", "EXTENDED") for word in words[1:3])
            if words[-2:] == ["AS", "JSON"]:
                return self._as_json(name_of(tokens[start:]))
            return self._described(name_of(tokens[start:]), extended="EXTENDED" in words[:start])
        return None

    def _shown(self, words: list[str], tokens: list[Token]) -> Shown | None:
        if words[1] in ("SCHEMAS", "DATABASES"):
            [catalog] = name_of(tokens[3:]) if "IN" in words else [self._place()[0]]
            query = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? AND NOT internal"
            found = self._database.execute(f"{query} OR (database_name = ? AND schema_name = 'main')", [catalog] * 2)
            like = tokens[-1].text if "LIKE" in words else None
            rows = [(name,) for (name,) in found.fetchall() if like in (None, name)]
            return [("databaseName", "VARCHAR")], rows
        if words[1] in ("TABLES", "VIEWS"):
            catalog, schema = ([self._place()[0], *name_of(tokens[3:])])[-2:]
            kind = "'VIEW'" if words[1] == "VIEWS" else "'BASE TABLE', 'VIEW'"
            found = self._database.execute(
                "SELECT table_schema, table_name, false FROM information_schema.tables "
                f"WHERE table_catalog = ? AND table_schema = ? AND table_type IN ({kind})",
                [catalog, schema],
            )
            named = "viewName" if words[1] == "VIEWS" else "tableName"
            return [("database", "VARCHAR"), (named, "VARCHAR"), ("isTemporary", "BOOLEAN")], found.fetchall()
        if words[1] == "TBLPROPERTIES":
            held = self.properties.get(".".join(name_of(tokens[2:])), {})
            return [("key", "VARCHAR"), ("value", "VARCHAR")], list(held.items())
        return None

    def _described(self, name: list[str], extended: bool) -> Shown:
        rows = self.columns(name)
        if extended:
            catalog, schema, table = [*self._place(), *name][-3:]
            kinds = "SELECT table_type FROM information_schema.tables WHERE table_catalog = ? AND table_schema = ?"
            [kind] = self._database.execute(f"{kinds} AND table_name = ?", [catalog, schema, table]).fetchone()
            details = {"Catalog": catalog, "Database": schema, "Table": table, "Owner": "ann@example.com"}
            details |= {"Type": "VIEW"} if kind == "VIEW" else {"Type": "MANAGED", "Provider": "delta"}
            rows += [("", "", ""), ("# Detailed Table Information", "", "")]
            rows += [(key, value, "") for key, value in details.items()]
        return _DESCRIBED, rows

    def columns(self, name: list[str]) -> list[tuple[Any, ...]]:
        """Name, type and comment of each column of a table; raises LookupError where it is not there."""
        place = [*self._place(), *name][-3:]
        found = self._database.execute(
            "SELECT column_name, data_type, comment FROM duckdb_columns() "
            "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
            place,
        ).fetchall()
        if not found:
            raise LookupError(f"`{'`.`'.join(place)}`")
        return [(column, _TYPES.get(kind, kind.lower()), said) for column, kind, said in found]

    def described_query(self, query: str) -> list[tuple[Any, ...]]:
        """The same of a query."""
        found = self._database.execute(f"DESCRIBE {sqlglot.transpile(query, 'databricks', 'duckdb')[0]}").fetchall()
        return [(column, _TYPES.get(kind, kind.lower()), None) for column, kind, *_ in found]

    def _as_json(self, name: list[str]) -> Shown:
        catalog, schema, table = [*self._place(), *name][-3:]
        rows = self._described(name, extended=True)[1]
        parts = [row[0] for row in rows].index("")
        columns = [{"name": column, "type": {"name": kind}, "nullable": True} for column, kind, _ in rows[:parts]]
        details = {key.lower(): value for key, value, _ in rows[parts + 2 :]}
        told = {"table_name": table, "catalog_name": catalog, "schema_name": schema, "columns": columns, **details}
        return [("json_metadata", "VARCHAR")], [(json.dumps(told),)]


def name_of(tokens: list[Token]) -> list[str]:
    """The parts of the name that tokens begin with."""
    parts = [tokens[0].text]
    for dot, part in zip(tokens[1::2], tokens[2::2], strict=False):
        if dot.token_type != TokenType.DOT:
            break
        parts.append(part.text)
    return parts
