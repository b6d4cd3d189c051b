"""BigQuery jobs that run once: found again by their id after a restart, cancelled with the Dagster run."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .engines.base import WarehouseError
from .engines.bigquery_client import TIMEOUT_SECONDS, refusal, short_retry, told

RETRY_SECONDS = 300.0
MOST_ATTEMPTS = 20
_PASSING = ("rateLimitExceeded", "backendError", "internalError", "jobBackendError", "jobRateLimitExceeded")


class _PassingError(Exception):
    """A job that failed for a reason that passes."""


def job_id(run_id: str, key: str, partition: str | None, statement: str) -> str:
    """The id of a job: the same for the same statement of the same run, so that a restart finds it."""
    digest = hashlib.sha256(statement.encode()).hexdigest()[:12]
    names = "-".join(re.sub(r"[^A-Za-z0-9_-]", "_", part) for part in ("dagster", run_id, key, partition or "") if part)
    return f"{names[:900]}-{digest}"


def run_job(client: Any, statement: str, base_id: str, config: Any, log: Callable[[str], None]) -> Any:
    """The finished job of a statement: one that a former start of the run left, or a new one.

    A job that failed for a passing reason, or was cancelled, is followed by one with the next number.

    Raises:
        WarehouseError: the job fails for good, or for too long.
    """
    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry, if_exception_type

    state = {"attempt": 0}

    def attempt() -> Any:
        job, state["attempt"] = _started(client, statement, base_id, config, state["attempt"], log)
        return _finished(job, log)

    again = Retry(if_exception_type(_PassingError), initial=1.0, maximum=30.0, timeout=RETRY_SECONDS)
    try:
        return again(attempt)()
    except RetryError as error:
        raise WarehouseError(str(error.cause)) from None
    except _PassingError as error:
        raise WarehouseError(str(error)) from None


def _started(
    client: Any, statement: str, base_id: str, config: Any, first: int, log: Callable[[str], None]
) -> tuple[Any, int]:
    """A job that runs or succeeded, and its number."""
    from google.api_core.exceptions import Conflict, NotFound

    for number in range(first, MOST_ATTEMPTS):
        identity = f"{base_id}-{number}"
        with told():
            try:
                job = client.get_job(identity, location=client.location, retry=short_retry(), timeout=TIMEOUT_SECONDS)
                log(f"BigQuery job {identity} is there already ({job.state.lower()}): it is not run again")
            except NotFound:
                try:
                    job = client.query(
                        statement,
                        job_config=config,
                        job_id=identity,
                        job_retry=None,  # the id can be used once; the next attempt has its own
                        retry=short_retry(),
                        timeout=TIMEOUT_SECONDS,
                    )
                except Conflict:  # the answer to the first call was lost
                    job = client.get_job(identity, location=client.location, retry=short_retry())
                except BaseException as error:
                    if not isinstance(error, Exception):  # the run was cancelled while BigQuery took the job up
                        with suppress(Exception):
                            client.cancel_job(identity, location=client.location, retry=None, timeout=TIMEOUT_SECONDS)
                    raise
        if not (job.state == "DONE" and job.error_result):
            return job, number
        if job.error_result.get("reason") not in (*_PASSING, "stopped"):
            return job, number
    raise WarehouseError(f"BigQuery job {base_id} failed {MOST_ATTEMPTS} times")


def _finished(job: Any, log: Callable[[str], None]) -> Any:
    """The job when it has succeeded; cancelled when the run is."""
    from google.api_core.exceptions import GoogleAPICallError

    log(f"BigQuery job {job.project}:{job.location or ''}.{job.job_id}")
    try:
        with told():
            try:
                job.result(retry=short_retry(), job_retry=None)
            except GoogleAPICallError as error:
                if job.error_result and job.error_result.get("reason") in _PASSING:
                    log(f"BigQuery: {job.error_result['reason']}; it is tried again")
                    raise _PassingError(refusal(error)) from None
                raise
    except (WarehouseError, _PassingError):
        raise
    except BaseException:  # the run was cancelled
        log(f"the run ends: BigQuery job {job.job_id} is cancelled")
        job.cancel(retry=short_retry(), timeout=TIMEOUT_SECONDS)
        raise
    return job


def job_link(job: Any) -> str:
    """The page of a job in Google's console."""
    place = f"bq:{job.location or 'US'}:{job.job_id}"
    return f"https://console.cloud.google.com/bigquery?project={job.project}&j={place}&page=queryresults"
