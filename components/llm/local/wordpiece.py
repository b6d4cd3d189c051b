"""BERT's tokens: words split into the longest pieces that a vocabulary has."""

import unicodedata
from pathlib import Path

_LONGEST_WORD = 100


class WordPiece:
    """The uncased tokeniser of BERT.

    Args:
        vocabulary: File with one piece a line; its number is the piece's id.
    """

    def __init__(self, vocabulary: Path) -> None:
        pieces = vocabulary.read_text(encoding="utf-8").splitlines()
        self.ids = {piece: number for number, piece in enumerate(pieces)}
        self.unknown, self.start, self.end = (self.ids[name] for name in ("[UNK]", "[CLS]", "[SEP]"))
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str, most: int) -> list[int]:
        """At most ``most`` ids, with the marks of start and end."""
        found = [self.start]
        for word in _words(text):
            if word not in self._known:
                self._known[word] = self._pieces(word)
            found += self._known[word]
            if len(found) >= most:
                break
        return [*found[: most - 1], self.end]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self.unknown]
        found, start = [], 0
        while start < len(word):
            mark = "\x23\x23" if start else ""
            end = next((e for e in range(len(word), start, -1) if mark + word[start:e] in self.ids), None)
            if end is None:
                return [self.unknown]
            found.append(self.ids[mark + word[start:end]])
            start = end
        return found


def _words(text: str) -> list[str]:
    """Lower-case words without accents; each punctuation mark and each CJK character stands alone."""
    out: list[str] = []
    for char in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(char)
        if category == "Mn" or char in "\0�":
            continue
        if category in ("Cc", "Cf") and char not in "\t\n\r":
            continue
        if char.isspace():
            out.append(" ")
        elif _stands_alone(char, category):
            out.append(f" {char} ")
        else:
            out.append(char)
    return "".join(out).split()


def _stands_alone(char: str, category: str) -> bool:
    code = ord(char)
    symbol = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    cjk = 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF
    return symbol or cjk or category.startswith("P")
