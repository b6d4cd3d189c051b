"""The fake of all vendors, and a project that loads from it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from requests.adapters import HTTPAdapter

from components.ingestion.rest.catalogue import packaged_connector
from tests.components.ingestion.rest.fake import Fake, served, to_the_fake
from tests.components.ingestion.rest.loads import Loads
from tests.components.ingestion.rest.records import many
from tests.components.ingestion.rest.vendors import VENDORS
from tests.components.warehouse.project import Project


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks a vendor itself, unless that is wanted."""
    if "live" in (config.getoption("markexpr") or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("live")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


PAGES = 3
LAST_PAGE = 7
PARENTS = 12  # of a resource that is asked for once for each of them


@pytest.fixture(scope="session")
def server() -> Iterator[Fake]:
    with served() as fake:
        yield fake


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    return slept


@pytest.fixture
def vendor(server: Fake, monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> Callable[..., Fake]:
    """A function that makes the fake one vendor, whose keys are in the environment."""
    monkeypatch.setattr(HTTPAdapter, "send", to_the_fake(server.port))

    def become(name: str, *, pages: int = PAGES) -> Fake:
        server.vendor = VENDORS[name]
        server.fault = lambda number, request: None
        server.problems, server.asked, server.records, server.times, server.bounds = [], {}, {}, {}, {}
        for resource in packaged_connector(name).resources:
            size = server.vendor.endpoints[resource.name].style.size
            count = 2 if resource.parents or size == 10_000 else (pages - 1) * size + LAST_PAGE
            server.records[resource.name], server.times[resource.name] = many(name, resource, count)
        for secret, value in server.vendor.secrets.items():
            monkeypatch.setenv(secret, value)
        return server

    return become


@pytest.fixture
def rest_project(project: Project) -> Project:
    """A project whose policy keeps secrets in the environment."""
    project.file("policy.yaml", "version: 1\n")
    return project


@pytest.fixture
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loads]:
    """A function that makes a source with a warehouse of its own."""
    for name in ("WAREHOUSE_TARGET", "WAREHOUSE_DUCKDB_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    return partial(Loads, tmp_path)
