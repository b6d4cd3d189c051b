"""Cutting documents into chunks: along headings and blocks, whole where possible, with an overlap in between."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from .documents.blocks import SEPARATOR, Block, Document

_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n+")
_WORD_END = re.compile(r"\s+")


class Cut(Protocol):
    """How long chunks are, in characters, and how much of the one before they repeat."""

    @property
    def size(self) -> int:
        """Characters of a chunk."""
        ...

    @property
    def overlap(self) -> int:
        """Characters that it repeats, at most."""
        ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document's text, and the headings that lead to it."""

    text: str
    heading: str
    start: int
    end: int

    def embedded(self, title: str) -> str:
        """What is embedded: the text under its headings, which say what it is about."""
        return embedded(self.text, self.heading, title)


def embedded(text: str, heading: str, title: str) -> str:
    """A chunk's text under its document's title and its headings."""
    context = heading if heading.startswith(title) else f"{title} > {heading}".removesuffix(" > ")
    return f"{context}\n{text}"


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    is_text: bool


def chunks_of(document: Document, chunking: Cut) -> Iterator[Chunk]:
    """The chunks in order; each is a slice of ``document.text``."""
    text = document.text
    for heading, pieces in _sections(document.blocks, text, chunking.size):
        for start, end in _packed(pieces, text, chunking):
            yield Chunk(text[start:end], heading, start, end)


def _sections(blocks: list[Block], text: str, size: int) -> Iterator[tuple[str, list[_Piece]]]:
    """The pieces under each path of headings; a heading without text gives nothing."""
    path: list[tuple[int, str]] = []
    pieces: list[_Piece] = []
    at = 0
    for block in blocks:
        if block.kind == "heading":
            if pieces:
                yield " > ".join(name for _, name in path), pieces
            pieces = []
            path = [*(item for item in path if item[0] < block.level), (block.level, block.text)]
        else:
            pieces += _pieces(block, at, text, size)
        at += len(block.text) + len(SEPARATOR)
    if pieces:
        yield " > ".join(name for _, name in path), pieces


def _pieces(block: Block, at: int, text: str, size: int) -> Iterator[_Piece]:
    """The block, or parts of it that are not too long."""
    is_text = block.kind == "text"
    if len(block.text) <= (size if is_text else 2 * size):
        yield _Piece(at, at + len(block.text), is_text)
        return
    end = at + len(block.text)
    while at < end:
        cut = end if end - at <= size else _cut(text, at, at + size, is_text)
        yield _Piece(at, cut, is_text)
        at = cut
        while at < end and text[at].isspace():
            at += 1


def _cut(text: str, start: int, latest: int, is_text: bool) -> int:
    """Where to cut: after the last sentence, else line or word, that still fits."""
    window = text[start:latest]
    for pattern in (_SENTENCE_END, _WORD_END) if is_text else (re.compile("\n"), _WORD_END):
        ends = [found.start() for found in pattern.finditer(window) if found.start() > len(window) // 3]
        if ends:
            return start + ends[-1]
    return latest


def _packed(pieces: list[_Piece], text: str, chunking: Cut) -> Iterator[tuple[int, int]]:
    """Pieces put together up to the size; the next chunk begins a little before its first piece."""
    start, end = pieces[0].start, pieces[0].end
    last = pieces[0]
    for piece in pieces[1:]:
        if piece.end - start <= chunking.size:
            end, last = piece.end, piece
            continue
        yield start, end
        start = _overlapping(text, last, piece.start, chunking.overlap) if piece.is_text else piece.start
        if piece.end - start > chunking.size + chunking.overlap:
            start = piece.start
        end, last = piece.end, piece
    yield start, end


def _overlapping(text: str, before: _Piece, start: int, overlap: int) -> int:
    """Where the repeated end of the piece before begins: at a sentence, else at a word."""
    if not overlap or not before.is_text:
        return start
    earliest = max(before.start, start - overlap)
    window = text[earliest : before.end]
    for pattern in (_SENTENCE_END, _WORD_END):
        if found := pattern.search(window):
            return earliest + found.end() if earliest + found.end() < before.end else start
    return start
