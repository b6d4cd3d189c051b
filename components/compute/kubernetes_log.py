"""The log of a pod, followed through broken connections, and the outputs that come back in it."""

import base64
import hashlib
import queue
import threading
from collections.abc import Iterator
from typing import Any

from .kubernetes_api import Cluster, RefusedError
from .log import JobLog

_PAUSE_SECONDS = 0.5
_LAST_READS = 3


class Frames:
    """The pieces of an archive, in whatever order and however often they come.

    Args:
        mark: What their lines begin with.
    """

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self._pieces: dict[int, str] = {}
        self._end: tuple[int, str] | None = None

    def take(self, line: str) -> bool:
        """Whether the line was a piece."""
        mark, _, rest = line.partition(" ")
        if mark != self.mark:
            return False
        number, _, content = rest.partition(" ")
        if number == "end":
            count, _, checksum = content.partition(" ")
            self._end = (int(count), checksum)
        else:
            self._pieces[int(number)] = content
        return True

    def content(self) -> bytes | None:
        """The archive, once it is whole."""
        if self._end is None or len(self._pieces) < self._end[0]:
            return None
        try:
            content = base64.b64decode("".join(self._pieces[number] for number in range(self._end[0])))
        except (ValueError, KeyError):
            return None
        return content if hashlib.sha256(content).hexdigest() == self._end[1] else None


class PodLog:
    """Follows the log of one pod in a thread; the lines are passed on where ``pass_on`` is called.

    Args:
        cluster: Where the pod is.
        pod: Its name.
        frames: Takes the lines by which outputs come back.
    """

    def __init__(self, cluster: Cluster, pod: str, frames: Frames) -> None:
        self._cluster, self._pod, self._frames = cluster, pod, frames
        self._lines: queue.Queue[str] = queue.Queue()
        self._last: tuple[str, int] = ("", 0)  # time of the last line, and how many lines had it
        self._is_over = threading.Event()
        self._reader = 0  # the newest read; an older one that still hangs takes no more lines
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def pass_on(self, log: JobLog) -> None:
        """Log the lines that have come."""
        while not self._lines.empty():
            log.line(self._lines.get_nowait())

    def finish(self, log: JobLog, wait_seconds: float) -> None:
        """Read what is left of a pod that has ended, and log it.

        Args:
            log: Where lines go.
            wait_seconds: Seconds to wait for a connection that still gives lines.
        """
        self._is_over.set()
        self._thread.join(wait_seconds)
        for _ in range(_LAST_READS):
            if self._frames.content() is not None:
                break
            self._read(follow=False)
        self.pass_on(log)
        self.close()

    def close(self) -> None:
        """Take no more lines. The connection ends with the pod: closing one that is being read waits for its lock."""
        self._is_over.set()
        self._reader += 1

    def _follow(self) -> None:
        while not self._is_over.is_set():
            self._read(follow=True)
            self._is_over.wait(_PAUSE_SECONDS)

    def _read(self, *, follow: bool) -> None:
        from urllib3.exceptions import HTTPError

        self._reader += 1
        reader = self._reader
        last, at_last = self._last
        repeated = 0
        try:
            for line in _lines(self._cluster.open_log(self._pod, follow=follow)):
                if reader != self._reader:
                    return
                time, _, text = line.partition(" ")
                is_piece = self._frames.take(text)  # also one that came before: it may have been cut then
                if time < last:
                    continue
                if time == last and repeated < at_last:
                    repeated += 1
                    continue
                self._last = (time, self._last[1] + 1 if time == self._last[0] else 1)
                if not is_piece:
                    self._lines.put(text)
        except (RefusedError, HTTPError, OSError, ValueError, AttributeError):
            return  # not started yet, gone, or the connection broke: the next read goes on where this one ended


def _lines(stream: Any) -> Iterator[str]:
    """Whole lines of a stream."""
    rest = b""
    for piece in stream.stream(65536):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
