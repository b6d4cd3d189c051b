"""The cloud warehouses of the tests: two emulators as processes of their own, and a small fake of a workspace."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.databricks import FakeWorkspace

# The emulators need other versions of DuckDB than this environment has.
BIGQUERY = ["bqemulator==1.4.*", "duckdb==1.5.5", "duckdb-extension-spatial==1.5.5", "numpy", "tzdata"]
# fakesnow speaks the connector's protocol up to version 4.
SNOWFLAKE = ["fakesnow[server]==0.12.*", "snowflake-connector-python<5"]
START_SECONDS = 180


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def served(packages: list[str], command: list[str], port: int, folder: Path) -> Iterator[int]:
    """A server in an environment of its own, ended with the block."""
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    with_packages = [part for package in packages for part in ("--with", package)]
    log = folder / "server.log"
    variables = {**os.environ, "HOME": str(folder), "UV_CACHE_DIR": cache, "UV_PYTHON": sys.executable}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["uv", "run", "--isolated", "--no-project", *with_packages, *command],
            stdout=output,
            stderr=output,
            env=variables,
            cwd=folder,
        )
    try:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < give_up, log.read_text()
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def bigquery_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    launcher = str(Path(__file__).with_name("bigquery_emulator.py"))
    with served(BIGQUERY, ["python", launcher, str(port)], port, tmp_path_factory.mktemp("bigquery")) as port:
        yield port


@pytest.fixture(scope="session")
def snowflake_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    with served(SNOWFLAKE, ["fakesnow", "-s", "-p", str(port)], port, tmp_path_factory.mktemp("snowflake")) as port:
        yield port


@pytest.fixture
def bigquery_environment(bigquery_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of its own on the emulator."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{bigquery_port}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", f"project-{time.monotonic_ns()}")
    monkeypatch.delenv("BIGQUERY_LOCATION", raising=False)


@pytest.fixture
def snowflake_environment(snowflake_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of its own on the emulator, which makes it at login."""
    values = {
        "ACCOUNT": "fakesnow",
        "USER": "loader",
        "PASSWORD": "s3cret-password",
        "DATABASE": f"DB{time.monotonic_ns()}",
        "WAREHOUSE": "SMALL",
        "HOST": "127.0.0.1",
        "PORT": str(snowflake_port),
        "PROTOCOL": "http",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
    for name in ("ROLE", "PRIVATE_KEY_PATH", "PRIVATE_KEY_PASSPHRASE"):
        monkeypatch.delenv(f"SNOWFLAKE_{name}", raising=False)


@pytest.fixture
def redshift_environment(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Postgres server in Redshift's place: the same protocol, and the SQL that both have."""
    for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE"):
        monkeypatch.setenv(f"REDSHIFT_{name}", os.environ[f"PG{name}"])
        monkeypatch.setenv(f"PG{name}", "not-for-redshift")


@pytest.fixture
def databricks_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeWorkspace]:
    """A workspace with one SQL warehouse."""
    server = FakeWorkspace(tmp_path / "workspace")
    monkeypatch.setenv("DATABRICKS_HOST", server.address)
    monkeypatch.setenv("DATABRICKS_HTTP_PATH", "/sql/1.0/warehouses/abc123")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-s3cret")
    for name in ("CLIENT_ID", "CLIENT_SECRET", "CATALOG"):
        monkeypatch.delenv(f"DATABRICKS_{name}", raising=False)
    yield server
    server.close()


ENGINES = {
    "duckdb": None,
    "postgres": "postgres_database",
    "bigquery": "bigquery_environment",
    "snowflake": "snowflake_environment",
    "databricks": "databricks_server",
    "redshift": "redshift_environment",
}
ALL_ENGINES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("bigquery", marks=pytest.mark.e2e),
    pytest.param("snowflake", marks=pytest.mark.e2e),
    "databricks",
    pytest.param("redshift", marks=pytest.mark.postgres),
]
