"""An index run in a process of its own that dies at a chosen write: python -m … <root> <attributes as JSON> <write>."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from components.retrieval.stores.sqlite import SqliteStore
from tests.components.retrieval.library import Library


def main(root: str, attributes: str, last: str) -> None:
    library = Library(Path(root), **json.loads(attributes))
    upsert, done = SqliteStore.upsert, 0

    def counted(store: SqliteStore, *args: Any) -> None:
        nonlocal done
        upsert(store, *args)
        done += 1
        if done == int(last):
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteStore.upsert = counted  # type: ignore[method-assign]
    library.materialize()


if __name__ == "__main__":
    main(*sys.argv[1:])
