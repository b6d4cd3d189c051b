"""The Google client: found and logged in to by Google's own environment variables, its errors in plain words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .base import WarehouseError

RETRY_SECONDS = 60.0
TIMEOUT_SECONDS = 60.0

# Google's reason for a refused job or call, and what to do about it.
_ADVICE = {
    "accessDenied": "the login lacks a permission: BigQuery Job User on the project, BigQuery Data Editor on the "
    "dataset. Or the table does not exist.",
    "quotaExceeded": "a quota of the project is used up.",
    "rateLimitExceeded": "the project sends too many requests; it was tried again until the time was up.",
    "billingNotEnabled": "the project has no billing account.",
    "bytesBilledLimitExceeded": "the query would bill more than maximum_bytes_billed.",
}


def bigquery_client() -> Any:
    """A client for the project of ``GOOGLE_CLOUD_PROJECT`` in the location of ``BIGQUERY_LOCATION``.

    ``BIGQUERY_EMULATOR_HOST`` leads it to an emulator, as the client itself has it, which needs no login.

    Raises:
        WarehouseError: there is no login, or it cannot be read.
    """
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import bigquery

    project, location = os.environ["GOOGLE_CLOUD_PROJECT"], os.environ.get("BIGQUERY_LOCATION") or None
    credentials = AnonymousCredentials() if os.environ.get("BIGQUERY_EMULATOR_HOST") else None
    try:
        return bigquery.Client(project=project, location=location, credentials=credentials)
    except GoogleAuthError as error:
        raise WarehouseError(
            "BigQuery has no login that can be read. Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run "
            f"gcloud auth application-default login. {_first_line(error)}"
        ) from None


def short_retry() -> Any:
    """The client's own retry of calls, with an end that a waiting person can bear."""
    from google.cloud.bigquery.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(RETRY_SECONDS)


def short_job_retry() -> Any:
    """The client's own retry of jobs that fail for a passing reason, with the same end."""
    from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

    return DEFAULT_JOB_RETRY.with_timeout(RETRY_SECONDS)


@contextmanager
def told() -> Iterator[None]:
    """Turns what the client raises into one message without secrets."""
    from google.api_core.exceptions import ClientError, GoogleAPIError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except RetryError as error:
        raise WarehouseError(_unreachable(error.cause or error)) from None
    except ClientError as error:
        raise WarehouseError(refusal(error)) from None
    except (GoogleAuthError, RequestException, ConnectionError) as error:
        raise WarehouseError(_unreachable(error)) from None
    except GoogleAPIError as error:
        raise WarehouseError(f"BigQuery failed: {_first_line(error)}") from None


def refusal(error: Any) -> str:
    """What a refused job or call says, with what to do about it."""
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    reason = next((detail.get("reason", "") for detail in error.errors or [] if isinstance(detail, dict)), "")
    words = next((detail.get("message") for detail in error.errors or [] if isinstance(detail, dict)), None)
    # The client's text starts with the address of the call, which helps nobody.
    message = (words or error.message).split("; reason: ")[0].split("prettyPrint=false: ")[-1].strip()
    if error.code == 401:
        return (
            f"BigQuery refused the login for project {project!r}. Check GOOGLE_APPLICATION_CREDENTIALS, and that the "
            "key was not revoked."
        )
    advice = _ADVICE.get(reason) or (_ADVICE["accessDenied"] if error.code == 403 else "")
    return f"BigQuery (project {project!r}): {message}" + (f" ({reason or error.code}: {advice})" if advice else "")


def _unreachable(error: Any) -> str:
    from google.auth.exceptions import InvalidOperation, RefreshError

    if isinstance(error, (RefreshError, InvalidOperation)):  # a refused login is first renewed, in vain
        return (
            f"BigQuery refused the login for project {os.environ.get('GOOGLE_CLOUD_PROJECT')!r}. Check "
            "GOOGLE_APPLICATION_CREDENTIALS, and that the key was not revoked."
        )
    host = os.environ.get("BIGQUERY_EMULATOR_HOST")
    if getattr(error, "code", None):
        return refusal(error)
    place = f"at {host!r} (BIGQUERY_EMULATOR_HOST)" if host else "of Google"
    return f"The BigQuery server {place} does not answer. Check the address and the network."


def _first_line(error: Any) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
