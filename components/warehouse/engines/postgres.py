"""Postgres: a server, found and logged in to by libpq's own environment variables."""

import os
from dataclasses import dataclass
from typing import Any, ClassVar

from .base import Column, Engine, LoadFormat, WarehouseError, subselect

CONNECT_TIMEOUT_SECONDS = 15

# libpq gives a refused connection no error code, so its words decide; the first match wins.
# {HOST} and its like become the names of the variables.
_REFUSALS = {
    "password authentication failed": "refused the login. Check {USER} and {PASSWORD}.",
    "no password supplied": "refused the login. Check {USER} and {PASSWORD}.",
    "no pg_hba.conf entry": "takes no login of this user from this machine. Check {USER} and the server's pg_hba.conf.",
    "role": "has no such user that may log in. Check {USER}.",
    "could not translate host name": "is not known by that name. Check {HOST}.",
    "database": "has no such database. Check {DATABASE}.",
    "Connection refused": "does not answer. Check {HOST} and {PORT}, and that the server runs.",
    "No such file or directory": "does not answer. Check {HOST} and {PORT}, and that the server runs.",
    "timeout expired": f"did not answer within {CONNECT_TIMEOUT_SECONDS} seconds. Check {{HOST}} and {{PORT}}.",
}


@dataclass(frozen=True)
class Postgres(Engine):
    """A Postgres database."""

    name = "postgres"
    title = "Postgres"
    dialect = "postgres"
    load_format: ClassVar[LoadFormat] = "csv"
    required_environment = ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE")
    prefix: ClassVar[str] = "PG"
    """What the names of the variables begin with."""
    default_port: ClassVar[str] = "5432"

    def _dlt_destination(self) -> Any:
        """A dlt destination for this database."""
        import dlt
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials

        return dlt.destinations.postgres(
            credentials=PostgresCredentials(self._dlt_login()),
            destination_name="warehouse",
            replace_strategy="insert-from-staging",
        )

    def _dlt_login(self) -> dict[str, Any]:
        """How dlt logs in."""
        self.check_environment()
        names = {"host": "HOST", "username": "USER", "password": "PASSWORD", "database": "DATABASE"}
        login = {name: self._variable(variable) for name, variable in names.items()}
        return {**login, "port": self._port(), "connect_timeout": CONNECT_TIMEOUT_SECONDS}

    def _login(self) -> dict[str, Any]:
        """How the driver logs in, beside libpq's own variables."""
        return {"dsn": ""}

    def _variable(self, name: str) -> str:
        return os.environ[f"{self.prefix}{name}"]

    def _port(self) -> int:
        port = os.environ.get(f"{self.prefix}PORT") or self.default_port
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise WarehouseError(f"{self.prefix}PORT: {port!r} is not valid; expected a port number from 1 to 65535.")
        return int(port)

    def _open(self) -> tuple[Any, Any]:
        import psycopg2

        self._port()
        try:
            connection = psycopg2.connect(
                **self._login(), connect_timeout=CONNECT_TIMEOUT_SECONDS, application_name="dagster"
            )
        except psycopg2.OperationalError as error:
            raise WarehouseError(self._refusal(str(error))) from None
        connection.autocommit = True  # transactions are opened by statement, as with every engine
        cursor = connection.cursor()
        cursor.execute("SET timezone TO 'UTC'")  # a connection option would lose against PGTZ
        return connection, cursor

    def _refusal(self, reason: str) -> str:
        host, user, database = map(self._variable, ("HOST", "USER", "DATABASE"))
        words = " ".join(reason.replace(self._variable("PASSWORD"), "***").split())
        stated = next(
            (self._naming(text) for sign, text in _REFUSALS.items() if sign in reason and _names(sign, reason)),
            f"cannot be used: {words or 'no reason was given'}",
        )
        place = f"{self.title} at host {host!r}, port {self._port()} (database {database!r}, user {user!r})"
        return f"{place} {stated}"

    def _naming(self, text: str) -> str:
        names = ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
        return text.format_map({name: f"{self.prefix}{name}" for name in names})

    def _driver_error(self) -> type[Exception]:
        import psycopg2

        return psycopg2.Error

    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, or None where the database has no such relation."""
        with self.connect() as cursor:
            return self._relation_type(cursor, schema, table)

    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order."""
        with self.connect() as cursor:
            cursor.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (self.qualify(schema, table),),
            )
            return [Column(name, kind) for name, kind in cursor.fetchall()]

    def replace_table(self, schema: str, table: str, select: str) -> None:
        """Replace a table in one transaction.

        A table of the same shape is refilled in place, so that grants, indexes and the views on it stay; one of another
        shape is dropped and renamed over, which Postgres refuses while a view still reads it.
        """
        relation, staged = self.qualify(schema, table), self.quote(f"{table[:50]}__staged")
        with self.connect() as cursor:
            cursor.execute(self.create_schema(schema))
            cursor.execute(f"CREATE TEMPORARY TABLE {staged} AS {subselect(select)}")
            present = self._relation_type(cursor, schema, table)
            if present == "table" and _shape(cursor, relation) == _shape(cursor, staged):
                cursor.execute(f"DELETE FROM {relation}")  # noqa: S608 - identifiers are quoted
                cursor.execute(f"INSERT INTO {relation} SELECT * FROM {staged}")  # noqa: S608 - quoted
            else:
                if present:
                    cursor.execute(f"DROP {present.upper()} {relation}")
                cursor.execute(f"CREATE TABLE {relation} AS SELECT * FROM {staged}")  # noqa: S608 - quoted
            cursor.execute(f"DROP TABLE {staged}")
            cursor.execute(f"ANALYZE {relation}")

    def replace_view(self, schema: str, table: str, select: str) -> None:
        """Replace a view in one transaction; views on it stay where its columns are only added to."""
        relation = self.qualify(schema, table)
        with self.connect() as cursor:
            cursor.execute(self.create_schema(schema))
            present = self._relation_type(cursor, schema, table)
            if present == "table":
                cursor.execute(f"DROP TABLE {relation}")
            self._replace_view(cursor, relation, subselect(select), present=present == "view")

    def _replace_view(self, cursor: Any, relation: str, select: str, *, present: bool) -> None:
        cursor.execute("SAVEPOINT before_view")
        try:
            cursor.execute(f"CREATE OR REPLACE VIEW {relation} AS {select}")
        except self._driver_error() as error:
            if getattr(error, "pgcode", None) != "42P16":  # invalid_table_definition: a column changed or went
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT before_view")
            cursor.execute(f"DROP VIEW {relation}")
            cursor.execute(f"CREATE VIEW {relation} AS {select}")

    def _create_like(self, relation: str, other: str) -> str:
        return f"CREATE TABLE IF NOT EXISTS {relation} (LIKE {other})"

    def _relation_type(self, cursor: Any, schema: str, table: str) -> str | None:
        cursor.execute(
            "SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v')",
            (schema, table),
        )
        row = cursor.fetchone()
        return None if row is None else "view" if row[0] == "v" else "table"


def _shape(cursor: Any, relation: str) -> list[tuple[Any, ...]]:
    """The columns of a relation with all that the server says of their types."""
    cursor.execute(f"SELECT * FROM {relation} LIMIT 0")  # noqa: S608 - identifiers are quoted
    return [tuple(column) for column in cursor.description]


def _names(sign: str, reason: str) -> bool:
    """Whether a sign that is a common word stands where libpq says that the thing does not exist."""
    return sign not in ("role", "database") or (f'{sign} "' in reason and "does not exist" in reason)
