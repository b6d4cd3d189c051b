"""What every source gives: documents that can be read one at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from ..documents.reading import Format


class SourceError(Exception):
    """A source that cannot be reached or is not there; its documents stay in the index as they are."""


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document before it is read.

    Args:
        path: Within the source; with the source's name before it, the document's name.
        kind: Its format; None if it is none that is read here.
        read: Gives the content.
        size: Bytes, where they are known before reading.
        version: Changes when the content does, where the source knows without reading.
        title: Where the source knows it.
        url: Where the document can be seen; may be empty.
    """

    path: str
    kind: Format | None
    read: Callable[[], bytes]
    size: int | None = None
    version: str = ""
    title: str = ""
    url: str = ""
