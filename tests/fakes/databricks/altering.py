"""ALTER and MERGE, where DuckDB has other words for them than Databricks."""

from typing import Any

from sqlglot.tokens import Token, TokenType

from tests.fakes.databricks.showing import Showing, name_of

_TYPES = {"STRING": "VARCHAR", "LONG": "BIGINT"}


class Altering:
    """Changes of tables; comments stand in DuckDB, properties in what SHOW answers from.

    Args:
        database: The DuckDB of the warehouse.
        showing: Keeps the properties.
    """

    def __init__(self, database: Any, showing: Showing) -> None:
        self._database = database
        self._showing = showing

    def altered(self, tokens: list[Token]) -> bool:
        """Whether a statement was one of these, and is done."""
        words = [token.text.upper() for token in tokens]
        if words[:2] != ["ALTER", "TABLE"]:
            return False
        name = name_of(tokens[2:])
        rest, said = tokens[1 + 2 * len(name) :], words[1 + 2 * len(name) :]
        table = ".".join(f'"{part}"' for part in name)
        if said[:2] == ["ADD", "COLUMNS"]:
            for column, kind in _pairs(rest[3:-1]):
                self._database.execute(f'ALTER TABLE {table} ADD COLUMN "{column}" {_TYPES.get(kind.upper(), kind)}')
        elif said[:2] == ["ALTER", "COLUMN"] and said[3] == "COMMENT":
            words_of = rest[4].text.replace("'", "''")
            self._database.execute(f"COMMENT ON COLUMN {table}.\"{rest[2].text}\" IS '{words_of}'")
        elif said[:2] == ["SET", "TBLPROPERTIES"]:
            texts = [token.text for token in rest if token.token_type == TokenType.STRING]
            held = self._showing.properties.setdefault(".".join(name), {})
            held |= dict(zip(texts[::2], texts[1::2], strict=True))
        else:
            return False
        return True

    def evolved(self, statement: str, tokens: list[Token]) -> str:
        """A MERGE WITH SCHEMA EVOLUTION as a plain one, its target given the columns that its source has besides."""
        words = [token.text.upper() for token in tokens]
        if words[:4] != ["MERGE", "WITH", "SCHEMA", "EVOLUTION"]:
            return statement
        name = name_of(tokens[5:])
        start, end = tokens[words.index("USING") + 1].start, tokens[words.index("ON") - 2].start
        source = self._showing.described_query(statement[start:end].strip().removesuffix("AS").strip()[1:-1])
        known = {row[0] for row in self._showing.columns(name)}
        for column, kind, _ in source:
            if column not in known:
                table = ".".join(f'"{part}"' for part in name)
                self._database.execute(f'ALTER TABLE {table} ADD COLUMN "{column}" {_TYPES.get(kind.upper(), kind)}')
        return "MERGE " + statement[tokens[4].start :]


def _pairs(tokens: list[Token]) -> list[tuple[str, str]]:
    """Names and types of a list of columns."""
    found: list[list[str]] = [[]]
    for token in tokens:
        if token.token_type == TokenType.COMMA:
            found.append([])
        else:
            found[-1].append(token.text)
    return [(name, "".join(kind)) for name, *kind in found]
