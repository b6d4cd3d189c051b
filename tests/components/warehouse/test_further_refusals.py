"""What Redshift and MotherDuck refuse, in one sentence that names the variable and never the secret."""

import socket
import struct
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from components.warehouse.engines.base import WarehouseError
from components.warehouse.engines.motherduck import MotherDuck
from components.warehouse.engines.redshift import Redshift


def refusal(engine) -> str:
    with pytest.raises(WarehouseError) as caught:
        engine.query("SELECT 1 AS n")
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@contextmanager
def listener(answer) -> Iterator[int]:
    """A server on this machine that answers each connection with ``answer(connection)`` and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def refuses_the_login(connection: socket.socket) -> None:
    """Postgres's protocol: no TLS, then an error that names the user, as Redshift says it."""
    while True:
        size, code = struct.unpack("!ii", connection.recv(8))
        if code != 80877103:  # anything but the question for TLS is the login
            break
        connection.sendall(b"N")
    connection.recv(size)
    words = b'SFATAL\0C28000\0Mpassword authentication failed for user "loader"\0\0'
    connection.sendall(b"E" + struct.pack("!i", len(words) + 4) + words)


def speaks_http(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def redshift(monkeypatch, tmp_path) -> Redshift:
    values = {"HOST": "127.0.0.1", "PORT": "1", "USER": "loader", "PASSWORD": "s3cret", "DATABASE": "shop"}
    for name, value in values.items():
        monkeypatch.setenv(f"REDSHIFT_{name}", value)
    return Redshift(tmp_path)


def test_a_refused_redshift_login_names_its_variables(redshift, monkeypatch):
    with listener(refuses_the_login) as port:
        monkeypatch.setenv("REDSHIFT_PORT", str(port))
        assert refusal(redshift) == (
            f"Redshift at host '127.0.0.1', port {port} (database 'shop', user 'loader') refused the login. "
            "Check REDSHIFT_USER and REDSHIFT_PASSWORD."
        )


def test_a_redshift_that_does_not_answer_is_named(redshift):
    assert refusal(redshift).endswith(
        "does not answer. Check REDSHIFT_HOST and REDSHIFT_PORT, and that the server runs."
    )


def test_a_redshift_host_that_is_not_known_is_named(redshift, monkeypatch):
    monkeypatch.setenv("REDSHIFT_HOST", "no-such-host.invalid")
    assert refusal(redshift).endswith("is not known by that name. Check REDSHIFT_HOST.")


def test_a_server_that_is_no_redshift_is_told_in_one_sentence(redshift, monkeypatch):
    with listener(speaks_http) as port:
        monkeypatch.setenv("REDSHIFT_PORT", str(port))
        message = refusal(redshift)
    assert "cannot be used: " in message
    assert "\n" not in message


@pytest.mark.parametrize("missing", ["REDSHIFT_HOST", "REDSHIFT_USER", "REDSHIFT_PASSWORD", "REDSHIFT_DATABASE"])
def test_a_missing_redshift_variable_is_named(redshift, monkeypatch, missing):
    monkeypatch.delenv(missing)
    assert refusal(redshift) == f"The production warehouse (Redshift) needs {missing} in the environment."


def test_a_redshift_port_that_is_none_is_named(redshift, monkeypatch):
    monkeypatch.setenv("REDSHIFT_PORT", "five")
    assert refusal(redshift) == "REDSHIFT_PORT: 'five' is not valid; expected a port number from 1 to 65535."


@pytest.fixture
def motherduck(monkeypatch, tmp_path) -> MotherDuck:
    """With a home folder that has no extension of DuckDB, so that it must be downloaded."""
    monkeypatch.setenv("MOTHERDUCK_TOKEN", "s3cret")
    monkeypatch.setenv("MOTHERDUCK_DATABASE", "shop")
    monkeypatch.setenv("HOME", str(tmp_path))
    return MotherDuck(tmp_path)


@pytest.mark.parametrize("missing", ["MOTHERDUCK_TOKEN", "MOTHERDUCK_DATABASE"])
def test_a_missing_motherduck_variable_is_named(motherduck, monkeypatch, missing):
    monkeypatch.delenv(missing)
    assert refusal(motherduck) == f"The production warehouse (MotherDuck) needs {missing} in the environment."


def test_a_motherduck_that_is_out_of_reach_is_told_in_one_sentence(motherduck, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    message = refusal(motherduck)
    assert message.startswith("MotherDuck (database 'shop')")
    assert "Check the network." in message
    assert "\n" not in message


def test_a_server_that_is_no_motherduck_is_told_in_one_sentence(motherduck, monkeypatch):
    with listener(speaks_http) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        message = refusal(motherduck)
    assert message.startswith("MotherDuck (database 'shop')")
    assert "\n" not in message


def test_a_refused_motherduck_login_names_the_token_and_does_not_show_it(motherduck):
    words = "Invalid Input Error: Your request is not authenticated, token s3cret"
    assert motherduck._refusal(words) == (
        "MotherDuck (database 'shop') refused the login. Check MOTHERDUCK_TOKEN. "
        "Invalid Input Error: Your request is not authenticated, token ***"
    )
