"""A real PostgreSQL server for tests, on a free loopback port and in a folder of its own."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.server_process import as_owner, free_port, run

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
        return run(command, env={**os.environ, **self.environment(database)}).strip()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server, and stop and remove it at the end; raises RuntimeError where there are no binaries."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes at most
    try:
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        prefix = as_owner(folder, "postgres")
        data = str(folder / "data")
        settings = ["--username", USER, f"--pwfile={secret}", "--auth=scram-sha-256"]
        settings += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        run([*prefix, str(binaries / "initdb"), "-D", data, *settings], cwd=folder)
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [*prefix, str(binaries / "pg_ctl"), "-D", data, "-w", "-t", str(START_SECONDS)]
        run([*control, "-o", options, "-l", str(folder / "log"), "start"], cwd=folder)
        try:
            yield PostgresServer(port=port, binaries=binaries)
        finally:
            run([*control, "-m", "immediate", "stop"], cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise RuntimeError(INSTALL)
    return installed[-1].parent
