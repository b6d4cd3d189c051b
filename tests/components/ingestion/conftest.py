"""Fixtures of the ingestion tests."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy

from tests.components.ingestion.databases import Shop, environment
from tests.components.ingestion.sqlserver.server import running_sqlserver
from tests.components.ingestion.stores import ADLS, GCS, S3, running_adls, running_gcs, running_s3
from tests.components.warehouse.project import any_project, project
from tests.mariadb_server import MariaDBServer, running_mariadb
from tests.postgres_server import PostgresServer

__all__ = ["any_project", "project"]


def _shop(monkeypatch: pytest.MonkeyPatch, engine: str, driver: str, server: Any, database: str) -> Shop:
    """A database of a server, with the variables that lead to it."""
    variables = environment(server.host, server.port, database, server.user, server.password)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    url = sqlalchemy.URL.create(driver, server.user, server.password, server.host, server.port, database)
    return Shop(engine, url, server)


@pytest.fixture
def postgres_shop(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A new database of a real PostgreSQL server."""
    return _shop(monkeypatch, "postgres", "postgresql+psycopg2", postgres_server, postgres_server.create_database())


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDBServer]:
    """A real MariaDB server; mark tests that use it ``mariadb``."""
    with running_mariadb() as server:
        yield server


@pytest.fixture
def mysql_shop(mariadb_server: MariaDBServer, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A new database of a real MariaDB server."""
    return _shop(monkeypatch, "mysql", "mysql+pymysql", mariadb_server, mariadb_server.create_database())


@pytest.fixture
def sqlserver_shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A database of the stand-in for SQL Server, reached by the real client over its wire protocol."""
    with running_sqlserver() as server:
        yield _shop(monkeypatch, "sqlserver", "mssql+pymssql", server, server.database)


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mysql", marks=pytest.mark.mariadb),
        "sqlserver",
    ]
)
def any_shop(request: pytest.FixtureRequest) -> Shop:
    """A database of each kind: real servers of PostgreSQL and MariaDB, and the stand-in of SQL Server."""
    return request.getfixturevalue(f"{request.param}_shop")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """A local S3."""
    with running_s3() as store:
        yield store


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[GCS]:
    """A local Google Cloud Storage."""
    with running_gcs() as store:
        yield store


@pytest.fixture(scope="session")
def adls_server() -> Iterator[ADLS]:
    """A local Azure Storage."""
    with running_adls() as store:
        yield store


def _ready(store: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store of this test alone, which the environment leads to."""
    made = type(store)(store.endpoint, f"{store.url}{uuid.uuid4().hex[:8]}")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """An empty place in a bucket of S3."""
    return _ready(s3_server, monkeypatch)


@pytest.fixture
def gcs(gcs_server: GCS, monkeypatch: pytest.MonkeyPatch) -> GCS:
    """An empty place in a bucket of Google Cloud Storage."""
    return _ready(gcs_server, monkeypatch)


@pytest.fixture
def adls(adls_server: ADLS, monkeypatch: pytest.MonkeyPatch) -> ADLS:
    """An empty place in a container of Azure Storage."""
    return _ready(adls_server, monkeypatch)
