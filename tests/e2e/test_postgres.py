"""The same project against a real PostgreSQL server: one variable moves ingestion, dbt and SQL components together."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Project, installed
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return installed(template, tmp_path_factory.mktemp("postgres") / "platform", {"warehouse": "postgres"})


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> str:
    return postgres_server.create_database()


@pytest.fixture
def production(postgres_server: PostgresServer, database: str) -> dict[str, str]:
    return {"WAREHOUSE_TARGET": "production", **postgres_server.environment(database)}


@pytest.mark.slot("modern-data", "postgres", "server")
def test_the_whole_platform_runs_on_postgres(
    project: Project, production: dict[str, str], postgres_server: PostgresServer, database: str
):
    project.launch(**production)
    counted = "select count(*), sum(case when is_delayed then 1 else 0 end) from marts.fct_flights"
    assert postgres_server.psql(database, counted) == "336776|77630"
    assert "Postgres" in (project.path / "dashboards" / "flights.html").read_text()
    assert not (project.path / "data" / "warehouse.duckdb").exists()


def test_without_the_variable_it_stays_on_duckdb(project: Project):
    project.launch("raw/airlines")
    assert project.query("select count(*) from raw.airlines") == [(16,)]


def test_a_missing_variable_is_named(project: Project, production: dict[str, str]):
    del production["PGPASSWORD"]
    done = project.launch("raw/airlines", check=False, **production)
    assert done.returncode != 0
    assert "PGPASSWORD" in done.stdout + done.stderr


def test_a_refused_login_names_host_and_user_and_never_the_password(project: Project, production: dict[str, str]):
    done = project.launch("raw/airlines", check=False, **production | {"PGPASSWORD": "s3cr3t-guess"})
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert production["PGUSER"] in said
    assert production["PGHOST"] in said
    assert "s3cr3t-guess" not in said


def test_a_target_that_does_not_exist_is_named_with_what_is_valid(project: Project):
    done = project.run("dg", "check", "defs", check=False, WAREHOUSE_TARGET="prod")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "WAREHOUSE_TARGET" in said
    assert "production" in said
    assert "local" in said
