"""One run of an enrichment: which rows are new, what the model says about them, and where that goes."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..ml.rows import Rows
from .calls import ModelCalls
from .enrichment_rows import Asked
from .enrichment_store import ANSWER, HASH, REASON, Change, Store
from .errors import ModelCallError
from .messages import Completion, Reply
from .output import OutputColumn

READ_ROWS = 5_000
_SHOWN_ANSWER = 1_000


class RowError(ValueError):
    """Rows of the source that cannot be told apart."""


@dataclass
class EnrichmentRun:
    """What a run of an enrichment works with.

    Args:
        rows: The source.
        store: Where the answers go.
        asked: What every row is asked.
        columns: Columns that the model sees.
        keep: Columns that the table keeps beside the answers.
        output: Columns that the model fills.
        log: Takes a line for people.
    """

    rows: Rows
    store: Store
    asked: Asked
    columns: list[str]
    keep: list[str]
    output: dict[str, OutputColumn]
    log: Callable[[str], None]
    unchanged: int = 0
    pending: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def changed_rows(self, change: Change) -> Iterator[dict[str, Any]]:
        """Rows that were never answered as they are now, with their hash; notes every key.

        Raises:
            RowError: a key is empty, or there twice.
        """
        known = self.store.known()
        key, seen = self.store.key, set()
        for frame in self.rows.chunks(list(dict.fromkeys([key, *self.keep, *self.columns])), READ_ROWS):
            for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
                row = {name: _plain(value) for name, value in row.items()}
                if row[key] is None or row[key] in seen:
                    problem = "is empty in a row" if row[key] is None else f"{row[key]!r} is in two rows"
                    raise RowError(f"{self.rows.origin}: the key {key} {problem}; each row needs its own")
                seen.add(row[key])
                change.keys.append(row[key])
                row[HASH] = self.asked.hash_of({name: row[name] for name in self.columns})
                if known.get(row[key]) == row[HASH]:
                    self.unchanged += 1
                else:
                    yield row

    def work(self, calls: ModelCalls, *, only_answered: bool = False) -> ModelCallError | None:
        """Ask for every changed row and write what came; the error that ended it early, after the writing.

        Args:
            calls: The model.
            only_answered: Leave rows alone that were not answered yet, as those of a batch.
        """
        change, failed = Change(), None
        changed = {str(row[self.store.key]): row for row in self.changed_rows(change)}
        try:
            for reply in calls.complete(self._requests(changed, calls, only_answered)):
                self._sort(changed[reply.id], reply, change)
        except ModelCallError as error:
            failed = error
        self.pending = len(changed) - len(change.good) - len(change.bad)
        self.write(change, is_complete=failed is None)
        return failed

    def requests(self, change: Change) -> list[Completion]:
        """The requests for every changed row."""
        key = self.store.key
        return [self.asked.request(str(row[key]), self._seen(row)) for row in self.changed_rows(change)]

    def _requests(
        self, changed: dict[str, dict[str, Any]], calls: ModelCalls, only_answered: bool
    ) -> Iterator[Completion]:
        for key, row in changed.items():
            request = self.asked.request(key, self._seen(row))
            if not only_answered or calls.ledger.answer(calls.key_of(calls.sent(request, counted=False)[0])):
                yield request

    def write(self, change: Change, *, is_complete: bool) -> None:
        """Write what was found out.

        Where a run ended early and the table has other columns than it should, nothing is written: its rows would be
        lost. The answers are in the ledger all the same.
        """
        is_whole = self.store.is_whole()
        nothing_new = not change.good and not change.bad
        if is_whole and nothing_new and len(self.store.known()) == len(change.keys):
            return
        if is_complete or not self.store.is_outdated():
            self.store.apply(change)

    def _seen(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: row[name] for name in self.columns}

    def _sort(self, row: dict[str, Any], reply: Reply, change: Change) -> None:
        """Put a row where its reply belongs; one that the provider failed at stays as it was, for the next run."""
        marks = {
            "enriched_by": self.asked.model,
            "prompt_version": self.asked.prompt.version,
            HASH: row[HASH],
        }
        key = {self.store.key: row[self.store.key]}
        if reply.retry:
            self.log(f"{self.store.key} {row[self.store.key]} is left for the next run: {reply.fault}")
        elif reply.fault is None:
            values = {name: column.stored(reply.data[name]) for name, column in self.output.items()}  # type: ignore[index]  # it fits the schema
            change.good.append(key | {name: row[name] for name in self.keep} | values | marks)
        else:
            self.reasons[reply.fault.split(":")[0]] += 1
            change.bad.append(key | {REASON: reply.fault, ANSWER: reply.text[:_SHOWN_ANSWER]} | marks)
            self.log(f"{self.store.key} {row[self.store.key]} is set aside: {reply.fault}")


def _plain(value: Any) -> Any:
    """The value without NumPy's and pandas' own types."""
    return value.item() if hasattr(value, "item") else value
