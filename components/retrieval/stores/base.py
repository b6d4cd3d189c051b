"""The small interface that every vector store has, and what is kept in one."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

FILTERS = ("document", "source", "kind", "flags")
"""Fields that a search may be narrowed by, each to one value."""


class StoreError(Exception):
    """A vector store that cannot be used or refuses; ``transient`` says whether trying later may help."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class CollectionMissingError(StoreError):
    """A collection that is not, or no longer, in the store."""

    def __init__(self, collection: str) -> None:
        super().__init__(f"there is no collection {collection!r} in the vector store")


@dataclass(frozen=True, slots=True)
class Record:
    """One chunk as a store keeps it.

    Args:
        id: A UUID that follows from the document, its version and the chunk's place, so that writing twice is once.
        vector: Embedding of length 1, as float32.
        document: Name of the document, as source/path.
        version: Hash of the document's content and of how it was cut.
        ordinal: Place of the chunk in its document, from 0.
        chunks: How many chunks the document has.
        start: Where the chunk begins in the document's text, in characters.
        end: Where it ends.
        heading: Headings that lead to the chunk, joined by " > ".
        flags: What is suspicious about the text; empty if nothing is.
    """

    id: str
    vector: "np.ndarray"
    document: str
    text: str
    source: str = ""
    version: str = ""
    title: str = ""
    heading: str = ""
    url: str = ""
    kind: str = ""
    flags: str = ""
    ordinal: int = 0
    chunks: int = 1
    start: int = 0
    end: int = 0

    def payload(self) -> dict[str, Any]:
        """Everything but id and vector."""
        return {name: getattr(self, name) for name in PAYLOAD}


TEXTS = tuple(field.name for field in fields(Record) if field.type is str and field.name != "id")
NUMBERS = tuple(field.name for field in fields(Record) if field.type is int)
PAYLOAD = TEXTS + NUMBERS


@dataclass(frozen=True, slots=True)
class Found:
    """A record and how near it is to what was asked: the cosine, from -1 to 1."""

    record: Record
    score: float


class VectorStore(ABC):
    """Collections of records in one vector store; close it after use.

    A write that was acknowledged is safe. A write that was interrupted may have been done in part; doing it again
    makes it whole.
    """

    batch: int = 256
    """Records that one request takes at most."""

    eventually: bool = False
    """Whether readers may see a write only some time after it was acknowledged."""

    @abstractmethod
    def create(self, collection: str, dimension: int) -> None:
        """Make a collection unless it is there; names are lower-case letters, digits and underscores."""

    @abstractmethod
    def drop(self, collection: str) -> None:
        """Remove a collection if it is there."""

    @abstractmethod
    def collections(self, prefix: str) -> list[str]:
        """Names of the collections that begin so, sorted."""

    @abstractmethod
    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write records; one with the same id is replaced. At most ``batch`` of them."""

    @abstractmethod
    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id; those that are not there are no error."""

    @abstractmethod
    def delete_document(self, collection: str, document: str) -> None:
        """Remove all records of a document."""

    @abstractmethod
    def query(
        self, collection: str, vector: "np.ndarray", k: int, where: Mapping[str, str] | None = None
    ) -> list[Found]:
        """The nearest records, best first; ``where`` narrows by fields of FILTERS.

        Raises:
            CollectionMissingError: the collection is not there.
        """

    @abstractmethod
    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id, those that are there, in any order."""

    @abstractmethod
    def scan(self, collection: str) -> Iterator[Record]:
        """All records in any order, without holding them all in memory."""

    @abstractmethod
    def count(self, collection: str) -> int:
        """How many records there are."""

    def finish(self, collection: str) -> None:  # noqa: B027 - most stores want nothing
        """What the store wants after many writes, such as an index or a compaction."""

    def close(self) -> None:  # noqa: B027 - most stores hold nothing
        """Let go of files and connections."""

    def __enter__(self) -> "VectorStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def record_id(*parts: object) -> str:
    """A UUID that follows from the parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join(map(str, parts))))


def from_payload(identifier: object, vector: Any, payload: Mapping[str, Any]) -> Record:
    """A record from what a store gives back; numbers may come as decimals."""
    import numpy as np

    texts = {name: str(payload.get(name) or "") for name in TEXTS}
    numbers = {name: int(payload.get(name) or 0) for name in NUMBERS}
    return Record(id=str(identifier), vector=np.asarray(vector, np.float32), **texts, **numbers)  # type: ignore[arg-type]


def checked(where: Mapping[str, str] | None) -> dict[str, str]:
    """The filters.

    Raises:
        ValueError: a field that cannot be filtered by.
    """
    if wrong := sorted(set(where or {}) - set(FILTERS)):
        raise ValueError(f"cannot filter by {', '.join(wrong)}; valid are {', '.join(FILTERS)}")
    return dict(where or {})


def pages(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items in lists of ``size``, the last one shorter."""
    page: list[Any] = []
    for item in items:
        page.append(item)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
