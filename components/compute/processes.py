"""The processes of one job on this machine: how much memory they hold, and the end of every one of them."""

import time
from contextlib import suppress
from typing import Any

MARK = "DAGSTER_JOB_MARK"
_MEGABYTE = 1024 * 1024


class ProcessTree:
    """A process and all that came from it.

    A process that left the tree, as Jupyter kernels and daemons do, is still known by a mark in its environment.

    Args:
        pid: The first process.
        mark: Value of the variable ``DAGSTER_JOB_MARK`` that it was started with.
    """

    def __init__(self, pid: int, mark: str) -> None:
        self._pid = pid
        self._mark = mark
        self._seen: dict[int, Any] = {}

    def memory_mb(self) -> float:
        """Megabytes that the processes hold now; memory that they share counts for each."""
        return self._memory(lambda process: process.memory_info().rss)

    def exact_memory_mb(self) -> float:
        """The same with shared memory counted once, which takes the system longer to say."""
        return self._memory(_proportional)

    def _memory(self, of: Any) -> float:
        import psutil

        total = 0
        for process in self._living():
            with suppress(psutil.Error):
                total += of(process)
        return total / _MEGABYTE

    def _living(self) -> list[Any]:
        import psutil

        with suppress(psutil.Error):
            first = self._seen.get(self._pid) or psutil.Process(self._pid)
            for process in (first, *first.children(recursive=True)):
                self._seen.setdefault(process.pid, process)
        return [process for process in self._seen.values() if process.is_running()]

    def _marked(self) -> list[Any]:
        import psutil

        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark:
                    found.append(process)
        return found

    def end(self, grace_seconds: float) -> None:
        """Ask every process to stop, and kill those that are left after the grace."""
        processes = {process.pid: process for process in [*self._living(), *self._marked()]}
        for process in processes.values():
            _quietly(process.terminate)
        deadline = time.monotonic() + grace_seconds
        while time.monotonic() < deadline and any(map(_is_alive, processes.values())):
            time.sleep(0.05)
        for _ in range(5):  # a process may start another one while it is killed
            left = [process for process in [*self._living(), *self._marked()] if _is_alive(process)]
            if not left:
                return
            for process in left:
                _quietly(process.kill)
            time.sleep(0.05)


def _proportional(process: Any) -> int:
    full = process.memory_full_info()
    return getattr(full, "pss", None) or full.uss


def _is_alive(process: Any) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _quietly(action: Any) -> None:
    import psutil

    with suppress(psutil.Error):
        action()
