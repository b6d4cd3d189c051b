"""A local stand-in for SQL Server: its wire protocol and catalogue in front of DuckDB."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.components.ingestion.sqlserver import tds
from tests.components.ingestion.sqlserver.sql import Refusal, answered, with_catalogue

USER = "shop_reader"
PASSWORD = "correct horse battery staple'\"%"


@dataclass
class SQLServer:
    """A running stand-in. ``cut_after`` breaks a connection after so many rows of one result."""

    database: str
    port: int = 0
    host: str = "127.0.0.1"
    user: str = USER
    password: str = PASSWORD
    cut_after: int | None = None
    queries: list[str] = field(default_factory=list)
    data: Any = field(default_factory=with_catalogue)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Conversation(socketserver.StreamRequestHandler):
    server: "_Listener"

    def handle(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                kind, content = tds.receive(self.rfile)
                if kind == tds.PRELOGIN:
                    self._send(tds.prelogin())
                elif kind == tds.LOGIN:
                    self._send(self._login(tds.read_login(content)))
                elif kind == tds.BATCH:
                    self._batch(tds.read_batch(content))
                else:  # an attention: the client wants no more of what it has got already
                    self._send(tds.done(cancelled=True))

    def _send(self, content: bytes) -> None:
        for packet in tds.packets(content):
            self.wfile.write(packet)

    def _login(self, login: tds.Login) -> bytes:
        made = self.server.made
        if (login.user, login.password) != (made.user, made.password):
            return tds.error(18456, f"Login failed for user '{login.user}'.", 14) + tds.done(failed=True)
        if login.database not in ("", made.database):
            message = f'Cannot open database "{login.database}" requested by the login. The login failed.'
            return tds.error(4060, message, 11) + tds.done(failed=True)
        return tds.logged_in(made.database)

    def _batch(self, sql: str) -> None:
        made = self.server.made
        made.queries.append(sql)
        try:
            with made.lock:
                fields, rows = answered(made.data, sql)
        except Refusal as refusal:
            self._send(tds.error(refusal.number, str(refusal)) + tds.done(failed=True))
            return
        if fields is None:
            self._send(tds.done())
            return
        content = tds.header(fields)
        for number, row in enumerate(rows):
            if number == made.cut_after:
                for packet in list(tds.packets(content))[:-1]:  # without its end
                    self.wfile.write(packet)
                raise ConnectionAbortedError
            content += tds.row(fields, row)
        self._send(content + tds.done(len(rows)))


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, made: SQLServer) -> None:
        super().__init__((made.host, 0), _Conversation)
        self.made = made


@contextmanager
def running_sqlserver(database: str = "shop") -> Iterator[SQLServer]:
    """Start a stand-in with an empty database, and stop it at the end."""
    made = SQLServer(database)
    with _Listener(made) as listener:
        made.port = listener.server_address[1]
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            listener.shutdown()
            made.data.close()
