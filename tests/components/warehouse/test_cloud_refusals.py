"""What the cloud warehouses refuse, in one message without secrets."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.warehouse.engines.base import WarehouseError
from components.warehouse.engines.bigquery import BigQuery
from components.warehouse.engines.databricks import Databricks
from components.warehouse.engines.snowflake import Snowflake
from tests.fakes.databricks import Fault
from tests.fakes.waiting import wait_for


def refusal(engine) -> str:
    with pytest.raises(WarehouseError) as caught:
        engine.query("SELECT 1 AS n")
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def snowflake_login(monkeypatch):
    """A server that refuses every Snowflake login."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            words = "Incorrect username or password was specified."
            content = json.dumps({"success": False, "code": "390100", "message": words, "data": {}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    values = {
        "ACCOUNT": "acme-eu",
        "USER": "loader",
        "PASSWORD": "s3cret-password",
        "DATABASE": "ANALYTICS",
        "WAREHOUSE": "SMALL",
        "HOST": "127.0.0.1",
        "PORT": str(server.server_port),
        "PROTOCOL": "http",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
    monkeypatch.delenv("SNOWFLAKE_PRIVATE_KEY_PATH", raising=False)
    yield
    server.shutdown()
    server.server_close()


def test_a_refused_snowflake_login_names_account_user_and_variables(snowflake_login, tmp_path):
    message = refusal(Snowflake(tmp_path))
    assert message.startswith("Snowflake account 'acme-eu' (database 'ANALYTICS', user 'loader') refused the login.")
    assert "SNOWFLAKE_PASSWORD" in message


def test_a_snowflake_key_that_is_none_is_named(snowflake_login, monkeypatch, tmp_path):
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", str(tmp_path / "absent.p8"))
    assert refusal(Snowflake(tmp_path)) == f"SNOWFLAKE_PRIVATE_KEY_PATH: '{tmp_path / 'absent.p8'}' does not exist."
    (tmp_path / "key.p8").write_text("s3cret, but no key")
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", str(tmp_path / "key.p8"))
    assert "cannot be read as a private key" in refusal(Snowflake(tmp_path))


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (BigQuery, "(BigQuery) needs GOOGLE_CLOUD_PROJECT in the environment."),
        (Databricks, "(Databricks SQL) needs DATABRICKS_HOST, DATABRICKS_HTTP_PATH in the environment."),
        (Snowflake, "needs SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER, SNOWFLAKE_DATABASE, SNOWFLAKE_WAREHOUSE in the"),
    ],
)
def test_missing_variables_are_named_all_at_once(engine, expected, monkeypatch, tmp_path):
    for name in engine.required_environment:
        monkeypatch.delenv(name, raising=False)
    assert expected in refusal(engine(tmp_path))


def test_a_google_key_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop")
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    message = refusal(BigQuery(tmp_path))
    assert "Set GOOGLE_APPLICATION_CREDENTIALS to a key file" in message
    assert "absent.json" in message


def test_a_revoked_databricks_token_is_named(databricks_server, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-s3cret-and-revoked")
    message = refusal(Databricks(tmp_path))
    assert message.endswith("refused the login. Check DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and its secret.")
    assert databricks_server.address in message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sql/1.0/endpoint", "expected a SQL warehouse's path, such as /sql/1.0/warehouses/"),
        ("/sql/1.0/warehouses/gone", "warehouse gone is not there. Check DATABRICKS_HTTP_PATH."),
    ],
)
def test_a_wrong_databricks_warehouse_is_named(databricks_server, monkeypatch, tmp_path, path, expected):
    monkeypatch.setenv("DATABRICKS_HTTP_PATH", path)
    assert expected in refusal(Databricks(tmp_path))


def test_a_databricks_workspace_that_does_not_answer_is_named(databricks_server, monkeypatch, tmp_path):
    monkeypatch.setattr("components.warehouse.engines.databricks.RETRY_SECONDS", 1)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:1")
    assert refusal(Databricks(tmp_path)) == (
        "Databricks SQL at 'http://127.0.0.1:1' (/sql/1.0/warehouses/abc123) does not answer. "
        "Check DATABRICKS_HOST and the network."
    )


def test_a_databricks_permission_that_lacks_is_named(databricks_server, tmp_path):
    denied = {"error_code": "PERMISSION_DENIED", "message": "You may not use abc123."}
    databricks_server.faults = [Fault("sql/statements", 403, body=denied)]
    assert "denies it: You may not use abc123. Check what the login may do" in refusal(Databricks(tmp_path))


def test_a_throttled_databricks_call_is_made_again(databricks_server, tmp_path):
    busy = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "slow down"}
    databricks_server.faults = [Fault("sql/statements", 429, {"Retry-After": "1"}, busy)]
    assert Databricks(tmp_path).query("SELECT 1 AS n").rows == [(1,)]
    assert databricks_server.faults == []


def test_a_long_databricks_statement_is_waited_for_and_read_chunk_by_chunk(databricks_server, tmp_path):
    databricks_server.sql.polls = 2
    rows = Databricks(tmp_path).query("SELECT * FROM (VALUES (1), (2), (3), (4), (5), (6), (7)) AS v(n)").rows
    assert sorted(rows) == [(number,) for number in range(1, 8)]
    assert databricks_server.asked("result/chunks") == 2


def test_an_interrupted_databricks_statement_is_cancelled(databricks_server, monkeypatch, tmp_path):
    databricks_server.sql.polls = -1

    def interrupt(_):
        wait_for(lambda: databricks_server.sql.results)
        raise KeyboardInterrupt

    monkeypatch.setattr("components.warehouse.engines.databricks_statements.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Databricks(tmp_path).query("SELECT 1 AS n")
    assert databricks_server.sql.cancelled == ["st-1"]
