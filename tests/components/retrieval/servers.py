"""Servers of their own: Spark Connect without this project on its path, and Chroma."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server_process import free_port

START_SECONDS = 60


@contextmanager
def spark_server(folder: Path) -> Iterator[str]:
    """The address of Sail's server, a process of its own."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("sail")), "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"RUST_LOG": "error"}
    with subprocess.Popen(command, cwd=folder, env=environment) as server:
        try:
            _wait(port)
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)


@contextmanager
def chroma_server(folder: Path) -> Iterator[str]:
    """The address of Chroma's server, a process of its own."""
    port = free_port()
    place = ["--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    # The command ``chroma`` does this after importing all of Chroma, which takes seconds.
    script = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', 'run', *sys.argv[1:]])"
    command = [sys.executable, "-c", script, *place]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)


def _wait(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
