"""LanceDB in a folder or an object store."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa

from .base import NUMBERS, TEXTS, CollectionMissingError, Found, Record, VectorStore, checked, from_payload
from .opening import FolderLock

_ATTEMPTS = 20


class LanceStore(VectorStore):
    """LanceDB's tables, searched exactly; several processes may write."""

    batch = 2048

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._db: Any = lancedb.connect(str(folder))

    def create(self, collection: str, dimension: int) -> None:
        """Make an empty table, one process at a time: LanceDB's own second maker empties what the first has filled."""
        schema = pa.schema(
            [
                pa.field("id", pa.string(), nullable=False),
                pa.field("vector", pa.list_(pa.float32(), dimension)),
                *(pa.field(name, pa.string()) for name in TEXTS),
                *(pa.field(name, pa.int64()) for name in NUMBERS),
            ]
        )
        if self._has(collection):
            return
        lock = FolderLock(self._folder, "the LanceDB folder")
        try:
            if not self._has(collection):
                self._db.create_table(collection, schema=schema)
        finally:
            lock.release()

    def drop(self, collection: str) -> None:
        """Remove a table."""
        self._db.drop_table(collection, ignore_missing=True)

    def collections(self, prefix: str) -> list[str]:
        """Names of all tables, page by page."""
        names: list[str] = []
        token = None
        while True:
            page = self._db.list_tables(page_token=token, limit=100)
            names += page.tables
            token = page.page_token
            if not token:
                return sorted(name for name in names if name.startswith(prefix))

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Merge records by id."""
        if not records:
            return
        table = self._on(collection)
        rows = [{"id": record.id, "vector": record.vector.tolist(), **record.payload()} for record in records]
        data = pa.Table.from_pylist(rows, schema=table.schema)
        _repeated(
            lambda: table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(data)
        )

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        if ids:
            table, names = self._on(collection), ", ".join(map(_quoted, ids))
            _repeated(lambda: table.delete(f"id IN ({names})"))

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records."""
        table = self._on(collection)
        _repeated(lambda: table.delete(f"document = {_quoted(document)}"))

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by cosine; the filter comes first."""
        search = self._on(collection).search(np.asarray(vector, np.float32)).distance_type("cosine").limit(k)
        if narrowed := " AND ".join(f"{name} = {_quoted(value)}" for name, value in checked(where).items()):
            search = search.where(narrowed, prefilter=True)
        return [Found(from_payload(row["id"], row["vector"], row), 1 - row["_distance"]) for row in search.to_list()]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        if not ids:
            return []
        found = self._on(collection).search().where(f"id IN ({', '.join(map(_quoted, ids))})").limit(len(ids))
        return [from_payload(row["id"], row["vector"], row) for row in found.to_list()]

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, in batches."""
        for batch in self._on(collection).search().to_batches(1024):
            yield from (from_payload(row["id"], row["vector"], row) for row in batch.to_pylist())

    def count(self, collection: str) -> int:
        """How many records."""
        return int(self._on(collection).count_rows())

    def finish(self, collection: str) -> None:
        """Join the small files that many writes make, and drop those that no reader of the last hour needs."""
        _repeated(lambda: self._on(collection).optimize(cleanup_older_than=timedelta(hours=1)))

    def _has(self, collection: str) -> bool:
        try:
            self._on(collection)
        except CollectionMissingError:
            return False
        return True

    def _on(self, collection: str) -> Any:
        try:
            return self._db.open_table(collection)
        except (ValueError, FileNotFoundError):
            raise CollectionMissingError(collection) from None


def _repeated(write: Callable[[], Any]) -> None:
    """Do a write again while another process's came first."""
    for attempt in range(_ATTEMPTS):
        try:
            write()
            return
        except (OSError, RuntimeError) as error:
            if "conflict" not in str(error).lower() or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.02 * (attempt + 1))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
