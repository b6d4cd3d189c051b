"""The output of a process of this machine, line by line, without waiting for it."""

import queue
import subprocess
import threading
import time
from typing import IO

from .log import JobLog

POLL_SECONDS = 0.1
_DRAIN_SECONDS = 2.0


class Lines:
    """The lines that a process writes to its pipe.

    Args:
        process: Started with a pipe for its output.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._queue: queue.Queue[bytes | None] = queue.Queue()
        self._is_done = False
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def _read(self, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            self._queue.put(line)
        self._queue.put(None)

    def pass_on(self, log: JobLog) -> None:
        """Log the lines that are there; takes a moment where there are none, so that it can be called in a loop."""
        if self._is_done:  # it closed its output and works on
            time.sleep(POLL_SECONDS)
            return
        wait = POLL_SECONDS
        try:
            while (line := self._queue.get(timeout=wait)) is not None:
                log.line(line.decode(errors="replace"))
                wait = 0.001
        except queue.Empty:
            return
        self._is_done = True

    def drain(self, log: JobLog) -> None:
        """Log what is left; a process in the background may keep the pipe open, so not for ever."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while not self._is_done and time.monotonic() < deadline:
            self.pass_on(log)
