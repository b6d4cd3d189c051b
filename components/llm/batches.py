"""Batches of one asset: handed in once whatever happens, collected once, and noted in the ledger."""

import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from .calls import ModelCalls
from .errors import FailedError, LimitedError, ModelCallError, RefusedError, RejectedError
from .messages import Answered, Completion, Usage
from .providers.batches import BatchProvider, batches_for
from .sizes import input_at_most

MOST_REQUESTS = 10_000
"""In one batch; OpenAI takes 50,000 and 200 MB."""


@dataclass(frozen=True)
class OpenBatch:
    """A batch that was not collected yet.

    Args:
        marker: Our own name of it.
        batch_id: The provider's; None where the process that handed it in did not live to note it.
        requests: How many it has.
        call: Number of its row in the ledger.
        at: When it was handed in, in seconds since 1970.
    """

    marker: str
    batch_id: str | None
    requests: int
    call: int
    at: float


@dataclass
class Batches:
    """The batches of one asset.

    Args:
        calls: The model, entered.
        asset: Asset key, as people write it.
    """

    calls: ModelCalls
    asset: str

    def __post_init__(self) -> None:
        self.provider: BatchProvider = batches_for(self.calls.settings, self.calls.provider.key)
        self.ledger = self.calls.ledger

    def open(self) -> list[OpenBatch]:
        """Batches that were not collected yet."""
        found = self.ledger.rows(
            "SELECT marker, batch_id, requests, call_id, at FROM batches WHERE asset = ? AND state = 'open' "
            "ORDER BY at",
            [self.asset],
        )
        return [OpenBatch(*row) for row in found]

    def ended(self) -> list[OpenBatch]:
        """Those that have ended."""
        with _told():
            return [batch for batch in self.open() if batch.batch_id and self._state(batch.batch_id) != "running"]

    def hand_in(self, requests: Iterable[Completion]) -> int:
        """Hand in what was neither answered nor handed in before; the number of requests.

        Raises:
            BudgetError: the batch could pass a budget; nothing was sent.
            ModelCallError: the provider refuses, or fails.
        """
        with _told():
            self._adopt()
            waiting = {key for (key,) in self.ledger.rows("SELECT key FROM batch_requests")}
            new = self._new(requests, waiting)
            count = 0
            while some := dict(islice(new, MOST_REQUESTS)):
                self._submit(some)
                count += len(some)
            return count

    def collect(self) -> Usage:
        """Put the answers of batches that have ended into the ledger, at half the price; what they cost.

        Raises:
            ModelCallError: the provider refuses, or fails.
        """
        usage = Usage()
        with _told():
            self._adopt()
            for batch in self.open():
                if batch.batch_id:
                    self._collect_one(batch, batch.batch_id, usage)
        self.calls.usage.add(usage)
        return usage

    def _new(self, requests: Iterable[Completion], waiting: set[bytes]) -> Iterator[tuple[bytes, Completion]]:
        for request in requests:
            asked, _ = self.calls.sent(request)
            key = self.calls.key_of(asked)
            if key not in waiting and self.ledger.answer(key) is None:
                waiting.add(key)
                yield key, asked

    def _submit(self, requests: dict[bytes, Completion]) -> None:
        """Note the batch, hand it in, and note its id: a kill between any two of these is made good by ``_adopt``."""
        marker = secrets.token_hex(8)
        prices = self.calls.prices
        most = sum(prices.usd(input_at_most(one), one.max_output_tokens, batch=True) for one in requests.values())
        call = self.calls.open_call("batch", most)
        named = {f"{marker}-{number}": key for number, key in enumerate(requests)}
        settings = self.calls.settings
        with self.ledger.writing() as db:
            db.execute(
                "INSERT INTO batches VALUES (?, ?, NULL, 'open', ?, ?, ?, ?, ?)",
                [marker, self.asset, settings.provider, settings.name, len(requests), call, time.time()],
            )
            db.executemany(
                "INSERT INTO batch_requests VALUES (?, ?, ?)", [(marker, name, key) for name, key in named.items()]
            )
        batch_id = self.provider.submit({name: requests[key] for name, key in named.items()}, marker)
        self._note(marker, batch_id)
        self.calls.log(f"batch {batch_id} with {len(requests):,} requests is handed in to {settings.title}")

    def _adopt(self) -> None:
        """Find batches that were handed in, or were about to be, by a process that died."""
        known = {one for (one,) in self.ledger.rows("SELECT batch_id FROM batches WHERE batch_id IS NOT NULL")}
        for batch in self.open():
            if batch.batch_id is None:
                found = self.provider.find(batch.marker, batch.requests, batch.at)
                if found and found not in known:
                    self._note(batch.marker, found)
                    self.calls.log(f"batch {found} was handed in by a process that died; it is not paid again")
                else:
                    self._close(batch, Usage(), {}, "failed")

    def _note(self, marker: str, batch_id: str) -> None:
        with self.ledger.writing() as db:
            db.execute("UPDATE batches SET batch_id = ? WHERE marker = ?", [batch_id, marker])

    def _collect_one(self, batch: OpenBatch, batch_id: str, usage: Usage) -> None:
        state = self._state(batch_id)
        if state == "running":
            return
        keys = dict(self.ledger.rows("SELECT id, key FROM batch_requests WHERE marker = ?", [batch.marker]))
        answers: dict[bytes, Answered] = {}
        cost = Usage()
        for name, answer in self.provider.results(batch_id) if state == "ended" else ():
            if name not in keys:
                self.calls.log(f"batch {batch_id}: {name} was never asked; the batch is another's")
                break
            if isinstance(answer, str):
                self.calls.log(f"batch {batch_id}: {name} has no answer ({answer}); it is asked again")
                continue
            answers[keys[name]] = answer
            tokens = (answer.input_tokens, answer.output_tokens)
            cost.add(Usage(1, 0, *tokens, self.calls.prices.usd(*tokens, batch=True)))
        self._close(batch, cost, answers, "paid" if answers else "failed")
        usage.add(cost)
        self.calls.log(f"batch {batch_id}: {len(answers):,} of {batch.requests:,} requests are answered")

    def _close(self, batch: OpenBatch, cost: Usage, answers: dict[bytes, Answered], state: str) -> None:
        """Note answers and cost, and that the batch is over, in one transaction."""

        def keep(db: sqlite3.Connection) -> None:
            for key, answer in answers.items():
                self.ledger.keep_answer(db, key, answer)
            db.execute("DELETE FROM batch_requests WHERE marker = ?", [batch.marker])
            db.execute("UPDATE batches SET state = 'closed' WHERE marker = ?", [batch.marker])

        paid = (cost.input_tokens, cost.output_tokens, cost.usd)
        self.ledger.close_call(batch.call, "paid" if state == "paid" else "failed", paid, keep)

    def _state(self, batch_id: str) -> str:
        found = self.provider.poll(batch_id)
        if found.state == "failed":
            self.calls.log(f"batch {batch_id} failed: {found.said}; its requests are asked again")
        return found.state


class _told:  # noqa: N801 - reads like a function where it is used
    """Turn a provider's error into a ModelCallError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LimitedError | FailedError):
            raise ModelCallError(str(error), transient=True) from None
        if isinstance(error, RefusedError | RejectedError):
            raise ModelCallError(str(error)) from None
