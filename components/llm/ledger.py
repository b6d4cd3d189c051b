"""One SQLite file that knows every call to a model: what it cost, what it answered, and how fast we may go on."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from .errors import ModelCallError
from .messages import Answered
from .sqlite_file import open_sqlite

LEDGER_FILE = "data/model_calls.db"
VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, month TEXT NOT NULL, asset TEXT NOT NULL, run_id TEXT NOT NULL,
    owner TEXT NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, usd REAL NOT NULL);
CREATE INDEX IF NOT EXISTS calls_by_month ON calls (month, owner);
CREATE TABLE IF NOT EXISTS totals (what TEXT PRIMARY KEY, usd REAL NOT NULL, open_usd REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS embeddings (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, text TEXT NOT NULL, stop TEXT NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS limits (
    account TEXT PRIMARY KEY, requests_at REAL NOT NULL, tokens_at REAL NOT NULL, paused_until REAL NOT NULL,
    spacing REAL NOT NULL, pauses INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    marker TEXT PRIMARY KEY, asset TEXT NOT NULL, batch_id TEXT, state TEXT NOT NULL, provider TEXT NOT NULL,
    name TEXT NOT NULL, requests INTEGER NOT NULL, call_id INTEGER, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS batch_requests (
    marker TEXT NOT NULL, id TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (marker, id)) WITHOUT ROWID;
"""
State = Literal["open", "paid", "unknown", "failed"]


@dataclass(frozen=True)
class Caller:
    """Who calls: the asset, the owner who pays, and the run."""

    asset: str
    owner: str
    run_id: str


@dataclass(frozen=True)
class Spent:
    """US dollars: what is known, and what calls without an answer yet may cost at most."""

    usd: float = 0.0
    open_usd: float = 0.0


class Ledger:
    """The file, shared by threads and processes; every write is one short transaction that a kill leaves whole.

    Args:
        file: Where it is; made with its folder at first use.

    Raises:
        ModelCallError: the file is no ledger, or one of a later version.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.RLock()
        try:
            self._connection = open_sqlite(file)
        except sqlite3.DatabaseError as error:
            raise _unusable(file, error) from None
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise _unusable(file, error) from None

    def _prepare(self) -> None:
        found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise sqlite3.DatabaseError(f"it is of version {found}; this project knows version {VERSION}")
        if found < VERSION:
            with self.writing() as db:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed whole, or not at all."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The result of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    # Calls

    def open_call(
        self, caller: Caller, service: tuple[str, str, str], usd: float, allowed: Callable[[Spent, Spent], None]
    ) -> int:
        """Note a call before it is made, at what it may cost at most; its number.

        Args:
            caller: Who calls.
            service: Provider, model and kind of the call.
            usd: The most it may cost.
            allowed: Raises where it would pass a budget; given what the owner has spent this month, and the asset in
                this run.
        """
        now = datetime.now(UTC)
        month = now.strftime("%Y-%m")
        with self.writing() as db:
            allowed(_spent(db, _month_of(caller, month)), _spent(db, _run_of(caller)))
            made = db.execute(
                "INSERT INTO calls (at, month, asset, run_id, owner, provider, name, kind, state, input_tokens, "
                "output_tokens, usd) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', 0, 0, ?)",
                [now.timestamp(), month, caller.asset, caller.run_id, caller.owner, *service, usd],
            )
            for what in (_month_of(caller, month), _run_of(caller)):
                _count(db, what, 0.0, usd)
        return int(made.lastrowid or 0)

    def close_call(
        self,
        call: int,
        state: State,
        usage: tuple[int, int, float],
        keep: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        """Note how a call ended, and with it what it answered.

        Args:
            call: Its number.
            state: ``paid``, ``failed`` (not billed) or ``unknown`` (perhaps billed: it keeps the most it may cost).
            usage: Input tokens, output tokens and US dollars.
            keep: Writes the answer, in the same transaction.
        """
        with self.writing() as db:
            owner, run_id, asset, month, was, most = db.execute(
                "SELECT owner, run_id, asset, month, state, usd FROM calls WHERE id = ?", [call]
            ).fetchone()
            if was != "open":
                return  # noted before the process was killed
            if keep:
                keep(db)
            tokens_in, tokens_out, usd = usage
            if state == "unknown":
                usd = most
            db.execute(
                "UPDATE calls SET state = ?, input_tokens = ?, output_tokens = ?, usd = ? WHERE id = ?",
                [state, tokens_in, tokens_out, usd, call],
            )
            caller = Caller(asset, owner, run_id)
            for what in (_month_of(caller, month), _run_of(caller)):
                _count(db, what, usd, -most)

    def spent(self, owner: str, month: str) -> Spent:
        """What an owner's calls have cost in a month, as YYYY-MM in UTC."""
        with self._lock:
            return _spent(self._connection, _month_of(Caller("", owner, ""), month))

    # Answers

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The embeddings that are known, by key."""
        found: dict[bytes, bytes] = {}
        for first in range(0, len(keys), 500):
            some = keys[first : first + 500]
            marks = ", ".join("?" * len(some))
            found |= dict(self.rows(f"SELECT key, vector FROM embeddings WHERE key IN ({marks})", some))  # noqa: S608 - marks only
        return found

    @staticmethod
    def keep_vectors(db: sqlite3.Connection, vectors: Mapping[bytes, bytes]) -> None:
        """Keep embeddings, inside a transaction of ``writing``."""
        db.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?)", vectors.items())

    def answer(self, key: bytes) -> Answered | None:
        """What was answered to the same request before."""
        found = self.rows("SELECT text, stop, input_tokens, output_tokens FROM answers WHERE key = ?", [key])
        return Answered(*found[0]) if found else None

    @staticmethod
    def keep_answer(db: sqlite3.Connection, key: bytes, answer: Answered) -> None:
        """Keep an answer, inside a transaction of ``writing``."""
        db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            [key, answer.text, answer.stop, answer.input_tokens, answer.output_tokens, time.time()],
        )


def _month_of(caller: Caller, month: str) -> str:
    return f"owner {caller.owner} {month}"


def _run_of(caller: Caller) -> str:
    return f"run {caller.run_id} {caller.asset}"


def _spent(db: sqlite3.Connection, what: str) -> Spent:
    found = db.execute("SELECT usd, open_usd FROM totals WHERE what = ?", [what]).fetchone()
    return Spent(*found) if found else Spent()


def _count(db: sqlite3.Connection, what: str, usd: float, open_usd: float) -> None:
    db.execute("INSERT OR IGNORE INTO totals VALUES (?, 0, 0)", [what])
    change = "UPDATE totals SET usd = usd + ?, open_usd = max(0, open_usd + ?) WHERE what = ?"
    db.execute(change, [usd, open_usd, what])


def _unusable(file: Path, error: sqlite3.DatabaseError) -> ModelCallError:
    return ModelCallError(f"{file}: cannot be used as the ledger of model calls: {error}")
