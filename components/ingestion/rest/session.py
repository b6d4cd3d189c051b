"""The HTTP session of a connector: retries, reads only, and stays with its own hosts."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from dlt.sources.helpers.requests.retry import DEFAULT_RETRY_STATUS, Client
from requests import PreparedRequest, Response
from requests import Session as BaseSession

from ..files import SourceError


def guarded_session(hosts: Collection[str], *, reads_by_post: bool, token_url: str | None) -> BaseSession:
    """A session that waits as ``Retry-After`` says and tries again after 429, 5xx and time-outs.

    How often and how long is dlt's own configuration: ``RUNTIME__REQUEST_MAX_ATTEMPTS``, ``RUNTIME__REQUEST_TIMEOUT`` …

    Args:
        hosts: Hosts that may be asked, with port where one is given; our key goes nowhere else.
        reads_by_post: Whether POST may be sent beside GET.
        token_url: Where an access token is had, by POST.
    """
    client = Client(raise_for_status=False, status_codes=DEFAULT_RETRY_STATUS, retry_condition=_asks_to_wait)
    client.configure()
    session = client.session
    send = session.send

    def guarded(request: PreparedRequest, **options: Any) -> Response:
        url = request.url or ""
        if request.method != "GET" and not reads_by_post and url != token_url:
            raise SourceError(f"a {request.method} was about to be sent; this connector only reads.")
        if urlsplit(url).netloc not in hosts:
            raise SourceError(
                f"the API names a page on another host, {urlsplit(url).netloc}; our key is not sent there."
            )
        return send(request, **options)

    session.send = guarded  # type: ignore[method-assign]  # as dlt adds retries; redirects come through here too
    return session


def _asks_to_wait(response: Response | None, error: BaseException | None) -> bool:
    """Whether it is a 403 that means 429, as GitHub's."""
    return response is not None and response.status_code == 403 and "Retry-After" in response.headers
