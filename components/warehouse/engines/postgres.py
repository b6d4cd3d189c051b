"""Postgres: a server, found and logged in to by libpq's own environment variables."""

import os
from dataclasses import dataclass
from typing import Any

from .base import Column, Engine, WarehouseError, same_shape, subselect

CONNECT_TIMEOUT_SECONDS = 15

# libpq gives a refused connection no error code, so its words decide; the first match wins.
_REFUSALS = {
    "password authentication failed": "refused the login. Check PGUSER and PGPASSWORD.",
    "no password supplied": "refused the login. Check PGUSER and PGPASSWORD.",
    "no pg_hba.conf entry": "takes no login of this user from this machine. Check PGUSER and the server's pg_hba.conf.",
    "role": "has no such user that may log in. Check PGUSER.",
    "could not translate host name": "is not known by that name. Check PGHOST.",
    "database": "has no such database. Check PGDATABASE.",
    "Connection refused": "does not answer. Check PGHOST and PGPORT, and that the server runs.",
    "No such file or directory": "does not answer. Check PGHOST and PGPORT, and that the server runs.",
    "timeout expired": f"did not answer within {CONNECT_TIMEOUT_SECONDS} seconds. Check PGHOST and PGPORT.",
}


@dataclass(frozen=True)
class Postgres(Engine):
    """A Postgres database."""

    name = "postgres"
    title = "Postgres"
    dialect = "postgres"
    load_format = "csv"
    required_environment = ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE")

    def _dlt_destination(self) -> Any:
        """A dlt destination for this database."""
        import dlt
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials

        self.check_environment()
        credentials = PostgresCredentials(
            {
                "host": os.environ["PGHOST"],
                "port": self._port(),
                "username": os.environ["PGUSER"],
                "password": os.environ["PGPASSWORD"],
                "database": os.environ["PGDATABASE"],
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            }
        )
        return dlt.destinations.postgres(
            credentials=credentials, destination_name="warehouse", replace_strategy="insert-from-staging"
        )

    def _port(self) -> int:
        port = os.environ.get("PGPORT") or "5432"
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise WarehouseError(f"PGPORT: {port!r} is not valid; expected a port number from 1 to 65535.")
        return int(port)

    def _open(self) -> tuple[Any, Any]:
        import psycopg2

        self._port()
        try:
            connection = psycopg2.connect("", connect_timeout=CONNECT_TIMEOUT_SECONDS, application_name="dagster")
        except psycopg2.OperationalError as error:
            raise WarehouseError(self._refusal(str(error))) from None
        connection.autocommit = True  # transactions are opened by statement, as with every engine
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")  # a connection option would lose against PGTZ
        return connection, cursor

    def _refusal(self, reason: str) -> str:
        host, user, database = (os.environ[name] for name in ("PGHOST", "PGUSER", "PGDATABASE"))
        words = " ".join(reason.replace(os.environ["PGPASSWORD"], "***").split())
        stated = next(
            (text for sign, text in _REFUSALS.items() if sign in reason and _names(sign, reason)),
            f"cannot be used: {words or 'no reason was given'}",
        )
        return f"Postgres at host {host!r}, port {self._port()} (database {database!r}, user {user!r}) {stated}"

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
            return self._columns(cursor, self.qualify(schema, table))

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
            if present == "table" and same_shape(self._columns(cursor, relation), self._columns(cursor, staged)):
                cursor.execute(f"DELETE FROM {relation}")  # noqa: S608 - identifiers are quoted
                cursor.execute(f"INSERT INTO {relation} TABLE {staged}")
            else:
                if present:
                    cursor.execute(f"DROP {present.upper()} {relation}")
                cursor.execute(f"CREATE TABLE {relation} AS TABLE {staged}")
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
            cursor.execute("SAVEPOINT before_view")
            try:
                cursor.execute(f"CREATE OR REPLACE VIEW {relation} AS {subselect(select)}")
            except self._driver_error() as error:
                if getattr(error, "pgcode", None) != "42P16":  # invalid_table_definition: a column changed or went
                    raise
                cursor.execute("ROLLBACK TO SAVEPOINT before_view")
                cursor.execute(f"DROP VIEW {relation}")
                cursor.execute(f"CREATE VIEW {relation} AS {subselect(select)}")

    def _relation_type(self, cursor: Any, schema: str, table: str) -> str | None:
        cursor.execute(
            "SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v')",
            (schema, table),
        )
        row = cursor.fetchone()
        return None if row is None else "view" if row[0] == "v" else "table"

    def _columns(self, cursor: Any, relation: str) -> list[Column]:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (relation,),
        )
        return [Column(name, kind) for name, kind in cursor.fetchall()]


def _names(sign: str, reason: str) -> bool:
    """Whether a sign that is a common word stands where libpq says that the thing does not exist."""
    return sign not in ("role", "database") or (f'{sign} "' in reason and "does not exist" in reason)
