"""How fast calls may follow each other, agreed between all threads and processes that use one account."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from .ledger import Ledger

SHARE = 0.9
"""The part of the provider's limit that is used: its clock and ours do not agree to the last call."""
BURST_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 120.0
_TIGHTER, _LOOSER, _FIRST_SPACING, _WIDEST_SPACING = 1.6, 0.97, 0.05, 5.0


@dataclass
class Governor:
    """A bucket for requests and one for tokens, and one pause for everybody when the provider says 429.

    Where the limit is not known, calls are not spaced until the first 429, and then as far as it takes.

    Args:
        ledger: Where the state is.
        account: What shares the limit.
        requests_per_minute: The provider's limit; None where it is not known.
        tokens_per_minute: The provider's limit; None where it is not known.
        now: Seconds since 1970.
        sleep: Waits for a number of seconds.
    """

    ledger: Ledger
    account: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    _COLUMNS: ClassVar[str] = "requests_at, tokens_at, paused_until, spacing, pauses"

    def wait(self, tokens: int) -> None:
        """Come back when a call with so many tokens may be sent."""
        while True:
            start, pauses = self._reserved(tokens)
            if (left := start - self.now()) > 0:
                self.sleep(left)
            if self._state()[4] == pauses:
                return
            # A pause came while we slept: every place in the queue before it is void, so nobody wakes together.

    def correct(self, tokens: int) -> None:
        """Give back tokens that were expected and not used (or take more, below zero)."""
        if not self.tokens_per_minute:
            return
        seconds = tokens / self._rate(self.tokens_per_minute)
        with self.ledger.writing() as db:
            db.execute("UPDATE limits SET tokens_at = tokens_at - ? WHERE account = ?", [seconds, self.account])

    def pause(self, retry_after: float | None, times: int) -> float:
        """Let nobody call for a while; the seconds.

        Args:
            retry_after: What the provider asked for.
            times: How often the same call was refused before, for providers that do not say.
        """
        seconds = retry_after if retry_after is not None else FIRST_PAUSE_SECONDS * 2**times
        seconds = min(max(seconds, 0.05), LONGEST_PAUSE_SECONDS)
        now = self.now()
        with self.ledger.writing() as db:
            _, _, paused, spacing, pauses = self._state()
            until = max(paused, now + seconds)
            if now >= paused:  # calls that were under way when the first one was refused tell nothing new
                spacing = min(max(spacing * _TIGHTER, _FIRST_SPACING), _WIDEST_SPACING)
            db.execute(
                "UPDATE limits SET requests_at = ?, tokens_at = ?, paused_until = ?, spacing = ?, pauses = ? "
                "WHERE account = ?",
                [until, until, until, spacing, pauses + 1, self.account],
            )
        return seconds

    def went_well(self) -> None:
        """Come a little closer again after an answer, where the limit is not known."""
        if self.requests_per_minute is None and self._state()[3]:
            with self.ledger.writing() as db:
                db.execute("UPDATE limits SET spacing = spacing * ? WHERE account = ?", [_LOOSER, self.account])

    def _reserved(self, tokens: int) -> tuple[float, int]:
        now = self.now()
        with self.ledger.writing() as db:
            db.execute("INSERT OR IGNORE INTO limits VALUES (?, 0, 0, 0, 0, 0)", [self.account])
            requests_at, tokens_at, paused, spacing, pauses = self._state()
            start = max(now, paused)
            apart = 1 / self._rate(self.requests_per_minute) if self.requests_per_minute else spacing
            start = max(start, requests_at - (BURST_SECONDS if self.requests_per_minute else 0.0))
            if self.tokens_per_minute:
                start = max(start, tokens_at - BURST_SECONDS)
                tokens_at = max(tokens_at, now) + tokens / self._rate(self.tokens_per_minute)
            db.execute(
                "UPDATE limits SET requests_at = ?, tokens_at = ? WHERE account = ?",
                [max(requests_at, now) + apart, tokens_at, self.account],
            )
        return start, pauses

    def _state(self) -> tuple[float, float, float, float, int]:
        found = self.ledger.rows(f"SELECT {self._COLUMNS} FROM limits WHERE account = ?", [self.account])  # noqa: S608 - own columns
        return found[0] if found else (0.0, 0.0, 0.0, 0.0, 0)

    @staticmethod
    def _rate(a_minute: int) -> float:
        return SHARE * a_minute / 60
