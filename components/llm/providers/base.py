"""What every provider can do, and how its errors are told."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any, ClassVar

from ..errors import FailedError, LimitedError, RefusedError, RejectedError
from ..messages import Answered, Completion, Embedded
from ..settings import ProviderSettings

STREAM_FROM_TOKENS = 4096
"""Longer answers are streamed: no proxy cuts a silent connection, and an answer that stops half-way is noticed."""
_EXHAUSTED = ("insufficient_quota", "credit balance", "billing_hard_limit")
_TRANSIENT = {408, 409, 423, 425, 500, 502, 503, 504, 520, 522, 524, 529}
_REFUSED = {401: "refuses the key", 403: "does not allow this", 404: "does not know this model or address"}


class ModelProvider(ABC):
    """One model of one provider.

    A call is made once: attempts, limits and budgets are the caller's. It raises LimitedError, FailedError,
    RejectedError or RefusedError, and nothing else.

    Args:
        settings: The model.
        key: Value of its secret; None where it needs none.
    """

    package: ClassVar[str] = ""
    """The package of the SDK, in the words of a package index."""
    most_texts: int = 2048
    """Most texts that one call to embed takes."""

    def __init__(self, settings: ProviderSettings, key: str | None) -> None:
        self.settings = settings
        self.key = key

    @abstractmethod
    def complete(self, request: Completion) -> Answered:
        """Answer one request."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts; one vector each, in order."""
        raise RefusedError(
            f"{self.settings.provider} has no embeddings; choose openai, gemini, bedrock, openai_compatible or local"
        )

    def sdk(self, module: str) -> Any:
        """The SDK's module; raises RefusedError where it is not installed."""
        try:
            return import_module(module)
        except ImportError:
            raise RefusedError(
                f"provider {self.settings.provider} needs the package {self.package}; add it to the project"
            ) from None


def told(settings: ProviderSettings, status: int, message: str, headers: Any = None) -> Exception:
    """The error that an HTTP status means.

    Args:
        settings: The model.
        status: HTTP status.
        message: What the provider says about it.
        headers: Those of the answer, for Retry-After.
    """
    said = f"{settings.title} answered {status}: {' '.join(message.split())[:300]}"
    if any(word in message for word in _EXHAUSTED):
        return RefusedError(f"{said}. The account is out of credit; nothing more is sent")
    if status == 429:
        return LimitedError(said, retry_after(headers or {}))
    if status in _TRANSIENT or status >= 500:
        return FailedError(said)
    if status in _REFUSED:
        hint = f" (secret {settings.secret})" if settings.secret and status != 404 else ""
        return RefusedError(f"{settings.title} {_REFUSED[status]}{hint}: {' '.join(message.split())[:300]}")
    return RejectedError(said)


def retry_after(headers: Any) -> float | None:
    """The seconds that an answer asks to wait; None where it does not say."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds and milliseconds.replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    value = str(headers.get("retry-after") or "").strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def broken_off(settings: ProviderSettings, error: Exception) -> FailedError:
    """The error that a connection which failed, timed out or was cut means; the call may be billed."""
    return FailedError(f"{settings.title}: no whole answer ({type(error).__name__}: {error})", billed=True)


def not_json(settings: ProviderSettings, error: Exception) -> FailedError:
    """The error that an answer which is no JSON means; the call may be billed."""
    return FailedError(f"{settings.title}: the answer is not the JSON of its API ({error})", billed=True)


def counted(settings: ProviderSettings, vectors: Sequence[Any], texts: Sequence[str]) -> None:
    """Raise FailedError where a provider sent another number of vectors than texts."""
    if len(vectors) != len(texts):
        raise FailedError(f"{settings.title}: {len(vectors)} vectors for {len(texts)} texts", billed=True)
