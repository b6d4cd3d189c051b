"""What becomes of a document before it is written: read and cut, and embedded where a model of this library does it.

Workers of an engine run this module too, on machines that have neither Dagster nor the rest of this library.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .cutting import Chunk, chunks_of
from .documents.blocks import DocumentError
from .documents.injection import FLAG, suspicious
from .documents.reading import Format, read_document

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Work:
    """What is done to every document.

    Args:
        size: Characters of a chunk.
        overlap: Characters that a chunk repeats of the one before.
        embedder: Local model that embeds right here; empty where the vectors come from elsewhere.
        dimensions: Length of its vectors, where one is asked for.
    """

    size: int
    overlap: int
    embedder: str = ""
    dimensions: int | None = None


@dataclass
class Prepared:
    """A document in chunks.

    Args:
        fault: Why it could not be read; empty if it could.
        notes: What is worth knowing about how it was read.
        flags: For each chunk what is suspicious about it.
        vectors: For each chunk its embedding, where it was embedded.
    """

    title: str = ""
    fault: str = ""
    notes: list[str] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    vectors: "np.ndarray | None" = None


def prepared(data: bytes, kind: Format, path: str, title: str, work: Work) -> Prepared:
    """One document.

    Args:
        data: Its whole content.
        kind: Its format.
        path: Stands in for a title that it does not have.
        title: What the source calls it; goes before its own title.
    """
    try:
        document = read_document(data, kind, path)
    except DocumentError as error:
        return Prepared(fault=str(error))
    chunks = list(chunks_of(document, work))
    flags = [FLAG if suspicious(f"{chunk.heading}\n{chunk.text}") else "" for chunk in chunks]
    made = Prepared(title or document.title, "", document.notes, chunks, flags)
    if work.embedder:
        model = import_module(f"..llm.local.{work.embedder}", __package__)
        made.vectors = model.embed([chunk.embedded(made.title) for chunk in chunks], work.dimensions)
    return made


def run(work: str, header: str, data: bytes) -> tuple[str, bytes]:
    """``prepared`` on a worker, with everything as text and bytes.

    Args:
        work: A Work as JSON.
        header: Format, path and title of a document as JSON.
        data: Its content.
    """
    kind, path, title = json.loads(header)
    return packed(prepared(data, kind, path, title, Work(**json.loads(work))))


def packed(made: Prepared) -> tuple[str, bytes]:
    """A prepared document as JSON, and its vectors as bytes."""
    told: dict[str, Any] = {name: getattr(made, name) for name in ("title", "fault", "notes", "flags")}
    told["chunks"] = [list(asdict(chunk).values()) for chunk in made.chunks]
    if made.vectors is None:
        return json.dumps(told), b""
    told["dimension"] = made.vectors.shape[1]
    return json.dumps(told), made.vectors.astype("float32").tobytes()


def unpacked(told: str, vectors: bytes) -> Prepared:
    """What ``packed`` made."""
    import numpy as np

    found = json.loads(told)
    chunks: Sequence[Chunk] = [Chunk(*chunk) for chunk in found.pop("chunks")]
    dimension = found.pop("dimension", 0)
    matrix = np.frombuffer(vectors, np.float32).reshape(len(chunks), dimension) if dimension else None
    return Prepared(**found, chunks=list(chunks), vectors=matrix)
