"""What every format is read into: blocks of text in order, each of one kind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "text", "code", "table"]
SEPARATOR = "\n\n"


class DocumentError(Exception):
    """A document that cannot be read, with the reason as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, list, table, piece of code or heading.

    Args:
        level: Of a heading, from 1.
    """

    text: str
    kind: BlockKind = "text"
    level: int = 0


@dataclass(slots=True)
class Document:
    """A document that was read.

    Args:
        notes: What a reader of the index should know, as that the encoding was guessed.
    """

    title: str
    blocks: list[Block]
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All blocks as one text; the places of chunks and quotes count in it."""
        return SEPARATOR.join(block.text for block in self.blocks)


def tidy(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks that say something, without blanks around them."""
    for block in blocks:
        text = block.text.strip("\n").rstrip() if block.kind in ("code", "table") else block.text.strip()
        if text.strip():
            yield Block(text.replace("\x00", ""), block.kind, block.level)
