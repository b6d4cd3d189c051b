"""Sentences and quotes within chunks, and where they stand in their documents."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .stores.base import Record
from .words import words_of

_SENTENCE = re.compile(r"(?:[^.!?\n]|\.(?=\S)|[!?](?=\S)|\n(?!\s*\n|\s*[-*+\d|]))+(?:[.!?]+(?=\s|$)|\n|$)")
SUFFIXES = (
    "ingly",
    "edly",
    "ations",
    "ation",
    "ings",
    "ing",
    "ies",
    "ied",
    "ers",
    "er",
    "est",
    "ed",
    "es",
    "ly",
    "s",
    "e",
)
_SHORTEST_STEM = 3


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote, and the place where anybody can read it.

    Args:
        start: Where the quote begins in the document's text, in characters.
        end: Where it ends.
    """

    chunk: str
    document: str
    title: str
    heading: str
    url: str
    quote: str
    start: int
    end: int


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of each sentence; a line of a list, table or piece of code counts as one."""
    for found in _SENTENCE.finditer(text):
        raw = found.group()
        start = found.start() + len(raw) - len(raw.lstrip())
        end = found.start() + len(raw.rstrip())
        if end - start > 1:
            yield start, end


def cited(record: Record, start: int, end: int) -> Citation:
    """The citation of a part of a chunk."""
    return Citation(
        record.id,
        record.document,
        record.title,
        record.heading,
        record.url,
        record.text[start:end],
        record.start + start,
        record.start + end,
    )


def find_quote(record: Record, quote: str) -> Citation | None:
    """Where a quote stands in a chunk, whatever the white space; None where it does not."""
    words = quote.strip().strip('"\u201c\u201d').split()
    if not words:
        return None
    found = re.search(r"\s+".join(map(re.escape, words)), record.text)
    return cited(record, found.start(), found.end()) if found else None


def stem(word: str) -> str:
    """A word without its commonest English endings, so that "loops" and "looping" are alike."""
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            word = word[: -len(suffix)]
            break
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] == word[-2] else word


def stems_of(text: str) -> set[str]:
    """The stems of the words that carry meaning."""
    return {stem(word) for word in words_of(text)}
