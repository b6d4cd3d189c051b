"""Slack, Teams, PagerDuty and a mail server on this machine: what Apprise sends to them, decoded.

The first three have fixed addresses, so a local proxy takes the connection that ``HTTPS_PROXY`` sends its way, ends the
TLS itself, and answers as the service does.
"""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANSWERS = {
    "hooks.slack.com": (200, "text/html", b"ok"),
    "events.pagerduty.com": (202, "application/json", b'{"status":"success","message":"Event processed"}'),
}
_LIKE_TEAMS = (202, "application/json", b"")


class Services:
    """What arrived: host, path and JSON of each request; and the status to answer with instead of the usual one."""

    def __init__(self, certificate: Path) -> None:
        self.received: list[dict[str, Any]] = []
        self.status: int | None = None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _proxy(self, context))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def running_services(folder: Path) -> Iterator[Services]:
    """The proxy, until the block ends."""
    services = Services(_certificate(folder / "services.pem"))
    with _serving(services.server):
        yield services


class Mailbox(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps the messages it takes."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        super().__init__(("127.0.0.1", 0), _Smtp)


@contextmanager
def running_mailbox() -> Iterator[Mailbox]:
    """A mail server, until the block ends."""
    mailbox = Mailbox()
    with _serving(mailbox):
        yield mailbox


class _Smtp(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 localhost ESMTP")
        envelope: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb in ("EHLO", "HELO"):
                self._say("250-localhost\r\n250 8BITMIME")
            elif verb in ("MAIL", "RCPT"):
                envelope.append(line)
                self._say("250 OK")
            elif verb == "DATA":
                self._say("354 go on")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data.removeprefix(b"."))
                made = message_from_bytes(b"".join(lines), policy=policy.default)
                self.server.messages.append(made)
                self.server.envelopes.append(envelope)
                self._say("250 OK")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 OK")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _proxy(services: Services, tls: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            self.host = self.path.split(":")[0]
            self.send_response(200, "Connection established")
            self.end_headers()
            self.connection = tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
            self.close_connection = False

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            services.received.append({"host": self.host, "path": self.path, "json": body})
            status, kind, answer = ANSWERS.get(self.host, _LIKE_TEAMS)
            self.send_response(services.status or status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()
            self.close_connection = True

        def log_message(self, *args: Any) -> None: ...

    return Proxy


def _certificate(file: Path) -> Path:
    """A certificate that nobody trusts, so the addresses in the tests say verify=no."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
