"""The chunks of an index in its books: which are written, and their words for a search by BM25."""

# ruff: noqa: S608 - the names in the statements are this library's own; values are bound

import re
from collections.abc import Sequence
from pathlib import Path

from .manifest import Build, Manifest

_WORD = re.compile(r"\w+")
_STOP = (
    "a an and are as at be but by can could did do does for from had has have how i if in into is it its may me my "
    "of on or our should so than that the their them then there these they this to was we were what when where which "
    "who why will with would you your"
)
STOP_WORDS = frozenset(_STOP.split())


def words_of(text: str) -> list[str]:
    """The words of a text that carry meaning, in lower case; all of them, where none does."""
    words = _WORD.findall(text.lower())
    return [word for word in words if word not in STOP_WORDS] or words


class ChunkBooks:
    """The chunks of one collection, as the books have them."""

    def __init__(self, manifest: Manifest, build: Build) -> None:
        self._manifest, self._build = manifest, build
        self._table = f"words_{build.number}"

    def intend(self, chunks: Sequence[tuple[str, str, str]], run: int) -> None:
        """Note ids (with document and part) before they are written, so that no interruption leaves one unknown."""
        with self._manifest.transaction() as db:
            db.executemany(
                "INSERT INTO chunks (build, id, document, part, run, done) VALUES (?, ?, ?, ?, ?, 0) "
                "ON CONFLICT (build, id) DO UPDATE SET run = excluded.run",
                [(self._build.number, *chunk, run) for chunk in chunks],
            )

    def written(self, texts: Sequence[tuple[str, str]]) -> None:
        """Note, within the caller's transaction, that chunks (id and text) are in the store."""
        db = self._manifest._db
        for identifier, text in texts:
            row = db.execute(
                "UPDATE chunks SET done = 1 WHERE build = ? AND id = ? RETURNING number",
                (self._build.number, identifier),
            ).fetchall()
            number = row[0][0]
            db.execute(f"DELETE FROM {self._table} WHERE rowid = ?", (number,))
            db.execute(f"INSERT INTO {self._table} (rowid, text) VALUES (?, ?)", (number, text))

    def stale(self, document: str, run: int) -> list[str]:
        """Ids of a document that the run has not written."""
        rows = self._manifest._db.execute(
            "SELECT id FROM chunks WHERE build = ? AND document = ? AND run < ?", (self._build.number, document, run)
        )
        return [identifier for (identifier,) in rows.fetchall()]

    def unfinished(self, part: str, run: int) -> list[str]:
        """Ids that an interrupted run meant to write and nobody has written since."""
        rows = self._manifest._db.execute(
            "SELECT id FROM chunks WHERE build = ? AND done = 0 AND part = ? AND run < ?",
            (self._build.number, part, run),
        )
        return [identifier for (identifier,) in rows.fetchall()]

    def remove(self, ids: Sequence[str]) -> None:
        """Forget chunks, within the caller's transaction."""
        db = self._manifest._db
        for identifier in ids:
            rows = db.execute(
                "DELETE FROM chunks WHERE build = ? AND id = ? RETURNING number", (self._build.number, identifier)
            ).fetchall()
            db.executemany(f"DELETE FROM {self._table} WHERE rowid = ?", rows)

    def search(self, text: str, k: int, document_prefix: str = "") -> list[str]:
        """Ids of the chunks that fit the words best by BM25, the best first."""
        words = list(dict.fromkeys(words_of(text)))
        if not words:
            return []
        asked = " OR ".join(f'"{word}"' for word in words)
        rows = self._manifest._db.execute(
            f"SELECT chunks.id FROM {self._table} JOIN chunks ON chunks.number = {self._table}.rowid "
            f"WHERE {self._table} MATCH ? AND substr(chunks.document, 1, ?) = ? ORDER BY rank LIMIT ?",
            (asked, len(document_prefix), document_prefix, k),
        )
        return [identifier for (identifier,) in rows.fetchall()]

    def rarity(self, words: Sequence[str]) -> dict[str, float]:
        """How much each word tells: the logarithm of chunks per chunk that has it."""
        from math import log

        db = self._manifest._db
        total = db.execute(f"SELECT count(*) FROM {self._table}").fetchone()[0]
        found = {}
        for word in words:
            asked = (f'"{word}"',)
            count = db.execute(f"SELECT count(*) FROM {self._table} WHERE {self._table} MATCH ?", asked).fetchone()[0]
            found[word] = log((total + 1) / (count + 0.5))
        return found


def open_books(file: Path, collection: str) -> tuple[Manifest, ChunkBooks] | None:
    """The books of a collection for reading; None where this machine does not have them."""
    if not file.is_file():
        return None
    manifest = Manifest(file)
    for build in manifest.builds():
        if build.collection == collection:
            return manifest, ChunkBooks(manifest, build)
    manifest.close()
    return None
