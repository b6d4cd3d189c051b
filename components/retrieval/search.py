"""Searching an index: by meaning, by words, or by both, with a new order on request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..llm.calls import ModelCalls
from ..llm.settings import ProviderSettings
from .embedding import calls_for
from .names import index_name, manifest_file
from .pointer import Pointer, read_pointer
from .ranking import diverse, fused
from .stores.attributes import StoreSettings
from .stores.base import CollectionMissingError, Record, StoreError, VectorStore, checked, pages
from .stores.opening import open_store
from .words import ChunkBooks, open_books

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
Mode = Literal["hybrid", "vector", "words"]
_CANDIDATES = 40


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found.

    Args:
        score: Greater is better; comparable within one search only, except by vector, where it is the cosine.
    """

    record: Record
    score: float


class NotBuiltError(StoreError):
    """An index that no run has finished yet, or whose asset has another key."""


class Index:
    """An index that is open for reading; it follows the index when a new collection takes over.

    Use ``open_index``.
    """

    def __init__(self, store: VectorStore, calls: ModelCalls, name: str, books: Path, pointer: Pointer) -> None:
        self._store, self._calls, self.name, self._file = store, calls, name, books
        self._books: tuple[Any, ChunkBooks] | None = None
        self._follow(pointer)

    @property
    def calls(self) -> ModelCalls:
        """The calls that embed questions, and what they cost."""
        return self._calls

    @property
    def has_words(self) -> bool:
        """Whether the books are on this machine, so that a search by words is possible."""
        return self._books is not None

    def search(self, text: str, k: int = 5, *, mode: Mode = "hybrid", diversity: float = 0.0,
               where: Mapping[str, str] | None = None) -> list[Hit]:  # fmt: skip
        """The chunks that answer a text best.

        Args:
            text: A question, or words.
            k: How many hits.
            mode: vector: by meaning; words: by BM25; hybrid: both, fused by rank.
            diversity: 0 keeps the order; towards 1, hits that say the same as a better one fall back (MMR).
            where: Narrows by document, source, kind or flags.

        Raises:
            StoreError: the store cannot be used, or words are asked for where the books are not.
            ModelCallError: the question cannot be embedded.
        """
        narrowed = checked(where)
        return self._following(lambda: self._search(text, k, mode, diversity, narrowed))

    def rarity(self, words: Sequence[str]) -> dict[str, float]:
        """How much each word tells in this collection; all alike where the books are not."""
        return self._books[1].rarity(words) if self._books else dict.fromkeys(words, 1.0)

    def get(self, ids: Sequence[str]) -> list[Record]:
        """Chunks by id, those that are there."""
        return [record for page in pages(ids, 100) for record in self._store.get(self.pointer.collection, page)]

    def scan(self) -> Iterator[Record]:
        """All chunks."""
        self.count()
        return self._store.scan(self.pointer.collection)

    def count(self) -> int:
        """How many chunks there are."""
        return self._following(lambda: self._store.count(self.pointer.collection))

    def close(self) -> None:
        """Close the books."""
        if self._books:
            self._books[0].close()

    def _following(self, read: Callable[[], T]) -> T:
        """What a read gives, from the new collection where one has taken over since this index was opened."""
        try:
            return read()
        except CollectionMissingError:
            pointer = read_pointer(self._store, self.name)
            if pointer is None or pointer.collection == self.pointer.collection:
                raise
            self._follow(pointer)
            return read()

    def _follow(self, pointer: Pointer) -> None:
        self.close()
        self.pointer = pointer
        self._books = open_books(self._file, pointer.collection)

    def _search(self, text: str, k: int, mode: Mode, diversity: float, where: dict[str, str]) -> list[Hit]:
        pool = max(_CANDIDATES, 4 * k)
        ranked: list[list[Hit]] = []
        if mode != "words":
            asked = self._embedded(text)
            found = self._store.query(self.pointer.collection, asked, pool, where) if asked is not None else []
            ranked.append([Hit(item.record, item.score) for item in found])
        if mode == "words" and not self._books:
            raise StoreError(f"{self.name}: its books ({self._file.name}) are not here; search by vector")
        if mode != "vector" and self._books:
            ranked.append(self._by_words(text, pool, where))
        hits = ranked[0] if len(ranked) == 1 else [replace(hit, score=score) for hit, score in _fuse(ranked)]
        return diverse(hits, k, diversity) if diversity else hits[:k]

    def _embedded(self, text: str) -> "np.ndarray | None":
        vector = self._calls.embed([text])[0]
        return vector if vector.any() else None  # nothing in the text that the embedder knows

    def _by_words(self, text: str, pool: int, where: dict[str, str]) -> list[Hit]:
        assert self._books  # noqa: S101 - asked before
        prefix = where.get("document") or (f"{where['source']}/" if "source" in where else "")
        ids = self._books[1].search(text, pool, prefix)
        found = {record.id: record for record in self._store.get(self.pointer.collection, ids)}
        kept = [
            found[name]
            for name in ids
            if name in found and all(getattr(found[name], field) == value for field, value in where.items())
        ]
        return [Hit(record, 1 / (rank + 1)) for rank, record in enumerate(kept)]


def _fuse(ranked: list[list[Hit]]) -> list[tuple[Hit, float]]:
    by_id = {hit.record.id: hit for hits in ranked for hit in hits}
    scores = fused([[hit.record.id for hit in hits] for hits in ranked])
    return [(by_id[name], score) for name, score in scores]


@contextmanager
def open_index(
    project_root: Path, key: str, store: StoreSettings | None = None, *, asset: str = "", owners: Sequence[str] = (),
    run_id: str = "search", embedding: ProviderSettings | None = None,
) -> Iterator[Index]:  # fmt: skip
    """An index for reading.

    Args:
        project_root: Folder of the books, of an embedded store and of policy.yaml.
        key: Asset key of the index.
        store: Where its collections are; a SQLite file by default.
        asset: Who searches, for the ledger; the index itself by default.
        owners: The first one pays for embedded questions.
        embedding: Other settings of the same model, as another key.

    Raises:
        NotBuiltError: there is no finished index of that key in the store.
        StoreError: the store cannot be used.
        ModelCallError: the model that embeds questions cannot be used.
    """
    name = index_name(key)
    with ExitStack() as stack:
        opened = stack.enter_context(open_store(store or StoreSettings(), project_root))
        pointer = read_pointer(opened, name)
        if pointer is None:
            raise NotBuiltError(f"there is no finished index {key!r} in this {(store or StoreSettings()).type} store; "
                                f"materialize {key} first")  # fmt: skip
        provider = embedding or ProviderSettings(**pointer.embedding)
        calls = stack.enter_context(calls_for(provider, project_root, asset or key, owners, run_id))
        index = Index(opened, calls, name, manifest_file(project_root, name), pointer)
        stack.callback(index.close)
        yield index


def search(index: Index, text: str, k: int = 5) -> list[Hit]:
    """The k best chunks for a text, by meaning and by words."""
    return index.search(text, k)
