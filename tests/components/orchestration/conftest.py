"""A project, an instance, and a service that takes alerts."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from tests.components.orchestration.otlp_server import OtlpServer, running_collector
from tests.components.orchestration.shop import ASSETS, Receiver, Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with create_defs_folder_sandbox() as sandbox:
        shop = Shop(sandbox)
        shop.python(ASSETS)
        yield shop


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def routes(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """The service, with an address for each of the policy's routes."""
    monkeypatch.setenv("DATA_ALERTS_URL", f"{receiver.url}/data-token")
    monkeypatch.setenv("WEB_ALERTS_URL", f"{receiver.url}/web-token")
    return receiver


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpServer]:
    """A collector that the environment names."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    with running_collector() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "10")
        yield server
