"""What the cloud warehouses have in common: their own SQL dialect, and no transaction around tables."""

from dataclasses import dataclass

from .base import Column, Engine, WarehouseError


@dataclass(frozen=True)
class CloudEngine(Engine):
    """A warehouse whose ``create or replace`` is atomic by itself."""

    transactional = False

    def one_query(self, select: str) -> str:
        """One query as it may stand inside another statement, by the engine's own rules for quotes.

        Raises:
            WarehouseError: there is no query, or more than one, or a quote does not end.
        """
        import sqlglot
        from sqlglot.tokens import TokenType

        try:
            tokens = sqlglot.tokenize(select, read=self.dialect)
        except sqlglot.errors.SqlglotError as error:
            raise WarehouseError(f"the SQL cannot be read: {error}") from None
        kept = [token for token in tokens if token.token_type != TokenType.SEMICOLON]
        if not kept:
            raise WarehouseError("expected a query, but there is none")
        closing = next((token.start for token in tokens if token.token_type == TokenType.SEMICOLON), len(select))
        if kept[-1].start > closing:
            after = next(token.start for token in kept if token.start > closing)
            raise WarehouseError(f"expected one query, but more follows its semicolon: {select[after:][:60]}")
        return select[: kept[-1].end + 1]

    def between(self, column: Column, start: str, end: str) -> str:
        """The condition by timestamps, which every kind of date and time is compared with."""
        name = self.quote(column.name)
        return f"{name} >= CAST('{start}' AS TIMESTAMP) AND {name} < CAST('{end}' AS TIMESTAMP)"

    def replace_table(self, schema: str, table: str, select: str) -> None:
        """Replace a table in one statement; a view of that name is dropped first."""
        self._replace("TABLE", schema, table, select)

    def replace_view(self, schema: str, table: str, select: str) -> None:
        """Replace a view in one statement; a table of that name is dropped first."""
        self._replace("VIEW", schema, table, select)

    def _replace(self, kind: str, schema: str, table: str, select: str) -> None:
        relation, query = self.qualify(schema, table), self.one_query(select)
        self.execute(self.create_schema(schema))
        present = self.relation_type(schema, table)
        other_kind = [f"DROP {present.upper()} {relation}"] if present and present.upper() != kind else []
        if other_kind:
            self.describe(query)  # a query that fails must not cost the old relation
        self.execute(*other_kind, f"CREATE OR REPLACE {kind} {relation} AS {query}")
