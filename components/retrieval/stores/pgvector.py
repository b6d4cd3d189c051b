"""PostgreSQL with the extension pgvector."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg2
from psycopg2 import errors, sql
from psycopg2.extras import execute_values

from .base import (
    NUMBERS,
    PAYLOAD,
    TEXTS,
    CollectionMissingError,
    Found,
    Record,
    StoreError,
    VectorStore,
    checked,
    from_payload,
)

_INDEXED_FROM = 20_000  # below, an exact search is as fast and misses nothing
_INDEXED_DIMENSIONS = 2000  # what HNSW takes
_PREFIX = "vectors_"


class PgvectorStore(VectorStore):
    """Collections as tables; each write is one transaction, and readers see it at once.

    Args:
        connection: libpq's connection string; empty for its variables PGHOST, PGUSER …
        schema: Schema of the tables.
    """

    batch = 1000

    def __init__(self, connection: str, schema: str) -> None:
        self._schema = schema
        try:
            self._db = psycopg2.connect(connection)
            with self._transaction() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(714025)")  # two at once would both make the extension
                cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
                cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        except psycopg2.Error as error:
            raise StoreError(f"store pgvector: {error}".strip(), transient=not error.pgcode) from None

    def create(self, collection: str, dimension: int) -> None:
        """Make a table and its index by document."""
        columns = [sql.SQL("id uuid PRIMARY KEY"), sql.SQL(f"vector vector({int(dimension)}) NOT NULL")]
        columns += [sql.SQL("{} text NOT NULL").format(sql.Identifier(name)) for name in TEXTS]
        columns += [sql.SQL("{} bigint NOT NULL").format(sql.Identifier(name)) for name in NUMBERS]
        with self._transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(714025)")
            cursor.execute(
                self._sql("CREATE TABLE IF NOT EXISTS {t} ({columns})", collection, columns=_joined(columns))
            )
            cursor.execute(self._sql("CREATE INDEX IF NOT EXISTS {index} ON {t} (document)", collection))

    def drop(self, collection: str) -> None:
        """Remove the table."""
        with self._transaction() as cursor:
            cursor.execute(self._sql("DROP TABLE IF EXISTS {t}", collection))

    def collections(self, prefix: str) -> list[str]:
        """Names of the tables."""
        with self._transaction() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (self._schema,))
            names = [name.removeprefix(_PREFIX) for (name,) in cursor.fetchall() if name.startswith(_PREFIX)]
        return [name for name in names if name.startswith(prefix)]

    def upsert(self, collection: str, records: Sequence[Record]) -> None:
        """Write all records in one transaction."""
        names = [sql.Identifier(name) for name in ("id", "vector", *PAYLOAD)]
        updates = [sql.SQL("{0} = excluded.{0}").format(name) for name in names[1:]]
        statement = self._sql(
            "INSERT INTO {t} ({names}) VALUES %s ON CONFLICT (id) DO UPDATE SET {updates}",
            collection,
            names=_joined(names),
            updates=_joined(updates),
        )
        # Rows in one order: two writers that lock the same rows in different orders would wait for each other.
        rows = [
            (record.id, _text(record.vector), *(_clean(value) for value in record.payload().values()))
            for record in sorted(records, key=lambda record: record.id)
        ]
        with self._transaction() as cursor:
            execute_values(cursor, statement, rows, page_size=500)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove records by id."""
        with self._transaction() as cursor:
            cursor.execute(self._sql("DELETE FROM {t} WHERE id = ANY(%s::uuid[])", collection), (sorted(ids),))

    def delete_document(self, collection: str, document: str) -> None:
        """Remove a document's records."""
        with self._transaction() as cursor:
            cursor.execute(self._sql("DELETE FROM {t} WHERE document = %s", collection), (document,))

    def query(self, collection: str, vector: np.ndarray, k: int, where: Mapping[str, str] | None = None) -> list[Found]:
        """Nearest by cosine; an index looks on until the filters are satisfied."""
        narrowed = checked(where)
        conditions = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in narrowed]
        condition = sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")
        statement = self._sql(
            "SELECT {columns}, 1 - (vector <=> %s::vector) FROM {t} WHERE {condition} "
            "ORDER BY vector <=> %s::vector, id LIMIT %s",
            collection,
            condition=condition,
        )
        asked = _text(vector)
        with self._transaction() as cursor:
            cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            cursor.execute("SET LOCAL hnsw.ef_search = %s", (min(1000, max(100, k)),))
            cursor.execute(statement, (asked, *narrowed.values(), asked, k))
            return [Found(_record(row[:-1]), float(row[-1])) for row in cursor.fetchall()]

    def get(self, collection: str, ids: Sequence[str]) -> list[Record]:
        """Records by id."""
        with self._transaction() as cursor:
            cursor.execute(self._sql("SELECT {columns} FROM {t} WHERE id = ANY(%s::uuid[])", collection), (list(ids),))
            return [_record(row) for row in cursor.fetchall()]

    def scan(self, collection: str) -> Iterator[Record]:
        """All records, page by page."""
        last = "00000000-0000-0000-0000-000000000000"
        statement = self._sql("SELECT {columns} FROM {t} WHERE id > %s ORDER BY id LIMIT 1000", collection)
        while True:
            with self._transaction() as cursor:
                cursor.execute(statement, (last,))
                page = [_record(row) for row in cursor.fetchall()]
            yield from page
            if not page:
                return
            last = page[-1].id

    def count(self, collection: str) -> int:
        """How many records."""
        with self._transaction() as cursor:
            cursor.execute(self._sql("SELECT count(*) FROM {t}", collection))
            return int(cursor.fetchone()[0])

    def finish(self, collection: str) -> None:
        """Make the HNSW index of a large collection."""
        with self._transaction() as cursor:
            cursor.execute(self._sql("SELECT count(*), min(vector_dims(vector)) FROM {t}", collection))
            rows, dimensions = cursor.fetchone()
            if rows >= _INDEXED_FROM and dimensions <= _INDEXED_DIMENSIONS:
                cursor.execute(
                    self._sql(
                        "CREATE INDEX IF NOT EXISTS {near} ON {t} USING hnsw (vector vector_cosine_ops)", collection
                    )
                )

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        try:
            with self._db, self._db.cursor() as cursor:
                yield cursor
        except errors.UndefinedTable as error:
            raise CollectionMissingError(str(error).partition(_PREFIX)[2].partition('"')[0]) from None

    def _sql(self, statement: str, collection: str, **parts: sql.Composable) -> sql.Composed:
        table = sql.Identifier(self._schema, _PREFIX + collection)
        columns = _joined([sql.Identifier(name) for name in ("id", "vector", *PAYLOAD)])
        names = {"index": sql.Identifier(f"d_{collection}"), "near": sql.Identifier(f"n_{collection}")}
        return sql.SQL(statement).format(**{"t": table, "columns": columns, **names, **parts})


def _joined(parts: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(parts)


def _text(vector: np.ndarray) -> str:
    return json.dumps(np.asarray(vector, np.float32).tolist())


def _clean(value: object) -> object:
    """PostgreSQL's text has no NUL."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _record(row: Sequence[Any]) -> Record:
    identifier, vector, *values = row
    return from_payload(identifier, json.loads(vector), dict(zip(PAYLOAD, values, strict=True)))
