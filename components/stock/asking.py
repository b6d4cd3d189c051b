"""Requests to a vendor's API: patient where the service asks for patience, and plain where it refuses for good."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import dagster as dg

ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 300.0
TIMEOUT_SECONDS = 60.0
_BUSY = (429, 503)


@dataclass(frozen=True)
class Vendor:
    """A service as messages name it.

    Args:
        title: Its name.
        credentials: Names of the secrets that open it.
        secrets: Their values, which no message may show.
        attempts: How often a request is made before it counts as failed.
    """

    title: str
    credentials: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    attempts: int = ATTEMPTS

    def ask(self, method: str, url: str, *, tolerated: Collection[int] = (), **request: Any) -> Any:
        """The response to a request, made again where that is safe and may help.

        A POST is repeated only where the service says that it did nothing (429 and 503), so that nothing runs twice.

        Args:
            method: GET, POST …
            url: The address.
            tolerated: Statuses that are answers too.
            **request: What else ``requests.request`` takes.

        Raises:
            Failure: the service does not answer, refuses, or answers with an error; retries are allowed where the
                same request may succeed later.
        """
        import requests

        place, once = f"{method.upper()} {url.partition('?')[0]}", method.upper() == "POST"
        fault = ""
        for attempt in range(self.attempts):
            wait = 0.5 * 2**attempt
            try:
                response = requests.request(method, url, timeout=TIMEOUT_SECONDS, **request)
            except requests.ConnectTimeout as error:
                fault = _reason(error)
            except requests.RequestException as error:
                fault = _reason(error)
                if once and not isinstance(error, requests.ConnectionError):
                    break
            else:
                if response.status_code < 400 or response.status_code in tolerated:
                    return response
                fault = f"it answered with status {response.status_code}: {self._said(response)}"
                if response.status_code in (401, 403):
                    raise self.failed(f"{self._refused(response.status_code)} ({place}): {self._said(response)}", False)
                if response.status_code < 500 and response.status_code != 429:
                    raise self.failed(f"{self.title}: {place}: {fault}", False)
                if once and response.status_code not in _BUSY:
                    break
                wait = max(wait, _asked_to_wait(response))
            if attempt < self.attempts - 1:
                time.sleep(min(wait, LONGEST_WAIT_SECONDS))
        raise self.failed(f"{self.title}: {place}: {fault}", True)

    def json(self, method: str, url: str, **request: Any) -> Any:
        """The JSON of a response.

        Raises:
            Failure: as ``ask``; or what came is no JSON.
        """
        return self.read(self.ask(method, url, **request))

    def read(self, response: Any) -> Any:
        """The JSON of a response.

        Raises:
            Failure: it is none.
        """
        try:
            return response.json()
        except ValueError:
            kind = response.headers.get("Content-Type") or "no content type"
            place = response.url.partition("?")[0]
            raise self.failed(f"{self.title}: {place} answered with something that is no JSON ({kind})", True) from None

    def failed(self, message: str, may_pass: bool) -> dg.Failure:
        """A failure whose message shows no secret.

        Args:
            message: What happened.
            may_pass: Whether the run may be repeated.
        """
        from ..secrets import redacted

        return dg.Failure(redacted(message, self.secrets), allow_retries=may_pass)

    def _refused(self, status: int) -> str:
        named = ", ".join(self.credentials) or "its credentials"
        return f"{self.title} refuses the credentials ({status}); {named} may be wrong, expired or revoked"

    @staticmethod
    def _said(response: Any) -> str:
        return " ".join(response.text[:300].split()) or "no message"


def patient(session: Any) -> Any:
    """A session of a client that asks by itself: refusals for now (429 and 503) are waited out as the service says."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    again = Retry(
        total=ATTEMPTS - 1, read=0, status_forcelist=_BUSY, allowed_methods=None, backoff_factor=0.5,
        raise_on_status=False,
    )  # fmt: skip
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    return session


def _asked_to_wait(response: Any) -> float:
    """Seconds of the header Retry-After, which may be a number or a date."""
    after = response.headers.get("Retry-After", "").strip()
    if after.replace(".", "", 1).isdigit():
        return float(after)
    try:
        return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _reason(error: Exception) -> str:
    """Why nothing came, without the machinery's wrapping."""
    import requests

    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    return f"it does not answer ({type(error).__name__})"
