"""Sending a message to an address that only the environment knows."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Kind = Literal["failure", "warning", "success"]


class NotSentError(Exception):
    """A message did not reach its route; says why, and never the address."""


class AddressMissingError(NotSentError):
    """The environment variable of a route is not set."""


def send(url_env: str, title: str, body: str, kind: Kind = "failure") -> None:
    """Send a message with Apprise.

    Args:
        url_env: Name of the environment variable that holds the Apprise URL.
        title: One line.
        body: Plain text.
        kind: What it says; services show it by a colour or an icon.

    Raises:
        AddressMissingError: the variable is not set.
        NotSentError: it holds no Apprise URL, or the service did not take the message.
    """
    url = os.environ.get(url_env, "").strip()
    if not url:
        raise AddressMissingError(f"the environment variable {url_env} is not set; expected an Apprise URL (slack://…)")

    import apprise

    service = apprise.Apprise()
    with _apprise_messages() as messages:  # they may quote the address, which is a secret
        if not service.add(url):
            raise NotSentError(f"what {url_env} holds is no Apprise URL; expected one such as slack://… or mailto://…")
        try:
            sent = service.notify(
                body=body, title=title, notify_type=apprise.NotifyType(kind), body_format=apprise.NotifyFormat.TEXT
            )
        except Exception as error:
            raise NotSentError(f"Apprise failed with {type(error).__name__}") from None
    if not sent:
        status = re.search(r"error=(\d{3})", " ".join(messages))
        reason = f"answered with status {status.group(1)}" if status else "did not answer, or refused the message"
        raise NotSentError(f"the service behind {url_env} {reason}")


@contextmanager
def _apprise_messages() -> Iterator[list[str]]:
    """What Apprise logs meanwhile, kept from every log."""
    messages: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage())
        return False

    logger = logging.getLogger("apprise")
    logger.addFilter(keep)
    try:
        yield messages
    finally:
        logger.removeFilter(keep)
