"""An index follows its documents: what changed is embedded and written, and nothing else."""

import pytest

from components.retrieval.manifest import Manifest
from components.retrieval.names import manifest_file
from components.retrieval.stores.attributes import StoreSettings
from components.retrieval.stores.opening import open_store
from tests.components.retrieval.library import Library, Writes, page

pytestmark = pytest.mark.slot("ai", "upsert", "embedded")


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
