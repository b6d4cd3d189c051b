"""Calls to a model for one asset in one run: redacted, cached, limited, budgeted, and noted in the ledger."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import dagster as dg

from ..governance.policy import Policy
from ..secrets import SecretError, read_secret
from .attempts import Ask, Attempts
from .errors import FailedError, ModelCallError, RefusedError, RejectedError
from .ledger import LEDGER_FILE, Caller, Ledger
from .messages import Answered, Completion, Embedded, Reply, Usage
from .pii import Redacted, redact
from .prices import Prices
from .providers import provider_for
from .providers.base import ModelProvider
from .settings import ProviderSettings
from .sizes import input_at_most, tokens_at_most
from .structured import fault_of, repair
from .threads import in_threads

if TYPE_CHECKING:
    import numpy as np

    from .traces import Tracer

MOST_TOKENS_A_CALL = 200_000
"""Of texts to embed; OpenAI takes 300,000."""
_FAULTS_IN_A_ROW = 5


class ModelCalls:
    """The calls of one asset in one run; a context manager that any number of threads may use.

    Limits, budgets and what was answered are shared with every other process through ``data/model_calls.db``.

    Args:
        provider: The model and its limits.
        project_root: Folder of the ledger and of policy.yaml.
        policy: Has the budgets, and says where secrets are.
        asset: Asset key, as people write it.
        owner: Who pays; a key of the policy's budgets.
        run_id: The Dagster run.
        log: Takes a line for people.
    """

    def __init__(
        self,
        provider: ProviderSettings,
        *,
        project_root: Path,
        policy: Policy,
        asset: str,
        owner: str,
        run_id: str,
        log: Callable[[str], None],
    ) -> None:
        self.settings = provider
        self.usage = Usage()
        self.redacted: Counter[str] = Counter()
        self._counting = Lock()
        self.log = log
        self._policy = policy
        self._caller = Caller(asset, owner, run_id)
        self._file = Path(project_root) / LEDGER_FILE
        self._root = Path(project_root)

    def __enter__(self) -> Self:
        """Open the ledger; nothing is sent.

        Raises:
            ModelCallError: the secret, the SDK or the price is missing, or the ledger cannot be used.
        """
        self.prices = Prices(self.settings)
        self.provider: ModelProvider = self._provider()
        self.ledger = Ledger(self._file)
        self._attempts = Attempts(self.settings, self.ledger, self._policy, self._caller, self.prices, self.log)
        self._tracer = self._opened_tracer() if self.settings.trace else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ledger.close()
        if self._tracer:
            self._tracer.flush()

    def _opened_tracer(self) -> "Tracer":
        from .traces import Tracer

        return Tracer(self.settings, self._caller, self._root)

    def _provider(self) -> ModelProvider:
        key = None
        needs_key = self.settings.secret and (self.settings.api_key or self.settings.provider != "openai_compatible")
        try:
            if self.settings.secret and needs_key:
                key = read_secret(self._policy.secrets, self.settings.secret)
            return provider_for(self.settings, key)
        except SecretError as error:
            raise ModelCallError(f"{self.settings.title}: {error}") from None
        except RefusedError as error:
            raise ModelCallError(str(error)) from None

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """Embeddings as float32, a row of length 1 for each text (zeros for a text without any feature).

        Texts that this model embedded before are not sent again. What is answered is kept at once, so that a call
        that fails or a process that dies loses no more than the calls under way.

        Raises:
            ModelCallError: calls cannot go on: the key, a budget, the limit, or the provider fails again and again.
        """
        import numpy as np

        sent = [self._redacted(text).text for text in texts]
        if self.settings.provider == "local" and self.settings.name == "lexical":
            return self._embedded_here(sent)  # faster than any cache
        keys = [self._key("embed", text) for text in sent]
        known = self.ledger.vectors(list(dict.fromkeys(keys)))
        missing = {key: text for key, text in zip(keys, sent, strict=True) if key not in known}
        self.usage.cached += len(keys) - len(missing)
        for vectors, usage in in_threads(self._embed_batch, self._batches(missing), self.settings.concurrency):
            known |= vectors
            self.usage.add(usage)
        if not keys:
            return np.zeros((0, self.settings.dimensions or 0), dtype=np.float32)
        return np.stack([np.frombuffer(known[key], dtype=np.float32) for key in keys])

    def complete(self, requests: Iterable[Completion]) -> Iterator[Reply]:
        """Replies as they come, in any order; each carries the id of its request.

        A request that the model refuses, that is answered in the wrong shape (also once more, told what was wrong), or
        that the provider does not take, comes back with a ``fault``; the others go on. The same request is paid once,
        whatever came of it.

        Raises:
            ModelCallError: calls cannot go on, told after every reply that is there. Run again, and what was answered
                is not asked again.
        """
        unlucky = 0
        for reply, failed in in_threads(self._reply, requests, self.settings.concurrency):
            self.usage.add(reply.usage)
            yield reply
            unlucky = unlucky + 1 if failed else 0
            if unlucky >= _FAULTS_IN_A_ROW:
                raise ModelCallError(f"{unlucky} requests in a row failed; the last: {reply.fault}", transient=True)

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """What the calls have cost, for the materialisation; ``cost_usd`` counts against the owner's budget."""
        found: dict[str, dg.MetadataValue] = {
            "cost_usd": dg.MetadataValue.float(round(self.usage.usd, 6)),
            "provider": dg.MetadataValue.text(self.settings.title),
            "calls": dg.MetadataValue.int(self.usage.calls),
            "answered_before": dg.MetadataValue.int(self.usage.cached),
            "input_tokens": dg.MetadataValue.int(self.usage.input_tokens),
            "output_tokens": dg.MetadataValue.int(self.usage.output_tokens),
            "prices": dg.MetadataValue.text(Prices(self.settings).source),
        }
        if self.settings.redacted_kinds:
            found["redacted"] = dg.MetadataValue.json(dict(self.redacted))
        return found

    def _redacted(self, text: str) -> Redacted:
        found = redact(text, self.settings.redacted_kinds)
        with self._counting:
            self.redacted.update(found.counts)
        return found

    def _key(self, kind: str, *parts: Any) -> bytes:
        """What makes two calls the same: the model that answers, and everything it is given."""
        model = [self.settings.provider, self.settings.base_url, self.settings.name, self.settings.dimensions]
        return hashlib.sha256(json.dumps([kind, model, parts], sort_keys=True).encode()).digest()

    def _embedded_here(self, texts: list[str]) -> "np.ndarray":
        import numpy as np

        vectors: np.ndarray = self.provider.embed(texts).vectors
        self.usage.calls += 1 if texts else 0
        return vectors

    def _batches(self, missing: dict[bytes, str]) -> Iterator[list[tuple[bytes, str]]]:
        """The texts in calls of a size that providers take."""
        batch: list[tuple[bytes, str]] = []
        tokens, most = 0, min(self.settings.batch_size, self.provider.most_texts)
        for key, text in missing.items():
            size = tokens_at_most(text)
            if batch and (len(batch) >= most or tokens + size > MOST_TOKENS_A_CALL):
                yield batch
                batch, tokens = [], 0
            batch.append((key, text))
            tokens += size
        if batch:
            yield batch

    def _embed_batch(self, batch: list[tuple[bytes, str]]) -> tuple[dict[bytes, bytes], Usage]:
        texts = [text for _, text in batch]

        def packed(answer: Embedded) -> dict[bytes, bytes]:
            return dict(zip([key for key, _ in batch], _unit_rows(answer.vectors), strict=True))

        ask = Ask(
            "embed",
            sum(map(tokens_at_most, texts)),
            0,
            lambda: self.provider.embed(texts),
            lambda answer: (answer.input_tokens, 0),
            lambda db, answer: self.ledger.keep_vectors(db, packed(answer)),
        )
        try:
            started = time.time_ns()
            answer, usage = self._attempts.make(ask)
        except (FailedError, RejectedError) as error:
            raise ModelCallError(str(error), transient=isinstance(error, FailedError)) from None
        if self._tracer:
            self._tracer.note("embed", {"texts": texts}, {"vectors": len(texts)}, usage, started)
        return packed(answer), usage

    def sent(self, request: Completion, *, counted: bool = True) -> tuple[Completion, Redacted]:
        """The request as it leaves, and what was taken out of it, which the metadata count."""
        hidden = self._redacted(request.prompt) if counted else redact(request.prompt, self.settings.redacted_kinds)
        asked = Completion(request.id, hidden.text, request.system, request.schema, request.max_output_tokens)
        return asked, hidden

    def open_call(self, kind: str, most_usd: float) -> int:
        """Note a call that another class makes; its number in the ledger.

        Args:
            kind: Kind of the call.
            most_usd: The most it may cost.

        Raises:
            BudgetError: it could pass a budget.
        """
        return self._attempts.opened(kind, most_usd)

    def key_of(self, asked: Completion) -> bytes:
        """The key of a request as it leaves; equal requests have equal ones."""
        return self._key("complete", asked.system, asked.prompt, asked.schema, asked.max_output_tokens)

    def _reply(self, request: Completion) -> tuple[Reply, bool]:
        """The reply, and whether the provider failed at it."""
        asked, hidden = self.sent(request)
        usage = Usage()
        try:
            answer = self._answered(asked, usage)
            data, fault = fault_of(asked, answer)
            if fault and asked.schema is not None and answer.stop != "refusal":
                again = repair(asked, answer, fault)
                answer = self._answered(again, usage)
                data, fault = fault_of(again, answer)
        except (FailedError, RejectedError) as error:
            return Reply(request.id, "", None, str(error), usage, isinstance(error, FailedError)), True
        text = answer.text
        if self.settings.restore_redacted and hidden.originals:
            text = hidden.restored(text)
            data = hidden.restored_data(data)
        return Reply(request.id, text, data, fault, usage), False

    def _answered(self, request: Completion, usage: Usage) -> Answered:
        """The provider's answer, from the ledger where it was asked the same before."""
        key = self.key_of(request)
        if known := self.ledger.answer(key):
            usage.cached += 1
            return known
        ask = Ask(
            "complete",
            input_at_most(request),
            request.max_output_tokens,
            lambda: self.provider.complete(request),
            lambda answer: (answer.input_tokens, answer.output_tokens),
            lambda db, answer: self.ledger.keep_answer(db, key, answer),
        )
        answer: Answered
        started = time.time_ns()
        answer, paid = self._attempts.make(ask)
        usage.add(paid)
        if self._tracer:
            inputs = {"system": request.system, "prompt": request.prompt, "schema": request.schema}
            self._tracer.note("complete", inputs, {"text": answer.text, "stop": answer.stop}, paid, started)
        return answer


def _unit_rows(vectors: Any) -> list[bytes]:
    """Each row scaled to length 1, as bytes of float32."""
    import numpy as np

    rows = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return [row.tobytes() for row in rows / np.where(norms == 0, 1, norms)]
