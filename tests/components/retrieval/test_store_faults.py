"""Vector stores that cannot be reached, refuse, or are late: one clear message, and nothing is lost."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from components.retrieval.stores.attributes import StoreSettings
from components.retrieval.stores.base import StoreError
from components.retrieval.stores.opening import FolderLock, open_store
from tests.components.retrieval.fake_databricks_search import FakeDatabricksSearch
from tests.components.retrieval.fake_pinecone import FakePinecone
from tests.components.retrieval.library import Library, page
from tests.components.retrieval.records import DIMENSION, many

pinecone_slot = pytest.mark.slot("ai", "pinecone", "fake")


def pinecone(server: FakePinecone) -> dict[str, str]:
    return {"type": "pinecone", "url": server.url, "api_key": "VECTOR_KEY"}


@pinecone_slot
@pytest.mark.parametrize("status", [429, 500, 503])
def test_pinecone_s_throttling_and_errors_are_waited_out(
    pinecone_server: FakePinecone, tmp_path: Path, status: int
) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    with open_store(StoreSettings(**pinecone(pinecone_server)), tmp_path) as store:
        store.create("docs_1", DIMENSION)
        pinecone_server.faults = [(status, {"Retry-After": "0"})] * 2
        store.upsert("docs_1", many(10))
        assert pinecone_server.faults == []
        assert store.count("docs_1") == 10


@pinecone_slot
def test_pinecone_s_refusal_is_told_without_the_key(
    pinecone_server: FakePinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    monkeypatch.setenv("VECTOR_KEY", "a-wrong-secret-key")
    with (
        open_store(StoreSettings(**pinecone(pinecone_server)), tmp_path) as store,
        pytest.raises(StoreError, match="store pinecone: ") as caught,
    ):
        store.collections("docs_")
    assert "a-wrong-secret-key" not in str(caught.value)
    assert not caught.value.transient


@pinecone_slot
def test_an_index_in_a_store_that_shows_writes_late_is_not_built_twice(
    pinecone_server: FakePinecone, tmp_path: Path
) -> None:
    pinecone_server.lag_seconds = 0.4
    library = Library(tmp_path, store=pinecone(pinecone_server))
    library.fill()
    first = library.materialize()
    second = library.materialize()  # before readers see anything of the first run
    assert (second["documents_unchanged"], second["chunks_written"]) == (10, 0)
    assert second["collection"] == first["collection"]
    time.sleep(0.5)
    library.write("0003.md", page("bridge"))
    library.materialize()
    time.sleep(0.5)
    with library.opened(store=library.component.store) as index:
        assert index.count() == 30
        assert index.search("What does a ticket for the bridge cost?", 1)[0].record.document == "docs/0003.md"


@pytest.mark.slot("ai", "databricks-vector-search", "fake")
def test_an_index_in_databricks_is_kept_up_to_date(databricks_search: FakeDatabricksSearch, tmp_path: Path) -> None:
    store = {"type": "databricks", "url": databricks_search.url, "api_key": "VECTOR_KEY"}
    store |= {"endpoint": "search", "namespace": "main.search"}
    library = Library(tmp_path, store=store)
    library.fill()
    library.materialize()
    databricks_search.faults = [(429, {"Retry-After": "0"})]
    library.write("0003.md", page("bridge"))
    assert library.materialize()["chunks_written"] == 3
    with library.opened(store=library.component.store) as index:
        assert index.search("a ticket for the bridge", 1)[0].record.document == "docs/0003.md"
        assert index.count() == 30


@pytest.mark.slot("ai", "pgvector", "server")
def test_an_index_in_postgres_is_kept_up_to_date_and_found_by_its_near_index(
    pgvector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VECTOR_DATABASE", pgvector)
    monkeypatch.setattr("components.retrieval.stores.pgvector._INDEXED_FROM", 10)
    library = Library(tmp_path, store={"type": "pgvector", "api_key": "VECTOR_DATABASE", "namespace": "late"})
    library.fill(30)
    library.materialize()
    (tmp_path / "documents" / "0001.md").unlink()
    assert library.materialize()["documents_deleted"] == 1
    with library.opened(store=library.component.store) as index:
        found = index.search("a ticket for the violin", 3, mode="vector", where={"document": "docs/0003.md"})
        assert [hit.record.document for hit in found] == ["docs/0003.md"] * 3
        assert index.count() == 87


@pytest.mark.slot("ai", "pgvector", "server")
def test_a_server_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECTOR_DATABASE", "postgresql://someone:a-secret@127.0.0.1:9/nothing")
    library = Library(tmp_path, store={"type": "pgvector", "api_key": "VECTOR_DATABASE"})
    library.fill(1)
    failure = library.failure()
    assert failure.startswith("search/docs: store pgvector: ")
    assert "a-secret" not in failure


@pytest.mark.slot("ai", "qdrant", "embedded")
def test_a_client_s_own_error_becomes_one_sentence(tmp_path: Path) -> None:
    library = Library(tmp_path, store={"type": "qdrant", "url": "http://127.0.0.1:9"})
    library.fill(1)
    assert library.failure().startswith("search/docs: the vector store failed: ResponseHandlingException: ")


def test_a_client_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lancedb", None)
    monkeypatch.delitem(sys.modules, "components.retrieval.stores.lancedb", raising=False)
    with pytest.raises(StoreError, match="store lancedb: lancedb is not installed; add lancedb"):
        open_store(StoreSettings(type="lancedb"), tmp_path)


def test_a_folder_in_use_is_refused_after_a_while_and_free_when_its_user_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from components.retrieval.stores.opening import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[2]), 'the folder')\n"
        "print('held', flush=True); time.sleep(60)\n"
    )
    folder = tmp_path / "vectors"
    command = [sys.executable, "-c", script, str(Path(__file__).parents[3]), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="the folder vectors is in use by another process"):
            FolderLock(folder, "the folder", 0.2)
        holder.kill()
    FolderLock(folder, "the folder", 5).release()


def test_two_runs_that_make_a_lancedb_table_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.retrieval.stores.lancedb import LanceStore

    meeting, has = Barrier(2), LanceStore._has

    def met(store: LanceStore, collection: str) -> bool:
        """Both look for the table in the same moment, if nothing keeps them apart."""
        found = has(store, collection)
        with suppress(BrokenBarrierError):
            meeting.wait(0.5)
        return found

    def write(part: int) -> None:
        with open_store(StoreSettings(type="lancedb"), tmp_path) as store:
            store.create("docs", DIMENSION)
            store.upsert("docs", many(20, seed=part, source=f"part{part}"))

    monkeypatch.setattr(LanceStore, "_has", met)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, range(2)))
    with open_store(StoreSettings(type="lancedb"), tmp_path) as store:
        assert store.count("docs") == 40
