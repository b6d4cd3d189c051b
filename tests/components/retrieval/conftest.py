"""Fixtures of the retrieval tests."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from components.retrieval.stores.attributes import StoreSettings
from components.retrieval.stores.opening import open_store
from tests.chromium import chromium
from tests.components.installed import installed_components_listed_once
from tests.components.retrieval.fake_databricks_search import FakeDatabricksSearch
from tests.components.retrieval.fake_pinecone import FakePinecone
from tests.components.retrieval.fake_vendor import running
from tests.components.retrieval.library import Library
from tests.components.retrieval.pgvector_server import running_pgvector
from tests.components.retrieval.servers import chroma_server
from tests.components.retrieval.store_kinds import StoreKind, param
from tests.components.warehouse.project import project

__all__ = ["chromium", "installed_components_listed_once", "project"]

EMBEDDED = ("sqlite", "chroma", "lancedb", "qdrant", "milvus")
KINDS = [
    *(param(name, "embedded") for name in EMBEDDED),
    param("pgvector", "server"),
    param("chroma server", "server"),
    param("pinecone", "fake"),
    param("databricks", "fake"),
]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Ten documents, and an index of them that is not built yet."""
    made = Library(tmp_path)
    made.fill()
    return made


@pytest.fixture(scope="session")
def pgvector() -> Iterator[str]:
    """The connection string of a real server."""
    with running_pgvector() as uri:
        yield uri


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server."""
    with chroma_server(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture
def pinecone_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePinecone]:
    """A local Pinecone; the environment has its key."""
    with running(FakePinecone()) as server:
        monkeypatch.setenv("VECTOR_KEY", server.key)
        yield server


@pytest.fixture
def databricks_search(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDatabricksSearch]:
    """A local Databricks Vector Search; the environment has its key."""
    with running(FakeDatabricksSearch()) as server:
        monkeypatch.setenv("VECTOR_KEY", server.key)
        yield server


@pytest.fixture(params=KINDS)
def store_kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreKind:
    """Each store in turn, empty."""
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    attributes: dict[str, str] = {"type": request.param.split()[0]}
    if request.param == "pgvector":
        monkeypatch.setenv("VECTOR_DATABASE", request.getfixturevalue("pgvector"))
        attributes |= {"api_key": "VECTOR_DATABASE", "namespace": f"test_{uuid4().hex[:8]}"}
    if request.param == "chroma server":
        attributes |= {"url": request.getfixturevalue("chroma")}
        with open_store(StoreSettings(**attributes), tmp_path) as store:
            for name in store.collections(""):
                store.drop(name)
    if request.param == "pinecone":
        attributes |= {"url": request.getfixturevalue("pinecone_server").url, "api_key": "VECTOR_KEY"}
    if request.param == "databricks":
        server = request.getfixturevalue("databricks_search")
        attributes |= {"url": server.url, "api_key": "VECTOR_KEY", "namespace": "main.search", "endpoint": "search"}
    return StoreKind(StoreSettings(**attributes), tmp_path)
