"""SQL of Databricks for DuckDB: three-level names, tags, the system catalog, AI functions and event logs."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

from tests.fakes.databricks.altering import Altering
from tests.fakes.databricks.showing import Showing

SYSTEM = "system_tables"  # DuckDB keeps the name system to itself

_TAGGED = {
    "schema": ["catalog_name", "schema_name"],
    "table": ["catalog_name", "schema_name", "table_name"],
    "volume": ["catalog_name", "schema_name", "volume_name"],
}

_PLACE = ["table_catalog", "table_schema", "table_name"]
_TABLES = """
SELECT table_catalog, table_schema, table_name, 'ann@example.com' AS table_owner, now() AS last_altered,
  CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'MANAGED' END AS table_type,
  CASE table_type WHEN 'VIEW' THEN NULL ELSE 'DELTA' END AS data_source_format
FROM information_schema.tables
"""
_ALL = ("system", "tables")
# What nobody has here; the adapter of dbt asks for it.
_NONE = {
    "row_filters": [*_PLACE, "filter_name", "target_columns"],
    "column_masks": [*_PLACE, "column_name", "mask_name", "using_columns"],
    "column_tags": ["catalog_name", "schema_name", "table_name", "column_name", "tag_name", "tag_value"],
}
_NOT_FOUND = "[TABLE_OR_VIEW_NOT_FOUND] The table or view {} cannot be found. SQLSTATE: 42P01"


class BadStatement(Exception):
    """A statement that the warehouse refuses, in its words."""


class Dialect:
    """Runs statements of Databricks.

    Attributes:
        tags: Tags by the full name of what has them.
        event_logs: Rows of ``event_log``, by pipeline.
        ai: What the AI functions answer, from an endpoint's name and the prompt.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self.database = database
        self.tags: dict[str, dict[str, str]] = {}
        self.commits: Counter[str] = Counter()
        self.event_logs: Callable[[str], list[dict[str, Any]]] = lambda pipeline: []
        self.ai: Callable[[str, str], str] = lambda endpoint, prompt: f"{endpoint}: {prompt}"
        self.ai_endpoints = {"databricks-meta-llama-3-3-70b-instruct"}
        self.showing = Showing(database, self._place)
        self._altering = Altering(database, self.showing)
        self._where: tuple[str, str] = ("memory", "main")
        self.attach(SYSTEM)
        database.execute(f"CREATE VIEW {SYSTEM}.main.tables AS {_TABLES}")
        for name, columns in _NONE.items():
            database.execute(f"CREATE TABLE {SYSTEM}.main.{name}({', '.join(f'{each} VARCHAR' for each in columns)})")
        for kind, names in _TAGGED.items():
            columns = ", ".join(f"{name} VARCHAR" for name in [*names, "tag_name", "tag_value"])
            database.execute(f"CREATE TABLE {SYSTEM}.main.{kind}_tags({columns})")
        for name, arguments in (("ai_query", 2), ("ai_summarize", 1), ("ai_analyze_sentiment", 1)):
            database.create_function(name, self._asked(name, arguments), ["VARCHAR"] * arguments, "VARCHAR")

    def attach(self, catalog: str) -> None:
        self.database.execute(f"ATTACH IF NOT EXISTS ':memory:' AS \"{catalog}\"")

    def run(
        self,
        statement: str,
        catalog: str | None = None,
        schema: str | None = None,
        tree: exp.Expression | None = None,
    ) -> tuple[list[Any], list[Any]]:
        """The columns and rows of a statement.

        Raises:
            BadStatement: the warehouse refuses it.
        """
        if (answer := self.answer(statement, catalog, schema)) is not None:
            return answer
        statement = self.plain(statement)
        tree = (tree or sqlglot.parse_one(statement, read="databricks")).transform(self._rewritten, copy=False)
        if catalog or schema:
            where = f'"{catalog}"."{schema or "main"}"' if catalog else f'"{schema}"'
            self.database.execute(f"USE {where}")
        else:
            self.database.execute("USE memory.main")
        try:
            found = self.database.execute(tree.sql("duckdb"))
        except duckdb.CatalogException as error:
            table = next((node.sql("databricks") for node in tree.find_all(exp.Table)), "")
            if "does not exist" in str(error) and "Table" in str(error):
                words = _NOT_FOUND.format(f"`{table.replace('.', '`.`')}`")
                raise BadStatement(f"{words} ({str(error).splitlines()[0]})") from None
            raise
        if isinstance(tree, exp.Create | exp.Insert | exp.Merge | exp.Update | exp.Delete):
            self.commits[tree.find(exp.Table).sql("databricks", identify=True).lower()] += 1
        return [(column[0], column[1]) for column in found.description or []], found.fetchall()

    def answer(self, statement: str, catalog: str | None = None, schema: str | None = None) -> Any:
        """Columns and rows of what is no query: tags, histories, SHOW, DESCRIBE, ALTER; None for all else."""
        self._where = (catalog or "memory", schema or "main")
        tokens = sqlglot.tokenize(statement, read="databricks")
        if self._tagged(statement) or self._altering.altered(tokens):
            return [], []
        if (history := self._history(statement)) is not None:
            found = self.database.execute("SELECT unnest(?::BIGINT[]) AS version", [history])
            return [(column[0], column[1]) for column in found.description or []], found.fetchall()
        try:
            return self.showing.answer(statement, tokens)
        except LookupError as error:
            raise BadStatement(_NOT_FOUND.format(error)) from None

    def plain(self, statement: str) -> str:
        """A statement without what DuckDB cannot be told, which is done."""
        return self._altering.evolved(statement, sqlglot.tokenize(statement, read="databricks"))

    def _place(self) -> tuple[str, str]:
        return self._where

    def _history(self, statement: str) -> list[int] | None:
        """The versions of a table, the newest first, where a statement asks for them."""
        tokens = sqlglot.tokenize(statement, read="databricks")
        words = [token.text.upper() for token in tokens]
        if words[:2] != ["DESCRIBE", "HISTORY"]:
            return None
        name = ".".join(f"`{token.text.lower()}`" for token in tokens[2:7:2])
        newest = self.commits[name] - 1
        return list(range(newest, -1, -1))

    def _rewritten(self, node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Table):
            if isinstance(node.this, exp.Anonymous) and node.this.name.lower() == "event_log":
                return self._events(node.this.expressions[0].name, node)
            if node.db == "information_schema" and node.name.endswith("_tags"):
                return exp.to_table(f"{SYSTEM}.main.{node.name}", alias=node.alias or None)
            if node.db == "information_schema" and (node.name in _NONE or (node.catalog, node.name) == _ALL):
                return exp.to_table(f"{SYSTEM}.main.{node.name}", alias=node.alias or None)
            if node.catalog == "system":
                node.set("catalog", exp.to_identifier(SYSTEM))
                return node
            if node.catalog and node.db == "information_schema":
                return exp.to_table(f"information_schema.{node.name}", alias=node.alias or None)
        return node

    def _events(self, pipeline: str, node: exp.Table) -> exp.Expression:
        columns = "event_type VARCHAR, update_id VARCHAR, line VARCHAR, happened VARCHAR"
        self.database.execute(f"CREATE OR REPLACE TEMP TABLE events({columns})")
        for row in self.event_logs(pipeline):
            self.database.execute("INSERT INTO events VALUES (?, ?, ?, ?)", list(row.values()))
        query = (
            "SELECT event_type, {'update_id': update_id} AS origin, line AS details, happened AS timestamp FROM events"
        )
        return sqlglot.parse_one(query, read="duckdb").subquery("event_log")

    def _tagged(self, statement: str) -> bool:
        tokens = sqlglot.tokenize(statement, read="databricks")
        words = [token.text.upper() for token in tokens]
        if words[:1] != ["ALTER"] or "TAGS" not in words:
            return False
        verb = "UNSET" if "UNSET" in words else "SET"
        name = ".".join(t.text for t in tokens[2 : words.index(verb)] if t.token_type != TokenType.DOT)
        texts = [token.text for token in tokens if token.token_type == TokenType.STRING]
        held = self.tags.setdefault(name, {})
        if verb == "SET":
            held |= dict(zip(texts[::2], texts[1::2], strict=True))
        else:
            for text in texts:
                held.pop(text, None)
        self._keep_tags(words[1].lower(), name)
        return True

    def _keep_tags(self, kind: str, name: str) -> None:
        parts, columns = name.split("."), _TAGGED[kind]
        where = " AND ".join(f"{column} = ?" for column in columns)
        self.database.execute(f"DELETE FROM {SYSTEM}.main.{kind}_tags WHERE {where}", parts)
        places = ", ".join("?" for _ in [*columns, "tag", "value"])
        for tag, value in self.tags[name].items():
            self.database.execute(f"INSERT INTO {SYSTEM}.main.{kind}_tags VALUES ({places})", [*parts, tag, value])

    def _asked(self, name: str, arguments: int) -> Callable[..., str]:
        def two(endpoint: str, prompt: str) -> str:
            if endpoint not in self.ai_endpoints:
                raise ValueError(f"[AI_FUNCTION_HTTP_REQUEST_ERROR.ENDPOINT_NOT_FOUND] Endpoint {endpoint} not found.")
            return self.ai(endpoint, prompt)

        def one(text: str) -> str:
            return self.ai(name, text)

        return two if arguments == 2 else one
