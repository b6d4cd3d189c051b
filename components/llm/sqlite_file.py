"""SQLite files that several threads and processes open, read and write at the same time."""

import sqlite3
import time
from pathlib import Path

WAIT_SECONDS = 60.0


def open_sqlite(file: Path) -> sqlite3.Connection:
    """A connection that waits for other writers; transactions are begun by hand, any thread may use it.

    Args:
        file: Made with its folder where it is not there.

    Raises:
        sqlite3.DatabaseError: the file is of another kind, or stays locked for a minute.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        share(connection)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def share(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side; raises sqlite3.OperationalError where the file stays locked."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # another process is making the file just now; SQLite itself does not wait
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
    connection.execute("PRAGMA synchronous = NORMAL")
