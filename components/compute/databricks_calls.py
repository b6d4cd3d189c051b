"""Calls of a Databricks workspace: how long one waits for it, and which faults pass."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

ATTEMPTS = 6
_LONGEST_WAIT_SECONDS = 20.0
_T = TypeVar("_T")


def repeated(call: Callable[[], _T], attempts: int | None = None) -> _T:
    """The answer of a call that may be made again; the SDK itself repeats after 429 and 503 only.

    Args:
        call: The call.
        attempts: How often it is made at most; ``ATTEMPTS`` when left out.

    Raises:
        DatabricksError: the workspace refuses for good, or still does not answer as it should.
        OSError: it cannot be reached.
    """
    from databricks.sdk.errors import DatabricksError
    from requests.exceptions import RequestException

    attempts = attempts or ATTEMPTS
    for attempt in range(attempts):
        try:
            return call()
        except (DatabricksError, RequestException, TimeoutError, OSError) as error:
            if is_permanent(error) or attempt == attempts - 1:
                raise
        time.sleep(min(0.5 * 2**attempt, _LONGEST_WAIT_SECONDS))
    raise AssertionError("unreachable")


def is_permanent(error: Exception) -> bool:
    """Whether the same call would be answered the same."""
    from databricks.sdk.errors import NotFound, PermissionDenied, Unauthenticated
    from databricks.sdk.errors.platform import BadRequest, ResourceConflict

    refusals: tuple[Any, ...] = (NotFound, PermissionDenied, Unauthenticated, BadRequest, ResourceConflict)
    return isinstance(error, refusals)
