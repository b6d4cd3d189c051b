"""The generated project on cloud warehouses, through the real clients: ingestion, dbt, SQL components, export."""

import csv
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.components.warehouse.servers import bigquery_port, snowflake_port
from tests.e2e.adapters import Adapters, adapters, said

__all__ = ["adapters", "bigquery_port", "snowflake_port"]
pytestmark = pytest.mark.e2e

RUN = str(Path(__file__).with_name("cloud_run.py"))
DBT = 12  # models of the sample
RAW = ["raw/airlines", "raw/airports", "raw/flights", "raw/planes", "raw/weather"]


@pytest.fixture
def google_login(tmp_path: Path) -> Iterator[Path]:
    """A service account's key file, and the server that gives tokens for it."""

    class Tokens(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = json.dumps({"access_token": "made-up", "expires_in": 3600, "token_type": "Bearer"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), Tokens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        login = {"type": "service_account", "project_id": "shop", "private_key_id": "1", "client_id": "1"}
        login |= {"private_key": key.decode(), "client_email": "loader@shop.iam.gserviceaccount.com"}
        login |= {"token_uri": f"http://127.0.0.1:{server.server_port}/token"}
        file = tmp_path / "login.json"
        file.write_text(json.dumps(login))
        yield file
        server.shutdown()


def without_contracts(project: Path) -> None:
    """Neither emulator makes a table with declared columns from a query, as an enforced contract does."""
    settings = project / "transform" / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("enforced: true", "enforced: false"))


def outcome(adapters: Adapters, warehouse: str, *steps: str, **variables: str) -> dict[str, Any]:
    without_contracts(adapters.projects[warehouse])
    variables |= {"WAREHOUSE_TARGET": "production", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = adapters.run(warehouse, RUN, warehouse, *steps, **variables)
    assert done.returncode == 0, said(done)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["success"], said(done)
    return result


def exported(project: Path) -> list[dict[str, str]]:
    with (project / "exports" / "delay_watchlist.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slot("modern-data", "bigquery", "server")
def test_the_whole_project_runs_on_bigquery(adapters: Adapters, bigquery_port: int, google_login: Path):
    result = outcome(
        adapters,
        "bigquery",
        GOOGLE_CLOUD_PROJECT="shop",
        GOOGLE_APPLICATION_CREDENTIALS=str(google_login),
        BIGQUERY_EMULATOR_HOST=f"http://127.0.0.1:{bigquery_port}",
        # What BigQuery has and the emulator has not: compressed uploads, and a lookup of regions at login.
        DATA_WRITER__DISABLE_COMPRESSION="true",
        GOOGLE_AUTH_TRUST_BOUNDARY_ENABLED="false",
    )
    assert result["failed"] == []
    assert set(RAW) < set(result["made"])
    assert len(result["made"]) == len(RAW) + DBT + 2
    assert result["figures"] == [336_776, 77_630, 1, 7, 336_776]
    watchlist = exported(adapters.projects["bigquery"])
    assert len(watchlist) == 50
    assert all("." in row["delayed_percent"] for row in watchlist)


@pytest.mark.slot("modern-data", "snowflake", "server")
def test_the_project_runs_on_snowflake_from_loaded_rows_on(adapters: Adapters, snowflake_port: int):
    # dlt's loader needs several statements in one request and a stage to put files on, which the emulator lacks:
    # the rows go in by the engine's own connection.
    result = outcome(
        adapters,
        "snowflake",
        "load",
        SNOWFLAKE_ACCOUNT="fakesnow",
        SNOWFLAKE_USER="loader",
        SNOWFLAKE_PASSWORD="s3cret-password",
        SNOWFLAKE_DATABASE="ANALYTICS",
        SNOWFLAKE_WAREHOUSE="SMALL",
        SNOWFLAKE_HOST="127.0.0.1",
        SNOWFLAKE_PORT=str(snowflake_port),
        SNOWFLAKE_PROTOCOL="http",
    )
    assert result["failed"] == []
    assert len(result["made"]) == DBT + 2
    flights, delayed, low, high, keys = result["figures"]
    assert (flights, low, high) == (keys, 1, 5)  # a Friday in February, a Monday in July
    assert 0 < delayed < flights
    page = adapters.projects["snowflake"] / "dashboards" / "flights.html"
    assert "Snowflake (production target)" in page.read_text()
