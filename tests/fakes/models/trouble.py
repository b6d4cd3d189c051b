"""What goes wrong on purpose: scripted faults, and the limit of an account."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["status", "slow", "cut", "not_json", "truncated", "refusal", "wrong_schema", "malformed", "says"]


@dataclass
class Trouble:
    """A fault of the next requests.

    Args:
        kind: status: an error instead of an answer. slow: silence for ``seconds``. cut: the connection ends in the
            middle. not_json: 200 with a body that is no JSON. The others are answers of a model: cut short, refused,
            of another shape, text that is no JSON, or ``text``.
        status: The HTTP status of kind status.
        code: The provider's own word for it.
        headers: Headers of the error, such as Retry-After.
        seconds: How long kind slow is silent.
        times: How many requests it hits.
        skip: How many matching requests go well before.
        text: What a model says with kind says.
        match: Text that a request's body holds; all requests where it is empty.
    """

    kind: Kind
    status: int = 500
    code: str = "server_error"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 5.0
    times: int = 1
    skip: int = 0
    match: str = ""
    text: str = ""

    def hits(self, body: str) -> bool:
        """Whether it hits a request; counts."""
        if self.times <= 0 or self.match not in body:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Limit:
    """A token bucket for requests and one for tokens.

    Args:
        requests_per_minute: None is no limit.
        tokens_per_minute: None is no limit.
        burst_seconds: What an idle account may use at once, in seconds of its rate.
        says_when: Whether a refusal has Retry-After.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    burst_seconds: float = 1.0
    says_when: bool = True
    now: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._at = self.now()
        self._left: dict[str, float] = {}

    def refused(self, tokens: int) -> float | None:
        """Seconds until a request with so many tokens is taken; None where it is taken now."""
        with self._lock:
            now = self.now()
            gone, self._at = now - self._at, now
            wanted = {"requests": (self.requests_per_minute, 1.0), "tokens": (self.tokens_per_minute, float(tokens))}
            waits = [0.0]
            for name, (limit, amount) in wanted.items():
                if limit:
                    most = max(limit / 60 * self.burst_seconds, 1.0)
                    self._left[name] = min(self._left.get(name, most) + gone * limit / 60, most)
                    need = min(amount, most)  # one large request passes a full bucket, and leaves a debt
                    waits.append(max(0.0, (need - self._left[name]) / (limit / 60)))
            if max(waits) > 0:
                return max(waits)
            for name, (limit, amount) in wanted.items():
                if limit:
                    self._left[name] -= amount
            return None


def trouble_of(troubles: list[Trouble], lock: Any, body: str) -> Trouble | None:
    """The first fault that hits a request."""
    with lock:
        return next((trouble for trouble in troubles if trouble.hits(body)), None)
