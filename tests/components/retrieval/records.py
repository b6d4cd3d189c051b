"""Records for tests of vector stores: a few by hand, many by chance that is the same every time."""

import numpy as np

from components.retrieval.stores.base import Record, record_id

DIMENSION = 8


def unit(*values: float) -> np.ndarray:
    """A vector of length 1 that begins with the values."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def record(
    document: str, ordinal: int = 0, vector: np.ndarray | None = None, text: str = "", **fields: object
) -> Record:
    """A chunk of a document; its source is what stands before the slash."""
    return Record(
        id=record_id(document, ordinal),
        vector=unit(1) if vector is None else vector,
        document=document,
        text=text or f"{document} says {ordinal}",
        source=document.split("/")[0],
        version="v1",
        title=document.title(),
        heading="Top > Middle",
        url=f"https://example.com/{document}",
        kind=str(fields.pop("kind", "text")),
        flags=str(fields.pop("flags", "")),
        ordinal=ordinal,
        chunks=3,
        start=ordinal * 10,
        end=ordinal * 10 + 9,
        **fields,
    )


def many(number: int, dimension: int = DIMENSION, seed: int = 7, source: str = "docs") -> list[Record]:
    """Records with vectors in all directions, four a document."""
    vectors = np.random.default_rng(seed).normal(size=(number, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [record(f"{source}/{at // 4}", at % 4, vector) for at, vector in enumerate(vectors)]
