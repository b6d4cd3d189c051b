"""A real MariaDB server for tests, on a free loopback port and in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server_process import as_owner, free_port, run

INSTALL = "MariaDB's server is missing: install it (Debian, Ubuntu: apt-get install mariadb-server)"
USER = "shop_owner"
PASSWORD = "correct horse battery staple'\"%"
START_SECONDS = 60


@dataclass(frozen=True)
class MariaDBServer:
    """A running server."""

    port: int
    host: str = "127.0.0.1"
    user: str = USER
    password: str = PASSWORD

    def connect(self) -> Any:
        """A connection as the owner of everything."""
        import pymysql

        return pymysql.connect(host=self.host, port=self.port, user=self.user, password=self.password)

    def create_database(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name


@contextmanager
def running_mariadb() -> Iterator[MariaDBServer]:
    """Start a server, and stop and remove it at the end; raises RuntimeError where there is none."""
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    if not program:
        raise RuntimeError(INSTALL)
    folder = Path(tempfile.mkdtemp(prefix="my-"))  # short: a socket's path has 107 bytes at most
    try:
        password = PASSWORD.replace("'", "''")
        start = folder / "start.sql"
        start.write_text(
            f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}';\nGRANT ALL ON *.* TO {USER}@'127.0.0.1';\n"
        )
        prefix = as_owner(folder, "mysql")
        data = f"--datadir={folder / 'data'}"
        run([*prefix, "mariadb-install-db", "--no-defaults", data, "--skip-test-db", "--skip-name-resolve"], cwd=folder)
        port = free_port()
        options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}", f"--init-file={start}"]
        options += [f"--pid-file={folder / 'pid'}", f"--log-error={folder / 'log'}", "--skip-name-resolve"]
        server = subprocess.Popen([*prefix, program, "--no-defaults", data, *options], cwd=folder)
        try:
            made = MariaDBServer(port)
            _wait(made, server, folder / "log")
            yield made
        finally:
            if (pid := folder / "pid").is_file():  # the server's own: runuser would kill it without grace
                os.kill(int(pid.read_text()), signal.SIGTERM)
            server.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(made: MariaDBServer, server: subprocess.Popen[bytes], log: Path) -> None:
    import pymysql

    end = time.monotonic() + START_SECONDS
    while True:
        try:
            made.connect().close()
            return
        except pymysql.Error:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"MariaDB does not start:\n{log.read_text()}") from None
            time.sleep(0.1)
