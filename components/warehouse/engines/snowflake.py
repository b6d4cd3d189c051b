"""Snowflake: an account, found and logged in to by the variables that its own tools read."""

import os
from dataclasses import dataclass
from typing import Any

from .base import Column, WarehouseError
from .cloud import CloudEngine

LOGIN_TIMEOUT_SECONDS = 30

# What Snowflake's connector numbers a refused connection by, and what to check.
_LOGIN = "refused the login. Check SNOWFLAKE_USER, and SNOWFLAKE_PASSWORD or SNOWFLAKE_PRIVATE_KEY_PATH."
_ACCOUNT = "does not answer. Check SNOWFLAKE_ACCOUNT and the network."
_REFUSALS = {
    390100: _LOGIN,
    390144: _LOGIN,  # the key is not that of the user
    250001: _ACCOUNT,
    250003: _ACCOUNT,
    290403: _ACCOUNT,
    290404: _ACCOUNT,
}


@dataclass(frozen=True)
class Snowflake(CloudEngine):
    """A Snowflake database.

    A name without capitals is meant as Snowflake reads it unquoted, in capitals, and comes back as it was written.
    """

    name = "snowflake"
    title = "Snowflake"
    dialect = "snowflake"
    load_format = "csv"
    required_environment = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_DATABASE", "SNOWFLAKE_WAREHOUSE")

    def check_environment(self) -> None:
        """Raise WarehouseError where a variable is missing, or both ways to log in."""
        super().check_environment()
        if not (os.environ.get("SNOWFLAKE_PASSWORD") or os.environ.get("SNOWFLAKE_PRIVATE_KEY_PATH")):
            raise WarehouseError(
                "The production warehouse (Snowflake) needs SNOWFLAKE_PASSWORD or SNOWFLAKE_PRIVATE_KEY_PATH in the "
                "environment."
            )
        key = os.environ.get("SNOWFLAKE_PRIVATE_KEY_PATH")
        if key and not os.path.isfile(key):  # noqa: PTH113 - the variable holds text
            raise WarehouseError(f"SNOWFLAKE_PRIVATE_KEY_PATH: {key!r} does not exist.")

    def _dlt_destination(self) -> Any:
        """A dlt destination for this database."""
        import dlt
        from dlt.destinations.impl.snowflake.configuration import SnowflakeCredentials

        self.check_environment()
        names = {
            "host": "ACCOUNT",
            "username": "USER",
            "password": "PASSWORD",
            "private_key_path": "PRIVATE_KEY_PATH",
            "private_key_passphrase": "PRIVATE_KEY_PASSPHRASE",
            "database": "DATABASE",
            "warehouse": "WAREHOUSE",
            "role": "ROLE",
        }
        login: dict[str, Any] = {
            name: os.environ[f"SNOWFLAKE_{variable}"]
            for name, variable in names.items()
            if os.environ.get(f"SNOWFLAKE_{variable}")
        }
        return dlt.destinations.snowflake(
            credentials=SnowflakeCredentials({**login, "query": _endpoint()}),
            destination_name="warehouse",
            replace_strategy="insert-from-staging",
        )

    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, or None where the database has no such relation."""
        if self._catalog("table_name", "views", schema, table):
            return "view"
        return "table" if self._catalog("table_name", "tables", schema, table) else None

    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order."""
        rows = self._catalog("column_name, data_type", "columns", schema, table, "ORDER BY ordinal_position")
        return [Column(_shown(name), kind) for name, kind in rows]

    def _catalog(self, what: str, view: str, schema: str, table: str, order: str = "") -> list[tuple[Any, ...]]:
        with self.connect() as cursor:
            cursor.execute(
                f"SELECT {what} FROM information_schema.{view} WHERE table_schema = %s AND table_name = %s {order}",  # noqa: S608 - fixed words
                (_kept(schema), _kept(table)),
            )
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def replace_rows(self, schema: str, table: str, select: str, inside: str) -> None:
        """Make the rows for which ``inside`` holds those of ``select``; a transaction holds the deletion and the rest.

        Raises:
            WarehouseError: ``select`` has rows outside, which a second run would double.
        """
        relation, staged = self.qualify(schema, table), self.quote(f"{table[:50]}__staged")
        with self.connect() as cursor:
            cursor.execute(self.create_schema(schema))
            cursor.execute(f"USE SCHEMA {self.quote(schema)}")
            # Every statement about tables commits: they come before the transaction.
            cursor.execute(f"CREATE OR REPLACE TEMPORARY TABLE {staged} AS {self.one_query(select)}")
            cursor.execute(f"SELECT count(*) FROM {staged} WHERE NOT coalesce({inside}, false)")  # noqa: S608 - quoted
            if outside := cursor.fetchone()[0]:
                raise WarehouseError(f"{outside:,} rows of the query are not where {inside}")
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {relation} AS SELECT * FROM {staged} LIMIT 0")  # noqa: S608 - quoted
            cursor.execute("BEGIN")
            cursor.execute(f"DELETE FROM {relation} WHERE {inside}")  # noqa: S608 - quoted
            cursor.execute(f"INSERT INTO {relation} SELECT * FROM {staged}")  # noqa: S608 - quoted
            cursor.execute("COMMIT")
            cursor.execute(f"DROP TABLE {staged}")

    def quote(self, identifier: str) -> str:
        """An identifier as SQL, in capitals where it has none."""
        return super().quote(_kept(identifier))

    def _open(self) -> tuple[Any, Any]:
        import snowflake.connector

        login: dict[str, Any] = _endpoint() | {
            name: os.environ[f"SNOWFLAKE_{name.upper()}"]
            for name in ("account", "user", "database", "warehouse", "role")
            if os.environ.get(f"SNOWFLAKE_{name.upper()}")
        }
        if key := os.environ.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
            login |= {"private_key_file": key, "authenticator": "SNOWFLAKE_JWT"}
            if passphrase := os.environ.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"):
                login["private_key_file_pwd"] = passphrase
        else:
            login["password"] = os.environ["SNOWFLAKE_PASSWORD"]
        try:
            connection = snowflake.connector.connect(
                **login,
                application="dagster",
                login_timeout=LOGIN_TIMEOUT_SECONDS,
                session_parameters={"TIMEZONE": "UTC"},
            )
        except snowflake.connector.errors.Error as error:
            raise WarehouseError(self._refusal(error)) from None
        except (ValueError, TypeError) as error:  # what the key file raises; its words never hold the key
            raise WarehouseError(
                f"SNOWFLAKE_PRIVATE_KEY_PATH: {key!r} cannot be read as a private key ({type(error).__name__}). "
                "Check SNOWFLAKE_PRIVATE_KEY_PASSPHRASE."
            ) from None
        return connection, _Cursor(connection.cursor())

    def _refusal(self, error: Any) -> str:
        account, user, database = (os.environ[f"SNOWFLAKE_{name}"] for name in ("ACCOUNT", "USER", "DATABASE"))
        words = " ".join((error.msg or str(error)).split())
        for variable in ("SNOWFLAKE_PASSWORD", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"):
            if secret := os.environ.get(variable):
                words = words.replace(secret, "***")
        place = f"Snowflake account {account!r} (database {database!r}, user {user!r})"
        return f"{place} {_REFUSALS.get(error.errno, 'cannot be used.')} {words}"

    def _driver_error(self) -> type[Exception]:
        import snowflake.connector

        error: type[Exception] = snowflake.connector.errors.Error
        return error


class _Cursor:
    """The connector's cursor, whose columns are named as they were written."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, sql: str, parameters: Any = None) -> None:
        self._cursor.execute(sql, parameters)

    @property
    def description(self) -> list[tuple[str, str]]:
        from snowflake.connector.constants import FIELD_ID_TO_NAME

        found = self._cursor.description or []
        return [(_shown(column.name), FIELD_ID_TO_NAME[column.type_code]) for column in found]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._cursor.fetchall())

    def fetchone(self) -> Any:
        return self._cursor.fetchone()


def _endpoint() -> dict[str, Any]:
    """Where the account answers, if not at its own address: a private link, a proxy."""
    names = ("host", "port", "protocol")
    return {name: value for name in names if (value := os.environ.get(f"SNOWFLAKE_{name.upper()}"))}


def _kept(name: str) -> str:
    """A name as Snowflake keeps it."""
    return name.upper() if name == name.lower() else name


def _shown(name: str) -> str:
    """A name as it was written."""
    return name.lower() if name == name.upper() else name
