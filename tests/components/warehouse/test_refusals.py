import os
import socket
import subprocess
import sys
import threading
import traceback

import pytest

from components.warehouse.engines.base import WarehouseError
from components.warehouse.engines.duckdb import LocalDuckDB, ProductionDuckDB
from components.warehouse.engines.postgres import Postgres


def refusal(engine) -> str:
    with pytest.raises(WarehouseError) as caught:
        engine.query("SELECT 1")
    return str(caught.value)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PGPASSWORD", "s3cret-and-wrong", "refused the login. Check PGUSER and PGPASSWORD."),
        ("PGUSER", "nobody", "refused the login. Check PGUSER and PGPASSWORD."),
        ("PGHOST", "no-such-host.invalid", "is not known by that name. Check PGHOST."),
        ("PGDATABASE", "absent", "has no such database. Check PGDATABASE."),
        ("PGPORT", "1", "does not answer. Check PGHOST and PGPORT, and that the server runs."),
    ],
)
def test_a_refused_connection_is_one_message_without_the_password(
    postgres_database, monkeypatch, tmp_path, variable, value, expected
):
    monkeypatch.setenv(variable, value)
    message = refusal(Postgres(tmp_path))
    assert message.endswith(expected)
    assert "\n" not in message
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
        assert os.environ[name] in message
    assert os.environ["PGPASSWORD"] not in message


@pytest.mark.postgres
def test_a_refused_login_hides_the_password_from_the_traceback_too(postgres_database, monkeypatch, tmp_path):
    monkeypatch.setenv("PGPASSWORD", "s3cret-and-wrong")
    with pytest.raises(WarehouseError) as caught:
        Postgres(tmp_path).query("SELECT 1")
    assert "s3cret-and-wrong" not in "".join(traceback.format_exception(caught.value))


def test_a_server_that_breaks_off_is_told_in_its_own_words(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name, value in {"PGHOST": "127.0.0.1", "PGPORT": str(server.getsockname()[1])}.items():
            monkeypatch.setenv(name, value)
        for name in ("PGUSER", "PGPASSWORD", "PGDATABASE"):
            monkeypatch.setenv(name, "some")

        def hang_up():
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        message = refusal(Postgres(tmp_path))
    assert "cannot be used:" in message
    assert "closed the connection" in message or "reset" in message


def test_missing_variables_are_named_all_at_once(monkeypatch, tmp_path):
    for name in ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    expected = "The production warehouse (Postgres) needs PGHOST, PGUSER, PGPASSWORD, PGDATABASE in the environment."
    assert refusal(Postgres(tmp_path)) == expected
    with pytest.raises(WarehouseError, match="PGHOST"):
        Postgres(tmp_path).dlt_destination()


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_named(monkeypatch, tmp_path, port):
    for name in ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"):
        monkeypatch.setenv(name, "some")
    monkeypatch.setenv("PGPORT", port)
    assert refusal(Postgres(tmp_path)) == f"PGPORT: '{port}' is not valid; expected a port number from 1 to 65535."


def test_a_file_in_use_is_named_with_its_process(monkeypatch, tmp_path):
    monkeypatch.delenv("WAREHOUSE_DUCKDB_FILE", raising=False)
    engine = LocalDuckDB(tmp_path)
    engine.execute("CREATE TABLE t (a int)")
    script = f"import duckdb; c = duckdb.connect({str(engine.file)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        message = refusal(engine)
        other.communicate(b"\n")
    assert f"{engine.file} is in use by process {other.pid}" in message
    assert "WAREHOUSE_DUCKDB_FILE" in message
    assert engine.query("SELECT count(*) FROM t").rows == [(0,)]


def test_a_connection_is_closed_after_each_call(monkeypatch, tmp_path):
    monkeypatch.delenv("WAREHOUSE_DUCKDB_FILE", raising=False)
    engine = LocalDuckDB(tmp_path)
    engine.execute("CREATE TABLE t (a int)")
    with pytest.raises(WarehouseError):
        engine.execute("SELECT * FROM absent")
    script = f"import duckdb; duckdb.connect({str(engine.file)!r}).execute('INSERT INTO t VALUES (7)')"
    subprocess.run([sys.executable, "-c", script], check=True)
    assert engine.query("SELECT a FROM t").rows == [(7,)]


def test_a_file_that_is_no_database_is_named_with_its_variable(monkeypatch, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database\n" * 500)
    monkeypatch.setenv("WAREHOUSE_DUCKDB_FILE", "notes.txt")
    expected = f"WAREHOUSE_DUCKDB_FILE: {tmp_path / 'notes.txt'} is not a DuckDB database."
    assert refusal(LocalDuckDB(tmp_path)) == expected


def test_production_needs_its_file_and_never_makes_its_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("WAREHOUSE_PRODUCTION_FILE", raising=False)
    expected = "The production warehouse (DuckDB) needs WAREHOUSE_PRODUCTION_FILE in the environment."
    assert refusal(ProductionDuckDB(tmp_path)) == expected
    monkeypatch.setenv("WAREHOUSE_PRODUCTION_FILE", "mistyped/w.duckdb")
    assert "WAREHOUSE_PRODUCTION_FILE: the folder of" in refusal(ProductionDuckDB(tmp_path))
    assert not (tmp_path / "mistyped").exists()
    (tmp_path / "mistyped").mkdir()
    assert ProductionDuckDB(tmp_path).query("SELECT 1").rows == [(1,)]
