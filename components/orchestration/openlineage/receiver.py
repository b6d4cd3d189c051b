"""The receiver that OpenLineage's own variables name."""

import logging
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from ..delivery import DeliveryError

_URL, _KEY = "OPENLINEAGE_URL", "OPENLINEAGE_API_KEY"
_ENDPOINT = "OPENLINEAGE_ENDPOINT"
TIMEOUT_SECONDS = 10.0


def is_on() -> bool:
    """Whether the environment names a receiver and does not switch it off."""
    disabled = os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() in ("true", "1")
    return bool(os.environ.get(_URL, "").strip()) and not disabled


def send(events: Iterable[Any]) -> None:
    """Send events in their order.

    Raises:
        DeliveryError: the receiver did not take one; those before it are there already.
    """
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider
    from requests import RequestException

    address, key = os.environ[_URL].strip(), os.environ.get(_KEY, "").strip()
    if urlsplit(address).scheme not in ("http", "https"):
        raise DeliveryError(f"{_URL} is no address that begins with http:// or https://")
    logging.getLogger("openlineage.client").setLevel(logging.ERROR)  # it warns of every try
    login = ApiKeyTokenProvider({"apiKey": key}) if key else TokenProvider({})
    retry = {"total": 2, "backoff_factor": 0.3, "status_forcelist": [429, 502, 503, 504], "allowed_methods": ["POST"]}
    endpoint = os.environ.get(_ENDPOINT, "").strip() or "api/v1/lineage"
    config = HttpConfig(url=address, endpoint=endpoint, timeout=TIMEOUT_SECONDS, auth=login, retry=retry)
    client = OpenLineageClient(transport=HttpTransport(config))
    try:
        for event in events:
            client.emit(event)
    except RequestException as error:
        status = error.response.status_code if error.response is not None else None
        reason = f"status {status}" if status else type(error).__name__
        raise DeliveryError(f"the receiver of {_URL} did not take events ({reason})") from None
    finally:
        client.close()
