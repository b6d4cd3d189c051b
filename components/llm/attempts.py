"""One call to a provider with everything around it: budget, limit, attempts, and its row in the ledger."""

import random
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

from ..governance.policy import Policy
from .errors import BudgetError, FailedError, LimitedError, ModelCallError, RefusedError, RejectedError
from .governor import Governor
from .ledger import Caller, Ledger, Spent
from .messages import Usage
from .prices import Prices
from .settings import ProviderSettings

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
LIMITED_TRIES = 12
T = TypeVar("T")


@dataclass(frozen=True)
class Ask:
    """One call to make.

    Args:
        kind: ``embed`` or ``complete``.
        input_tokens: The most it may have, as input.
        output_tokens: The most it may have, as output.
        send: Makes the call.
        tokens: Input and output tokens of what came.
        keep: Writes what came into the ledger.
    """

    kind: str
    input_tokens: int
    output_tokens: int
    send: Callable[[], Any]
    tokens: Callable[[Any], tuple[int, int]]
    keep: Callable[[sqlite3.Connection, Any], None]


@dataclass
class Attempts:
    """Makes calls for one asset in one run; used by many threads.

    Args:
        settings: The model and its limits.
        ledger: Knows what was spent.
        policy: Has the budgets.
        caller: Who pays.
        prices: What a call costs.
        log: Takes a line for people.
        sleep: Waits for a number of seconds.
    """

    settings: ProviderSettings
    ledger: Ledger
    policy: Policy
    caller: Caller
    prices: Prices
    log: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    under_way: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.governor = Governor(
            self.ledger,
            self.settings.account,
            self.settings.requests_per_minute,
            self.settings.tokens_per_minute,
            sleep=self.sleep,
        )

    def make(self, ask: Ask) -> tuple[Any, Usage]:
        """The provider's answer, and what it cost.

        Raises:
            BudgetError: it could pass a budget; nothing was sent.
            ModelCallError: the provider refuses every call, or its limit stays reached.
            FailedError: the provider failed at every attempt.
            RejectedError: the provider does not take this one.
        """
        failed = limited = 0
        while True:
            try:
                return self._once(ask)
            except LimitedError as error:
                limited += 1
                if limited >= LIMITED_TRIES:
                    raise ModelCallError(
                        f"{error}. Refused {limited} times; set requests_per_minute and tokens_per_minute to the "
                        "limits of the account, and run again: what was answered is kept",
                        transient=True,
                    ) from None
                seconds = self.governor.pause(error.retry_after, limited - 1)
                self.log(f"{error}. Every call to this account waits {seconds:.1f} seconds.")
            except FailedError as error:
                failed += 1
                if failed >= self.settings.tries:
                    raise
                seconds = min(FIRST_WAIT_SECONDS * 2**failed, LONGEST_WAIT_SECONDS) * (0.5 + random.random() / 2)  # noqa: S311 - no secret
                self.log(f"{error}. Attempt {failed + 1} of {self.settings.tries} in {seconds:.1f} seconds.")
                self.sleep(seconds)
            except RefusedError as error:
                raise ModelCallError(f"{error}. What was answered until now is kept and not paid again") from None

    def _once(self, ask: Ask) -> tuple[Any, Usage]:
        call = self._begun(ask.kind, self.prices.usd(ask.input_tokens, ask.output_tokens))
        expected = ask.input_tokens + ask.output_tokens
        try:
            if self.settings.provider != "local":
                self.governor.wait(expected)
            answer = ask.send()
            found = ask.tokens(answer)
            usage = Usage(1, 0, *found, self.prices.usd(*found))
            self.ledger.close_call(call, "paid", (*found, usage.usd), lambda db: ask.keep(db, answer))
        except BaseException as error:
            free = isinstance(error, LimitedError | RefusedError | RejectedError)
            free = free or (isinstance(error, FailedError) and not error.billed)
            self.ledger.close_call(call, "failed" if free else "unknown", (0, 0, 0.0))
            raise
        finally:
            self._ended()
        if self.settings.provider != "local":
            self.governor.correct(expected - sum(found))
            self.governor.went_well()
        return answer, usage

    def opened(self, kind: str, most: float) -> int:
        """The number of a call that another class makes, once it fits into the budgets; raises BudgetError."""
        call = self._begun(kind, most)
        self._ended()
        return call

    def _begun(self, kind: str, most: float) -> int:
        """The number of the call in the ledger, once it fits into the budgets.

        Where only what others of this run may still cost is in the way, it waits until that is known.
        """
        service = (self.settings.provider, self.settings.name, kind)
        while True:
            with self._lock:
                try:
                    call = self.ledger.open_call(
                        self.caller, service, most, lambda month, run: self._allowed(most, month, run)
                    )
                except _NotYetError as error:
                    if not self.under_way:
                        raise BudgetError(str(error)) from None
                else:
                    self.under_way += 1
                    return call
            self.sleep(0.02)

    def _ended(self) -> None:
        with self._lock:
            self.under_way -= 1

    def _allowed(self, most: float, month: Spent, run: Spent) -> None:
        if most == 0:
            return
        budget = self.policy.budgets.get(self.caller.owner)
        limits = [
            (budget.monthly_usd if budget else None, month, self._of_month(budget)),
            (self.settings.max_cost_usd, run, f"max_cost_usd of {self.caller.asset} for one run"),
        ]
        for limit, spent, name in limits:
            if limit is None or spent.usd + spent.open_usd + most <= limit:
                continue
            said = (
                f"{name} is {limit:,.2f} USD: {spent.usd:,.4f} are spent, {spent.open_usd:,.4f} more may be under way, "
                f"and the next call to {self.settings.title} may cost {most:,.4f}. It was not made; what was answered "
                "is kept"
            )
            raise _NotYetError(said) if spent.usd + most <= limit else BudgetError(said)

    def _of_month(self, budget: Any) -> str:
        month = datetime.now(UTC).strftime("%Y-%m")
        place = self.policy.place("budgets", self.caller.owner) if budget else ""
        return f"the budget of {self.caller.owner} in {month} ({place})"


class _NotYetError(Exception):
    """A budget would hold if calls under way cost less than the most they may."""
