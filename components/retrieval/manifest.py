"""The books of an index: which document is in which collection, with what content, and its words."""

# ruff: noqa: S608 - the names in the statements are this library's own; values are bound

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..llm.sqlite_file import open_sqlite

_PAGE = 500
ADOPTING = "adopting"
_TABLES = """
CREATE TABLE IF NOT EXISTS builds (number INTEGER PRIMARY KEY, collection TEXT UNIQUE NOT NULL,
    fingerprint TEXT NOT NULL, dimension INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, since REAL NOT NULL);
CREATE TABLE IF NOT EXISTS parts (build INTEGER NOT NULL, part TEXT NOT NULL, PRIMARY KEY (build, part));
CREATE TABLE IF NOT EXISTS documents (build INTEGER NOT NULL, document TEXT NOT NULL, part TEXT NOT NULL,
    source TEXT NOT NULL, version TEXT NOT NULL, hash TEXT NOT NULL, chunks INTEGER NOT NULL, bytes INTEGER NOT NULL,
    title TEXT NOT NULL, fault TEXT NOT NULL, notes TEXT NOT NULL, flagged INTEGER NOT NULL, run INTEGER NOT NULL,
    PRIMARY KEY (build, document)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (number INTEGER PRIMARY KEY, build INTEGER NOT NULL, id TEXT NOT NULL,
    document TEXT NOT NULL, part TEXT NOT NULL, run INTEGER NOT NULL, done INTEGER NOT NULL, UNIQUE (build, id));
CREATE INDEX IF NOT EXISTS chunks_of_document ON chunks (build, document);
CREATE INDEX IF NOT EXISTS chunks_not_done ON chunks (build) WHERE done = 0;
CREATE TABLE IF NOT EXISTS runs (number INTEGER PRIMARY KEY AUTOINCREMENT, since REAL NOT NULL);
"""


@dataclass(frozen=True)
class Build:
    """One collection of the index: ADOPTING (its books are being written), building, live, or old."""

    number: int
    collection: str
    fingerprint: str
    dimension: int
    state: str


@dataclass(frozen=True)
class Entry:
    """What is known of a document.

    Args:
        version: What the source said of its content; the hash, where it says nothing.
        hash: Of the content.
        chunks: In the index; none where there is a fault.
        fault: Why it could not be read; empty if it could.
        notes: What is worth knowing about how it was read.
        flagged: Chunks that look like prompt injection.
    """

    document: str
    part: str
    source: str
    version: str
    hash: str
    chunks: int = 0
    bytes: int = 0
    title: str = ""
    fault: str = ""
    notes: str = ""
    flagged: int = 0


class Manifest:
    """The books in one SQLite file; several processes may use it, each for a part of the documents."""

    def __init__(self, file: Path) -> None:
        self._db = open_sqlite(file)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def new_run(self) -> int:
        """A number greater than those of all runs before."""
        with self.transaction() as db:
            return int(db.execute("INSERT INTO runs (since) VALUES (?)", (time.time(),)).lastrowid or 0)

    def builds(self) -> list[Build]:
        """All collections, the newest first."""
        rows = self._db.execute("SELECT number, collection, fingerprint, dimension, state FROM builds ORDER BY 1 DESC")
        return [Build(*row) for row in rows.fetchall()]

    def add_build(self, collection: str, fingerprint: str, state: str = "building", dimension: int = 0) -> Build:
        """Begin a collection, with words of its own."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO builds (collection, fingerprint, dimension, state, since) "
                "VALUES (?, ?, ?, ?, ?)",
                (collection, fingerprint, dimension, state, time.time()),
            )
            number = db.execute("SELECT number FROM builds WHERE collection = ?", (collection,)).fetchone()[0]
            words = f"CREATE VIRTUAL TABLE IF NOT EXISTS {_words(number)} USING fts5(text, tokenize='porter unicode61')"
            db.execute(words)
        return next(build for build in self.builds() if build.number == number)

    def set_dimension(self, build: Build, dimension: int) -> None:
        """Note the length of a collection's vectors."""
        with self.transaction() as db:
            db.execute("UPDATE builds SET dimension = ? WHERE number = ?", (dimension, build.number))

    def set_state(self, build: Build, state: str) -> None:
        """Note how far a collection is, within the caller's transaction."""
        self._db.execute("UPDATE builds SET state = ? WHERE number = ?", (state, build.number))

    def make_live(self, build: Build) -> None:
        """Make a collection the live one, and all others that were live old."""
        with self.transaction() as db:
            db.execute("UPDATE builds SET state = 'old' WHERE state = 'live' AND number <> ?", (build.number,))
            db.execute("UPDATE builds SET state = 'live' WHERE number = ?", (build.number,))

    def forget(self, build: Build) -> None:
        """Remove a collection from the books."""
        with self.transaction() as db:
            for table in ("parts", "documents", "chunks"):
                db.execute(f"DELETE FROM {table} WHERE build = ?", (build.number,))
            db.execute(f"DROP TABLE IF EXISTS {_words(build.number)}")
            db.execute("DELETE FROM builds WHERE number = ?", (build.number,))

    def complete_part(self, build: Build, part: str) -> set[str]:
        """Note that a part of the documents is in; all that are."""
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO parts VALUES (?, ?)", (build.number, part))
            return {name for (name,) in db.execute("SELECT part FROM parts WHERE build = ?", (build.number,))}

    def entry(self, build: Build, document: str) -> Entry | None:
        """What is known of a document."""
        row = self._db.execute(
            f"SELECT {_ENTRY} FROM documents WHERE build = ? AND document = ?", (build.number, document)
        ).fetchone()
        return Entry(*row) if row else None

    def entries(self, build: Build, condition: str = "1") -> Iterator[Entry]:
        """Documents in the order of their names, without holding them all."""
        last = ""
        while True:
            rows = self._db.execute(
                f"SELECT {_ENTRY} FROM documents WHERE build = ? AND document > ? AND ({condition}) "
                f"ORDER BY document LIMIT {_PAGE}",
                (build.number, last),
            ).fetchall()
            if not rows:
                return
            yield from (Entry(*row) for row in rows)
            last = rows[-1][0]

    def put(self, build: Build, entries: Iterable[Entry], run: int) -> None:
        """Write what is known of documents, in one transaction of the caller or one of its own."""
        marks = ", ".join("?" * 13)
        rows = [(build.number, *_values(entry), run) for entry in entries]
        self._db.executemany(f"INSERT OR REPLACE INTO documents (build, {_ENTRY}, run) VALUES ({marks})", rows)

    def seen(self, build: Build, documents: Sequence[str], run: int) -> None:
        """Note that documents are still there and as they were."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE documents SET run = ? WHERE build = ? AND document = ?",
                [(run, build.number, document) for document in documents],
            )

    def seen_source(self, build: Build, source: str, part: str, run: int) -> int:
        """Note that all documents of a source are kept; how many there are."""
        with self.transaction() as db:
            return db.execute(
                "UPDATE documents SET run = ? WHERE build = ? AND source = ? AND part = ?",
                (run, build.number, source, part),
            ).rowcount

    def gone(self, build: Build, part: str, run: int) -> list[str]:
        """Documents of a part that the run has not seen, a page of them."""
        rows = self._db.execute(
            "SELECT document FROM documents WHERE build = ? AND part = ? AND run < ? LIMIT ?",
            (build.number, part, run, _PAGE),
        )
        return [document for (document,) in rows.fetchall()]

    def totals(self, build: Build) -> dict[str, int]:
        """How much there is in a collection."""
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(chunks), 0), coalesce(sum(bytes), 0), coalesce(sum(fault <> ''), 0), "
            "coalesce(sum(notes <> ''), 0), coalesce(sum(flagged > 0), 0) FROM documents WHERE build = ?",
            (build.number,),
        ).fetchone()
        names = ("documents", "chunks", "bytes", "refused", "noted", "flagged")
        return dict(zip(names, map(int, row), strict=True))


_ENTRY = "document, part, source, version, hash, chunks, bytes, title, fault, notes, flagged"


def _values(entry: Entry) -> tuple[object, ...]:
    return tuple(getattr(entry, name) for name in _ENTRY.split(", "))


def _words(number: int) -> str:
    return f"words_{number}"
