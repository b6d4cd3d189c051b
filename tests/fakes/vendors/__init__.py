"""One local server for all vendors: each answers under its own host name, with pages, keys and faults on request."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request, TlsProxy, serving


@dataclass
class Fault:
    """What happens instead of an answer, to requests whose ``METHOD path`` contains a text.

    Args:
        place: The text.
        answer: What is sent instead.
        times: How often; for ever when None.
        seconds: How long to wait before.
        after: How many such requests are answered as usual first.
    """

    place: str
    answer: Answer | None = None
    times: int | None = 1
    seconds: float = 0.0
    after: int = 0


class Vendor:
    """A service: what it is asked, the faults it is to show, and its secrets."""

    hosts: ClassVar[tuple[str, ...]]
    secrets: ClassVar[dict[str, str]]
    """Values by the names that the components ask for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.faults: list[Fault] = []
        self.never_ends = False
        self.outcome: str | None = None
        """How what runs here ends, in the vendor's words; well when None."""

    def fail(self, place: str, answer: Answer | None = None, **when: Any) -> None:
        self.faults.append(Fault(place, answer, **when))

    def handle(self, request: Request) -> Answer:
        said = f"{request.method} {request.path}"
        self.asked.append(said)
        for fault in [fault for fault in self.faults if fault.place in said]:
            if fault.after:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
            time.sleep(fault.seconds)
            if fault.answer:
                return fault.answer
        return self.answer(request)

    def answer(self, request: Request) -> Answer:
        raise AssertionError(f"{type(self).__name__} has no answers")


@dataclass
class Vendors:
    """The server, and the services behind it by their host names."""

    by_host: dict[str, Vendor] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def handle(self, request: Request) -> Answer:
        vendor = self.by_host.get(request.host)
        if vendor is None:
            self.unknown.append(request.host)
            return Answer({"error": f"nobody is {request.host}"}, 502)
        return vendor.handle(request)


@contextmanager
def running_vendors(folder: Path, *vendors: Vendor) -> Iterator[dict[str, str]]:
    """The server with some vendors until the block ends; the variables that lead clients to it."""
    hub = Vendors({host: vendor for vendor in vendors for host in vendor.hosts})
    proxy = TlsProxy(folder, hub.handle, *hub.by_host)
    with serving(proxy.server):
        certificate = str(proxy.certificate)
        yield {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url, "REQUESTS_CA_BUNDLE": certificate}
