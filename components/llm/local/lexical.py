"""A lexical baseline: hashed words and character n-grams, which know spelling and no meaning."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from zlib import crc32

DIMENSIONS = 1024
NAME = "lexical baseline (hashed words and character n-grams; no language model)"
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_WORD_WEIGHT, _GRAM_WEIGHT = 1.0, 0.35
_GRAMS = (3, 4)
_COMMON_WORDS = """a an and are as at be by can do does for from how i if in into is it its my not of on or our so that
the their then there these they this to was we what when where which who why will with you your"""
_COMMON = frozenset(_COMMON_WORDS.split())


def embed(texts: Sequence[str], dimensions: int | None = None) -> Any:
    """Rows of length 1 (an empty text is all zeros), the same on every machine and in every version of Python."""
    import numpy as np

    width = dimensions or DIMENSIONS
    vectors = np.zeros((len(texts), width), dtype=np.float32)
    seen: dict[str, list[tuple[int, float]]] = {}
    for row, text in enumerate(texts):
        for word, count in Counter(_WORD.findall(text.lower())).items():
            if word not in seen:
                seen[word] = _features(word, width)
            damped = 1 + float(np.log(count))
            for column, weight in seen[word]:
                vectors[row, column] += weight * damped
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms == 0, 1, norms)


def _features(word: str, width: int) -> list[tuple[int, float]]:
    """Columns and signed weights of a word: the word itself, and the pieces that its forms share."""
    if word in _COMMON:
        return [_hashed(f"w:{word}", width, _WORD_WEIGHT * 0.1)]
    found = [_hashed(f"w:{word}", width, _WORD_WEIGHT)]
    padded = f"<{word}>"
    pieces = [padded[i : i + n] for n in _GRAMS for i in range(len(padded) - n + 1)]
    each = _GRAM_WEIGHT * min(1.0, 3 / len(pieces) ** 0.5) if pieces else 0.0
    return found + [_hashed(f"g:{piece}", width, each) for piece in pieces]


def _hashed(feature: str, width: int, weight: float) -> tuple[int, float]:
    code = crc32(feature.encode())
    return (code >> 1) % width, weight if code & 1 else -weight
