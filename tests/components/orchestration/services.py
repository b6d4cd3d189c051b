"""Slack, Teams, PagerDuty and a mail server on this machine: what Apprise sends to them, decoded.

The first three have fixed addresses, so a local proxy takes the connection that ``HTTPS_PROXY`` sends its way, ends the
TLS itself, and answers as the service does.
"""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.fakes.tls_proxy import Answer, Request, TlsProxy, serving

ANSWERS = {
    "hooks.slack.com": (200, "text/html", b"ok"),
    "events.pagerduty.com": (202, "application/json", b'{"status":"success","message":"Event processed"}'),
}
_LIKE_TEAMS = (202, "application/json", b"")


class Services:
    """What arrived: host, path and JSON of each request; and the status to answer with instead of the usual one."""

    def __init__(self, folder: Path) -> None:
        self.received: list[dict[str, Any]] = []
        self.status: int | None = None
        self.proxy = TlsProxy(folder, self.answer)

    @property
    def url(self) -> str:
        return self.proxy.url

    def answer(self, request: Request) -> Answer:
        path = request.path + "?" + "&".join(f"{name}={value}" for name, value in request.query.items())
        self.received.append({"host": request.host, "path": path.rstrip("?"), "json": request.json})
        status, kind, body = ANSWERS.get(request.host, _LIKE_TEAMS)
        return Answer(body, self.status or status, {"Content-Type": kind})


@contextmanager
def running_services(folder: Path) -> Iterator[Services]:
    """The proxy, until the block ends."""
    services = Services(folder)
    with serving(services.proxy.server):
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
    with serving(mailbox):
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
