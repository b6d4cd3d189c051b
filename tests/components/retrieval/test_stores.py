"""What every vector store does; the same for all of them."""

import threading

import numpy as np
import pytest

from components.retrieval.stores.base import CollectionMissingError, VectorStore
from tests.components.retrieval.records import DIMENSION, many, record, unit
from tests.components.retrieval.store_kinds import StoreKind

NAME = "manual_ab12"


def filled(store: VectorStore, number: int = 40) -> list:
    records = many(number)
    store.create(NAME, DIMENSION)
    store.upsert(NAME, records)
    return records


def ids(store: VectorStore, name: str = NAME) -> set[str]:
    return {found.id for found in store.scan(name)}


def test_a_record_comes_back_as_it_was_written(store_kind: StoreKind) -> None:
    written = record(
        "docs/ünï 'q\"", 2, unit(1, 2, 3), text="Zeile 1\n\n\tline 2 \\ % ' \" 日本", kind="pdf", flags="x"
    )
    with store_kind.opened() as store:
        store.create(NAME, DIMENSION)
        store.upsert(NAME, [written])
        for found in (store.get(NAME, [written.id])[0], next(iter(store.scan(NAME)))):
            assert found.payload() == written.payload()
            assert found.id == written.id
            assert np.allclose(found.vector, written.vector, atol=1e-6)


def test_writing_twice_is_writing_once(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        records = filled(store)
        store.upsert(NAME, records[10:30])
        assert store.count(NAME) == 40
        assert ids(store) == {found.id for found in records}


def test_writing_an_id_again_replaces_text_and_vector(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        filled(store)
        store.upsert(NAME, [record("docs/0", 0, unit(0, 0, 0, 0, 0, 0, 0, 1), text="new")])
        best = store.query(NAME, unit(0, 0, 0, 0, 0, 0, 0, 1), 1)[0]
        assert (best.record.text, round(best.score, 3)) == ("new", 1.0)
        assert store.count(NAME) == 40


def test_the_nearest_come_first_with_their_cosine(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        records = filled(store)
        asked = unit(1, -2, 3, 0.5)
        expected = sorted(records, key=lambda found: -float(found.vector @ asked))[:7]
        found = store.query(NAME, asked, 7)
        assert [hit.record.id for hit in found] == [hit.id for hit in expected]
        assert [hit.score for hit in found] == pytest.approx([float(hit.vector @ asked) for hit in expected], abs=1e-3)


def test_asking_for_more_than_there_is_gives_all(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        filled(store, 3)
        assert len(store.query(NAME, unit(1), 10)) == 3


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"document": "docs/3"}, 4),
        ({"source": "docs"}, 40),
        ({"source": "docs", "kind": "pdf"}, 1),
        ({"flags": "prompt injection"}, 2),
        ({"source": "it's"}, 0),
    ],
)
def test_a_search_is_narrowed_by_a_field(store_kind: StoreKind, where: dict[str, str], expected: int) -> None:
    with store_kind.opened() as store:
        filled(store)
        others = [record("web/1", 0, unit(1), flags="prompt injection"), record("web/2", 0, unit(1), kind="pdf")]
        store.upsert(NAME, [*others, record("docs/3", 3, unit(1), kind="pdf", flags="prompt injection")])
        found = store.query(NAME, unit(1), 100, where)
        assert len(found) == expected
        assert all(getattr(hit.record, name) == value for hit in found for name, value in where.items())


def test_a_field_that_is_no_filter_is_refused(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        filled(store, 4)
        with pytest.raises(ValueError, match="cannot filter by text; valid are document, source, kind, flags"):
            store.query(NAME, unit(1), 1, {"text": "x"})


def test_records_are_deleted_by_document_and_by_id(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        records = filled(store)
        store.delete_document(NAME, "docs/2")
        store.delete_document(NAME, "docs/never")
        store.delete(NAME, [records[0].id, record("docs/never").id])
        gone = {found.id for found in [records[0], *records[8:12]]}
        assert ids(store) == {found.id for found in records} - gone
        assert store.count(NAME) == 35
        assert [found.id for found in store.get(NAME, [records[0].id, records[1].id])] == [records[1].id]


def test_a_collection_grows_beside_another_and_takes_its_place(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        filled(store)
        store.create("manual_cd34", 4)
        store.create("other_ab12", 4)
        store.upsert("manual_cd34", many(12, 4))
        assert store.collections("manual_") == ["manual_ab12", "manual_cd34"]
        store.drop("manual_ab12")
        store.drop("manual_ab12")
        assert store.collections("manual_") == ["manual_cd34"]
        assert store.count("manual_cd34") == 12
        with pytest.raises(CollectionMissingError, match="manual_ab12"):
            store.query("manual_ab12", unit(1), 1)


def test_making_a_collection_again_keeps_what_is_in_it(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        filled(store, 5)
        store.create(NAME, DIMENSION)
        assert store.count(NAME) == 5


def test_what_was_written_is_there_after_reopening(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        records = filled(store)
        store.finish(NAME)
    with store_kind.opened() as store:
        assert store.count(NAME) == 40
        assert store.query(NAME, records[5].vector, 1)[0].record.id == records[5].id


def test_a_long_collection_is_read_to_its_end(store_kind: StoreKind) -> None:
    with store_kind.opened() as store:
        store.create(NAME, DIMENSION)
        records = many(2 * store.batch + 50)
        for at in range(0, len(records), store.batch):
            store.upsert(NAME, records[at : at + store.batch])
        assert ids(store) == {found.id for found in records}
        assert store.count(NAME) == len(records)


def test_several_writers_lose_nothing(store_kind: StoreKind) -> None:
    faults: list[BaseException] = []
    parts = [many(30, seed=at, source=f"part{at}") for at in range(3)]

    def write(part: list) -> None:
        try:
            for half in (part[:15], part[15:]):
                with store_kind.opened() as store:
                    store.create(NAME, DIMENSION)
                    store.upsert(NAME, half)
        except BaseException as error:
            faults.append(error)

    writers = [threading.Thread(target=write, args=(part,)) for part in parts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert faults == []
    with store_kind.opened() as store:
        everything = [found for part in parts for found in part]
        assert ids(store) == {found.id for found in everything}
        for wanted in everything[::7]:
            assert store.query(NAME, wanted.vector, 1)[0].record.id == wanted.id
