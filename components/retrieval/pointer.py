"""Which collection is the live one: a single record in the store itself, so that every reader sees the same."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .stores.base import CollectionMissingError, Record, VectorStore, record_id


@dataclass(frozen=True)
class Pointer:
    """The live collection, and what a reader has to know to search it.

    Args:
        embedding: The provider's settings, as YAML has them.
    """

    collection: str
    fingerprint: str
    dimension: int
    embedding: dict[str, Any] = field(default_factory=dict)


def read_pointer(store: VectorStore, name: str) -> Pointer | None:
    """The live collection of an index; None while none was finished."""
    try:
        found = store.get(_place(name), [_id(name)])
    except CollectionMissingError:
        return None
    return Pointer(**json.loads(found[0].text)) if found else None


def write_pointer(store: VectorStore, name: str, pointer: Pointer) -> None:
    """Make a collection the live one; one record is replaced, so that readers see the old one or the new one."""
    import numpy as np

    store.create(_place(name), 2)
    vector = np.array([1, 0], np.float32)
    store.upsert(_place(name), [Record(_id(name), vector, name, json.dumps(asdict(pointer)))])


def _place(name: str) -> str:
    return f"{name}_live"


def _id(name: str) -> str:
    return record_id("live", name)
