"""A real PostgreSQL server for tests, on a free loopback port and in a folder of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INSTALL = "PostgreSQL's server binaries are missing: install them (Debian, Ubuntu: apt-get install postgresql)"
USER = "warehouse_owner"
PASSWORD = "correct horse battery staple'\"%"
START_SECONDS = 60


@dataclass(frozen=True)
class PostgresServer:
    """A running server: every login needs the password."""

    port: int
    binaries: Path
    host: str = "127.0.0.1"
    user: str = USER
    password: str = PASSWORD

    def environment(self, database: str) -> dict[str, str]:
        """libpq's variables for one database."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": database,
        }

    def create_database(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.psql("postgres", f"CREATE DATABASE {name}")
        return name

    def psql(self, database: str, sql: str) -> str:
        """What psql prints for a statement: unaligned, tuples only."""
        command = [str(self.binaries / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
        return _run(command, env={**os.environ, **self.environment(database)}).strip()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server, and stop and remove it at the end; raises RuntimeError where there are no binaries."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes at most
    try:
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        as_owner = _owner(folder)
        data = str(folder / "data")
        settings = ["--username", USER, f"--pwfile={secret}", "--auth=scram-sha-256"]
        settings += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _run([*as_owner, str(binaries / "initdb"), "-D", data, *settings], cwd=folder)
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [*as_owner, str(binaries / "pg_ctl"), "-D", data, "-w", "-t", str(START_SECONDS)]
        _run([*control, "-o", options, "-l", str(folder / "log"), "start"], cwd=folder)
        try:
            yield PostgresServer(port=port, binaries=binaries)
        finally:
            _run([*control, "-m", "immediate", "stop"], cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise RuntimeError(INSTALL)
    return installed[-1].parent


def _owner(folder: Path) -> list[str]:
    """The start of a command that runs as the folder's owner: the server refuses to run as root."""
    if os.getuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    for path in (folder, *folder.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _run(command: list[str], **options: object) -> str:
    # pg_ctl's server inherits its output: a pipe would stay open for as long as the server runs.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, **options)
        output.seek(0)
        text = output.read()
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} ended with exit code {done.returncode}:\n{text}")
    return text
