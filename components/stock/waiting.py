"""Waiting for what runs at a vendor, up to a limit that is named when it is reached."""

import time
from collections.abc import Callable
from typing import ClassVar, Protocol, TypeVar

import dagster as dg

Answer = TypeVar("Answer")


class Waits(Protocol):
    """A component that waits: its title, and seconds and minutes of patience."""

    title: ClassVar[str]
    poll_seconds: float
    max_runtime_minutes: float


def wait_for(
    component: Waits,
    what: str,
    ask: Callable[[], Answer],
    over: Callable[[Answer], bool],
    cancel: Callable[[], object] | None = None,
) -> Answer:
    """Ask until it is over, and give the last answer.

    Args:
        component: Says how often to ask and how long.
        what: What runs, for messages.
        ask: Asks the vendor.
        over: Whether an answer says that it is over.
        cancel: Ends it at the vendor; called when the limit is reached and when the run here is stopped.

    Raises:
        Failure: the limit is reached.
    """
    end = time.monotonic() + component.max_runtime_minutes * 60
    try:
        while not over(answer := ask()):
            if time.monotonic() > end:
                after = "it was cancelled there" if cancel else f"it goes on at {component.title}"
                limit = f"max_runtime_minutes ({component.max_runtime_minutes:g})"
                raise _TooLong(f"{what} took longer than {limit}; {after}", allow_retries=False)
            time.sleep(component.poll_seconds)
    except (_TooLong, KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        if cancel:
            cancel()
        raise
    return answer


class _TooLong(dg.Failure):
    """The limit is reached."""
