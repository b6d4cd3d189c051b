"""Real databases that the tests replicate from, each reached as a project reaches it."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy

from components.ingestion.database_source import DatabaseSourceComponent

VARIABLES = {
    "host_env": "SHOP_DB_HOST",
    "port_env": "SHOP_DB_PORT",
    "database_env": "SHOP_DB_NAME",
    "user_env": "SHOP_DB_USER",
}
PASSWORD = "SHOP_DB_PASSWORD"


# How each kind of database calls a moment, and a time that has no zone.
MOMENT = {"postgres": "TIMESTAMPTZ", "mysql": "TIMESTAMP(6)", "sqlserver": "DATETIMEOFFSET"}
LOCAL_TIME = {"postgres": "TIMESTAMP", "mysql": "DATETIME(6)", "sqlserver": "DATETIME2"}
BINARY = {"postgres": "BYTEA", "mysql": "LONGBLOB", "sqlserver": "VARBINARY(max)"}
TEXT = {"postgres": "TEXT", "mysql": "LONGTEXT", "sqlserver": "NVARCHAR(max)"}


@dataclass
class Shop:
    """A database with its address, and a login that may write, for the test itself."""

    engine: str
    url: sqlalchemy.URL
    server: Any

    @property
    def moment(self) -> str:
        return MOMENT[self.engine]

    @property
    def local_time(self) -> str:
        return LOCAL_TIME[self.engine]

    def execute(self, *statements: str, **values: Any) -> None:
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sqlalchemy.text(statement), values)
        engine.dispose()


def environment(host: str, port: int, database: str, user: str, password: str) -> dict[str, str]:
    """The variables that the components under test read."""
    named = {"host_env": host, "port_env": str(port), "database_env": database, "user_env": user}
    return {VARIABLES[key]: value for key, value in named.items()} | {PASSWORD: password}


def attributes(engine: str, *tables: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The attributes of a source with these tables."""
    described = [{"description": "Rows of a test.", **table} for table in tables]
    return {"connection": {"engine": engine, **VARIABLES, "password": PASSWORD}, "tables": described, **given}


def add(project: Any, shop: Shop, *tables: dict[str, Any], **given: Any) -> None:
    """Write a source with these tables into a project that has a policy."""
    project.file("policy.yaml", "version: 1\n")
    project.add(DatabaseSourceComponent, "ingestion/shop", attributes(shop.engine, *tables, **given))


def load(project: Any, shop: Shop, *tables: dict[str, Any], **given: Any) -> dict[str, dict[str, Any]]:
    """Materialise a source with these tables."""
    add(project, shop, *tables, **given)
    return project.materialize()


def failure(project: Any, shop: Shop, *tables: dict[str, Any], **given: Any) -> str:
    """What materialising such a source fails with."""
    add(project, shop, *tables, **given)
    return project.failure()
