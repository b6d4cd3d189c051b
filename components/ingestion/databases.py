"""Connections to databases that are read from, and what their refusals mean."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .database_attributes import DatabaseConnection
from .files import SourceError, SourceUnreachableError

CONNECT_SECONDS = 15


@dataclass(frozen=True)
class Dialect:
    """How one kind of database is reached.

    Args:
        title: Its name for people.
        driver: SQLAlchemy's name of dialect and driver.
        package: The driver's package on PyPI.
        port: Its usual port.
        arguments: What the driver is told beside the address: time-outs, UTC, reading only.
        tls: What makes the driver refuse a connection that is not encrypted.
        login, database, unreachable: Patterns of its messages about a refused login, an unknown database, and a server
            that does not answer.
        refused: Pattern of a message that says no more than that the server refused us.
    """

    title: str
    driver: str
    package: str
    port: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tls: Mapping[str, Any] = field(default_factory=dict)
    login: str = r"(?!)"
    database: str = r"(?!)"
    unreachable: str = r"(?!)"
    refused: str = r"(?!)"


DIALECTS = {
    "postgres": Dialect(
        title="Postgres",
        driver="postgresql+psycopg2",
        package="psycopg2-binary",
        port=5432,
        arguments={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "dagster",
            "options": "-c TimeZone=UTC -c default_transaction_read_only=on",
            "keepalives_idle": 30,
        },
        tls={"sslmode": "require"},
        login=r"password authentication failed|no password supplied|role .* does not exist|no pg_hba.conf entry",
        database=r"database .* does not exist",
        unreachable=r"could not translate host name|Connection refused|timeout expired|No route to host|unreachable",
    ),
    "mysql": Dialect(
        title="MySQL",
        driver="mysql+pymysql",
        package="pymysql",
        port=3306,
        arguments={
            "connect_timeout": CONNECT_SECONDS,
            "charset": "utf8mb4",
            "init_command": "SET SESSION time_zone = '+00:00'",
        },
        tls={"ssl": {"check_hostname": False, "verify_mode": False}},
        login=r"\(1045,|\(1698,",
        database=r"\(1049,|\(1044,",
        unreachable=r"\(2003,|\(2005,",
    ),
    "sqlserver": Dialect(
        title="SQL Server",
        driver="mssql+pymssql",
        package="pymssql",
        port=1433,
        arguments={"login_timeout": CONNECT_SECONDS, "charset": "UTF-8", "appname": "dagster", "tds_version": "7.4"},
        tls={"encryption": "require"},
        # By words: after one refusal pymssql gives its number to the next, and sometimes no words.
        login=r"Login failed for",
        database=r"Cannot open database",
        unreachable=r"Unable to connect",
        refused=r"General SQL Server error",
    ),
    "sqlite": Dialect(title="SQLite", driver="sqlite", package="", port=0),
}


class Database:
    """A database that tables are read from, opened when the first one is.

    Args:
        dialect: Which kind.
        url: SQLAlchemy's address.
        names: What to check where it refuses us: variables and secrets by what they hold.
        secrets: Values that no message may hold.
        tls: Whether the connection must be encrypted.
    """

    def __init__(
        self,
        dialect: Dialect,
        url: Any,
        names: Mapping[str, str],
        secrets: tuple[str, ...] = (),
        *,
        tls: bool = False,
    ) -> None:
        self.dialect, self._url, self._names, self._secrets, self._tls = dialect, url, names, secrets, tls

    @contextmanager
    def engine(self) -> Iterator[Any]:
        """An SQLAlchemy engine that has answered once.

        Raises:
            SourceError: it refuses us; SourceUnreachableError where it does not answer, or stops to.
        """
        import sqlalchemy

        arguments = {**self.dialect.arguments, **(self.dialect.tls if self._tls else {})}
        try:
            engine = sqlalchemy.create_engine(self._url, connect_args=arguments, poolclass=sqlalchemy.NullPool)
        except ImportError:
            raise SourceError(
                f"{self.dialect.title} needs the package {self.dialect.package}. Add it to the project's dependencies."
            ) from None
        try:
            with engine.connect():
                pass
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise self._refusal(error) from None
        try:
            yield engine
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise self.fault(error) from None
        finally:
            engine.dispose()

    def fault(self, error: Any, table: str = "") -> SourceError:
        """What an error in the middle of the work means: whether trying again may help."""
        import sqlalchemy

        place = f", table {table}" if table else ""
        broken = isinstance(error, sqlalchemy.exc.OperationalError) or getattr(error, "connection_invalidated", False)
        if broken:
            return SourceUnreachableError(f"{self.dialect.title}{place}: the connection broke: {self.told(error)}.")
        return SourceError(f"{self.dialect.title}{place}: the query was refused: {self.told(error)}.")

    def _refusal(self, error: Exception) -> SourceError:
        text, title, names = str(error), self.dialect.title, self._names
        if re.search(self.dialect.unreachable, text):
            return SourceUnreachableError(
                f"{title} does not answer. Check {names['host']} and {names['port']}, "
                "and that this machine may reach it."
            )
        if re.search(self.dialect.login, text):
            return SourceError(f"{title} refused the login. Check {names['user']} and {names['password']}.")
        if re.search(self.dialect.database, text):
            return SourceError(
                f"{title} has no such database, or not for this user. Check {names['database']} and {names['user']}."
            )
        if re.search(self.dialect.refused, text):
            return SourceError(
                f"{title} refused the connection. Check {names['database']}, {names['user']} and {names['password']}."
            )
        return SourceUnreachableError(f"{title} gave no connection: {self.told(error)}.")

    def told(self, error: Exception) -> str:
        """The driver's own words, in one line and without secrets."""
        from ..secrets import redacted

        text = str(getattr(error, "orig", None) or error)
        return redacted(" ".join(text.split())[:500], self._secrets).rstrip(".")


def database_of(connection: DatabaseConnection, project_root: Path) -> Database:
    """The database that the environment and the secret store name.

    Raises:
        SourceError: a variable or the secret is missing, or has no valid value.
    """
    import sqlalchemy

    from ..governance import policy_for
    from ..secrets import SecretError, SecretStoreError, read_secret

    dialect = DIALECTS[connection.engine]
    try:
        password = read_secret(policy_for(project_root).secrets, connection.password)
    except SecretStoreError as error:
        raise SourceUnreachableError(str(error)) from None
    except SecretError as error:
        raise SourceError(str(error)) from None
    port = os.environ.get(connection.port_env or "") or str(dialect.port)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SourceError(f"connection: {connection.port_env}: {port!r} is not a port; expected a number up to 65535.")
    host, database, user = (os.environ[name] for name in connection.variables)
    url = sqlalchemy.URL.create(dialect.driver, user, password, host, int(port), database)
    names = {
        "host": connection.host_env,
        "port": connection.port_env or f"that its port is {port}",
        "database": connection.database_env,
        "user": connection.user_env,
        "password": connection.password,
    }
    return Database(dialect, url, names, (password,), tls=connection.require_tls)


def missing_variables(connection: DatabaseConnection) -> list[str]:
    """The environment variables of a connection that are not set."""
    return [name for name in connection.variables if not os.environ.get(name)]


def database_of_script(script: Path, folder: Path) -> Database:
    """A SQLite database that a script of SQL statements fills.

    Args:
        script: The script.
        folder: Where the database file is made.

    Raises:
        SourceError: there is no such script, or SQLite refuses it.
    """
    import sqlite3

    import sqlalchemy

    file = folder / "sample.db"
    connection = sqlite3.connect(file)
    try:
        connection.executescript(script.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(f"sample: {script} does not exist.") from None
    except sqlite3.Error as error:
        raise SourceError(f"sample: {script}: SQLite refuses it: {error}.") from None
    finally:
        connection.close()
    return Database(DIALECTS["sqlite"], sqlalchemy.URL.create("sqlite", database=str(file)), {})
