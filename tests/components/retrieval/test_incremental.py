"""An index follows its documents: what changed is embedded and written, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from components.retrieval.manifest import Manifest
from components.retrieval.names import manifest_file
from components.retrieval.pointer import read_pointer
from components.retrieval.stores.attributes import StoreSettings
from components.retrieval.stores.opening import open_store
from tests.components.retrieval.library import Library, Writes, page

pytestmark = pytest.mark.slot("ai", "upsert", "embedded")
PARTS = ["000", "001", "002"]


def collections(library: Library) -> list[str]:
    with open_store(StoreSettings(), library.root) as store:
        return store.collections("search_docs_")


@pytest.mark.slot("ai", "documents/embed", "embedded")
def test_a_second_run_with_nothing_changed_embeds_and_writes_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = library.materialize()
    writes = Writes(monkeypatch)
    second = library.materialize()
    assert (writes.embedded, writes.calls) == (0, 0)
    assert (first["documents_written"], first["chunks_written"]) == (10, 30)
    assert (second["documents_unchanged"], second["chunks_written"], second["swapped"]) == (10, 0, False)
    assert second["dagster/row_count"] == 30


def test_one_changed_document_of_a_hundred_costs_at_most_one_and_a_half_percent(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill(100)
    library.materialize()
    writes = Writes(monkeypatch)
    library.write("0042.md", page("new bridge"))
    changed = library.materialize()
    assert (changed["documents_written"], changed["documents_unchanged"]) == (1, 99)
    assert writes.embedded <= 300 * 0.015
    assert writes.records == 3
    with library.opened() as index:
        assert "new bridge" in index.search("the new bridge", 1)[0].record.text
        assert index.count() == 300


def test_a_document_that_is_deleted_leaves_the_index(library: Library) -> None:
    library.materialize()
    (library.root / "documents" / "0003.md").unlink()
    gone = library.materialize()
    assert (gone["documents_deleted"], gone["chunks_deleted"], gone["dagster/row_count"]) == (1, 3, 27)
    assert "docs/0003.md" not in library.documents()
    with library.opened() as index:
        assert all(hit.record.document != "docs/0003.md" for hit in index.search("violin", 10, mode="words"))


def test_a_document_that_gets_shorter_leaves_nothing_of_before(library: Library) -> None:
    library.materialize()
    library.write("0001.md", "# The glacier\n\nIt has melted.")
    library.materialize()
    with library.opened() as index:
        texts = [record.text for record in index.scan() if record.document == "docs/0001.md"]
    assert texts == ["It has melted."]


@pytest.mark.parametrize("changes", [{"chunking": {"size": 400, "overlap": 20}}, {"embedding": {"dimensions": 256}}])
def test_another_model_or_cutting_builds_beside_and_takes_over(library: Library, changes: dict[str, object]) -> None:
    library.materialize()
    before = collections(library)
    library.configure(**changes)
    after = library.materialize()
    assert (after["swapped"], after["documents_written"]) == (True, 10)
    assert len(collections(library)) == 3
    assert library.materialize()["collected"] == [name for name in before if name != "search_docs_live"]
    assert sorted(collections(library)) == sorted(["search_docs_live", after["collection"]])
    assert len(library.documents()) == 10


def test_a_reader_that_was_open_goes_on_with_the_new_collection(library: Library) -> None:
    library.materialize()
    with library.opened() as index:
        index.search("violin")
        library.configure(chunking={"size": 400, "overlap": 20})
        library.materialize()
        library.materialize()
        assert index.search("violin", 1)[0].record.document == "docs/0003.md"
        assert index.search("violin", 1, mode="words")[0].record.document == "docs/0003.md"


def test_readers_see_the_old_index_until_the_new_one_is_whole(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.materialize()
    old = library.content()
    library.configure(chunking={"size": 400, "overlap": 20})
    monkeypatch.setattr("components.retrieval.indexing.Indexer._remove_gone", _fails)
    with pytest.raises(RuntimeError, match="power cut"):
        library.materialize()
    assert len(collections(library)) == 3
    assert library.content() == old
    monkeypatch.undo()
    finished = library.materialize()
    assert (finished["swapped"], finished["documents_unchanged"]) == (True, 10)
    library.materialize()
    assert len(collections(library)) == 2


def _fails(*_: object) -> None:
    raise RuntimeError("power cut")


def test_books_that_were_lost_are_written_again_from_the_store(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.materialize()
    before = library.content()
    file = manifest_file(library.root, "search_docs")
    for lost in file.parent.glob(f"{file.name}*"):
        lost.unlink()
    writes = Writes(monkeypatch)
    (library.root / "documents" / "0009.md").unlink()
    again = library.materialize()
    assert (writes.embedded, again["documents_unchanged"], again["documents_deleted"]) == (0, 9, 1)
    assert library.content() == [row for row in before if "docs/0009.md" not in row]
    with library.opened() as index:
        assert index.search("violin", 1, mode="words")[0].record.document == "docs/0003.md"


def test_partitions_whose_books_were_lost_go_on_from_the_store(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.configure(partitions=3)
    for part in PARTS:
        library.materialize(part)
    before = library.content()
    _lose(library.root / "data/indexes", "search_docs.db*")
    (library.root / "documents" / "0009.md").unlink()
    library.write("0004.md", page("crater"))
    writes = Writes(monkeypatch)
    again = [library.materialize(part) for part in PARTS]
    assert [sum(found[name] for found in again) for name in ("documents_deleted", "documents_written")] == [1, 1]
    assert (writes.embedded, again[-1]["live"], again[-1]["dagster/row_count"]) == (3, True, 27)
    untouched = [row for row in before if row[0] not in ("docs/0009.md", "docs/0004.md")]
    assert [row for row in library.content() if row[0] != "docs/0004.md"] == untouched
    assert {record_id for *_, record_id, _ in library.content()} == ids_in_books(library)


def test_books_that_are_written_again_in_part_are_begun_anew(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.materialize()
    before = library.content()
    _lose(library.root / "data/indexes", "search_docs.db*")
    (library.root / "documents" / "0009.md").unlink()
    monkeypatch.setattr("components.retrieval.building._ADOPTED_AT_ONCE", 5)
    monkeypatch.setattr("components.retrieval.manifest.Manifest.set_state", _fails)
    with pytest.raises(RuntimeError, match="power cut"):
        library.materialize()
    monkeypatch.undo()
    assert library.materialize()["documents_unchanged"] == 9
    assert library.content() == [row for row in before if row[0] != "docs/0009.md"]


@pytest.mark.parametrize("partitions", [None, 3])
@pytest.mark.parametrize("lost", ["books", "store", "collection"])
def test_whatever_was_lost_the_next_runs_end_in_the_same_index(
    library: Library, partitions: int | None, lost: str
) -> None:
    library.configure(partitions=partitions)
    parts = PARTS if partitions else [None]
    for part in parts:
        library.materialize(part)
    before = library.content()
    if lost == "collection":
        with open_store(StoreSettings(), library.root) as store:
            store.drop(next(name for name in collections(library) if name != "search_docs_live"))
    else:
        _lose(library.root / "data", "indexes/search_docs.db*" if lost == "books" else "vectors.db*")
    for part in parts:
        made = library.materialize(part)
    assert (made["live"], made["dagster/row_count"]) == (True, 30)
    assert library.content() == before
    assert len(collections(library)) == 2
    assert {record_id for *_, record_id, _ in library.content()} == ids_in_books(library)


def test_partitions_that_run_at_once_fill_one_collection(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.fill(60)
    library.configure(partitions=3)
    meeting = Barrier(3)

    def met(*arguments: Any) -> Any:
        """All three look for the live collection in the same moment, if nothing keeps them apart."""
        with suppress(BrokenBarrierError):
            meeting.wait(0.5)
        return read_pointer(*arguments)

    monkeypatch.setattr("components.retrieval.building.read_pointer", met)
    with ThreadPoolExecutor(3) as threads:
        made = list(threads.map(library.materialize, PARTS))
    assert len({found["collection"] for found in made}) == 1
    assert sorted(found["live"] for found in made) == [False, False, True]
    assert len(library.documents()) == 60


def ids_in_books(library: Library) -> set[str]:
    manifest = Manifest(manifest_file(library.root, "search_docs"))
    with manifest.transaction() as db:
        found = {name for (name,) in db.execute("SELECT id FROM chunks WHERE build = (SELECT max(number) FROM builds)")}
    manifest.close()
    return found


def _lose(folder: Path, pattern: str) -> None:
    for lost in folder.glob(pattern):
        lost.unlink()


def test_a_store_that_was_lost_is_filled_again(library: Library) -> None:
    library.materialize()
    before = library.content()
    for lost in (library.root / "data").glob("vectors.db*"):
        lost.unlink()
    assert library.materialize()["documents_written"] == 10
    assert library.content() == before


def test_partitions_index_their_parts_and_go_live_together(library: Library) -> None:
    library.materialize()
    whole = library.content()
    library.configure(partitions=3)
    first = library.materialize("000")
    assert (first["live"], library.content() == whole) == (False, True)
    library.materialize("001")
    last = library.materialize("002")
    assert (last["live"], last["swapped"], last["dagster/row_count"]) == (True, True, 30)
    assert library.content() == whole
    library.write("0004.md", page("crater"))
    changed = [library.materialize(part)["documents_written"] for part in ("000", "001", "002")]
    assert sorted(changed) == [0, 0, 1]


def test_no_document_is_in_the_books_twice(library: Library) -> None:
    for _ in range(3):
        library.materialize()
    manifest = Manifest(manifest_file(library.root, "search_docs"))
    totals = manifest.totals(manifest.builds()[0])
    manifest.close()
    assert (totals["documents"], totals["chunks"]) == (10, 30)
