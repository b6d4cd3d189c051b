"""Work in threads over a stream of any length, a few items ahead, whose finished results are never lost."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _NotStartedError(Exception):
    """An item that was still waiting when another failed."""


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Results as they come, in any order; at most twice as many items as threads are held.

    Where an item fails no new one starts, and the exception is raised after the results of those under way.
    """
    source = iter(items)
    over = Event()

    def run(item: Item) -> Result:
        if over.is_set():
            raise _NotStartedError
        try:
            return work(item)
        except BaseException:
            over.set()  # at once: the thread that collects may be slow to hear of it
            raise

    waiting: set[Future[Result]] = set()
    failure: BaseException | None = None
    exhausted = False
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="model-call") as pool:
        try:
            while True:
                while not exhausted and not over.is_set() and len(waiting) < threads * 2:
                    try:
                        waiting.add(pool.submit(run, next(source)))
                    except StopIteration:
                        exhausted = True
                if not waiting:
                    break
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    if future.cancelled() or isinstance(future.exception(), _NotStartedError):
                        continue
                    if error := future.exception():
                        failure = failure or error
                        waiting -= {other for other in waiting if other.cancel()}
                    else:
                        yield future.result()
        finally:  # also where the caller stops listening
            over.set()
            for future in waiting:
                future.cancel()
    if failure:
        raise failure
