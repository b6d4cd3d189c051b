"""The embedded default: one SQLite file, searched exactly by NumPy; several processes may write."""

# ruff: noqa: S608 - the names in the statements are this library's own; values are bound

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from ...llm.sqlite_file import open_sqlite
from .base import NUMBERS, PAYLOAD, TEXTS, CollectionMissingError, Found, Record, StoreError, VectorStore, checked

_BLOCK_ROWS = 8192
_CACHE_BYTES = 512 << 20
_COLUMNS = ", ".join(f'"{name}"' for name in PAYLOAD)


class SqliteStore(VectorStore):
    """Collections as tables of one file.

    A search reads the vectors in blocks; a collection of up to 512 MB, as 350,000 of
    384 numbers, stays in memory until anything is written.
    """

    batch = 2048

    def __init__(self, file: Path) -> None:
        self._db = open_sqlite(file)
        self._db.execute("CREATE TABLE IF NOT EXISTS collections (name TEXT PRIMARY KEY, dimension INTEGER NOT NULL)")
        self._cached: tuple[str, int, np.ndarray, np.ndarray] | None = None

    def create(self, collection: str, dimension: int) -> None:
        """Make the table of a collection."""
        texts = ", ".join(f'"{name}" TEXT NOT NULL' for name in TEXTS)
        numbers = ", ".join(f'"{name}" INTEGER NOT NULL' for name in NUMBERS)
        table = _table(collection)
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (collection, dimension))
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {table} "
                f"(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, vector BLOB NOT NULL, {texts}, {numbers})"
            )
            db.execute(f'CREATE INDEX IF NOT EXISTS "d_{collection}" ON {table} (document)')

    def drop(self, collection: str) -> None:
        """Remove the table."""
        with self._writing() as db:
            db.execute("DELETE FROM collections WHERE name = ?", (collection,))
            db.execute(f"DROP TABLE IF EXISTS {_table(collection)}")

    def collections(self, prefix: str) -> list[str]:
        """Names of the tables."""
        rows = self._db.execute("SELECT name FROM collections ORDER BY name").fetchall()
        return [name for (name,) in rows if name.startswith(prefix)]

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write all records in one transaction."""
        dimension = self._dimension(collection)
        for record in records:
            if record.vector.shape != (dimension,):
                raise StoreError(f"{collection} takes vectors of {dimension} numbers, not {record.vector.shape}")
        marks = ", ".join("?" * len(PAYLOAD))
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in ("vector", *PAYLOAD))
        rows = [
            (record.id, np.asarray(record.vector, np.float32).tobytes(), *record.payload().values())
            for record in records
        ]
        with self._writing() as db:
            db.executemany(
                f"INSERT INTO {_table(collection)} (id, vector, {_COLUMNS}) VALUES (?, ?, {marks}) "
                f"ON CONFLICT (id) DO UPDATE SET {updates}",
                rows,
            )

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        with self._writing() as db:
            db.executemany(f"DELETE FROM {_table(collection)} WHERE id = ?", [(name,) for name in ids])

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records."""
        with self._writing() as db:
            db.execute(f"DELETE FROM {_table(collection)} WHERE document = ?", (document,))

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Exact cosine search."""
        narrowed = checked(where)
        asked = np.asarray(vector, np.float32)
        best: list[tuple[float, int]] = []
        for sequence, matrix in self._blocks(collection, narrowed):
            scores = matrix @ asked
            top = np.argpartition(-scores, k - 1)[:k] if len(scores) > k else np.arange(len(scores))
            best += [(float(scores[at]), int(sequence[at])) for at in top]
            best = sorted(best, key=lambda pair: (-pair[0], pair[1]))[:k]
        found = []
        for score, row in best:
            records = self._records(collection, "seq = ?", [row])
            found += [Found(record, score) for record in records]  # one may have been deleted meanwhile
        return found

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        return [record for name in ids for record in self._records(collection, "id = ?", [name])]

    def scan(self, collection: str) -> Iterator[Record]:
        """All records in the order of writing."""
        last = -1
        while True:
            page = self._db.execute(
                f"SELECT seq, id, vector, {_COLUMNS} FROM {self._known(collection)} WHERE seq > ? ORDER BY seq LIMIT ?",
                (last, _BLOCK_ROWS // 8),
            ).fetchall()
            if not page:
                return
            last = page[-1][0]
            yield from (_record(row[1:]) for row in page)

    def count(self, collection: str) -> int:
        """Rows of the table."""
        return int(self._db.execute(f"SELECT count(*) FROM {self._known(collection)}").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _blocks(self, collection: str, where: Mapping[str, str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Row numbers and vectors, in blocks; the whole of a small collection is kept for the next search."""
        dimension, version = self._dimension(collection), self._db.execute("PRAGMA data_version").fetchone()[0]
        if not where and self._cached and self._cached[:2] == (collection, version):
            yield self._cached[2:]
            return
        condition = " AND ".join(f'"{name}" = ?' for name in where) or "1"
        size = 0 if where else self.count(collection)
        if size * dimension * 4 > _CACHE_BYTES:
            size = 0
        numbers, vectors, filled = np.empty(size, np.int64), np.empty((size, dimension), np.float32), 0
        statement = f"SELECT seq, vector FROM {_table(collection)} WHERE {condition}"
        with closing(self._db.execute(statement, list(where.values()))) as cursor:
            while rows := cursor.fetchmany(_BLOCK_ROWS):
                sequence = np.fromiter((row[0] for row in rows), np.int64, len(rows))
                matrix = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), dimension)
                yield sequence, matrix
                if (end := filled + len(rows)) <= size:
                    numbers[filled:end], vectors[filled:end] = sequence, matrix
                filled = end
        if size and filled == size:  # else somebody wrote in between
            self._cached = (collection, version, numbers, vectors)

    def _records(self, collection: str, condition: str, values: list[object]) -> list[Record]:
        rows = self._db.execute(
            f"SELECT id, vector, {_COLUMNS} FROM {self._known(collection)} WHERE {condition}", values
        )
        return [_record(row) for row in rows.fetchall()]

    def _dimension(self, collection: str) -> int:
        row = self._db.execute("SELECT dimension FROM collections WHERE name = ?", (collection,)).fetchone()
        if row is None:
            raise CollectionMissingError(collection)
        return int(row[0])

    def _known(self, collection: str) -> str:
        self._dimension(collection)
        return _table(collection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing, waiting for other writers."""
        self._cached = None  # data_version tells of other connections' writes only
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except sqlite3.OperationalError as error:
            self._db.execute("ROLLBACK")
            if "no such table" in str(error):
                raise CollectionMissingError(str(error).rpartition("c_")[2]) from None
            raise
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _table(collection: str) -> str:
    return f'"c_{collection}"'


def _record(row: Sequence[object]) -> Record:
    identifier, vector, *values = row
    payload = dict(zip(PAYLOAD, values, strict=True))
    return Record(id=str(identifier), vector=np.frombuffer(vector, np.float32), **payload)  # type: ignore[call-overload,arg-type]
