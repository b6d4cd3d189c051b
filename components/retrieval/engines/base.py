"""Where documents are prepared: here one after the other, or in batches on an engine."""

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..manifest import Entry
from ..preparing import Prepared, Work, prepared, unpacked
from ..sources.base import SourceDocument

Packed = tuple[str, bytes]


class EngineError(Exception):
    """An engine that is not installed, does not answer, or fails at its work; ``transient``: trying later may help."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


@dataclass(frozen=True)
class Task:
    """A document that is new or changed.

    Args:
        entry: What is known of it so far.
        known: What the books have of its version of before.
        found: As its source gave it.
        data: Its content.
    """

    entry: Entry
    known: Entry | None
    found: SourceDocument
    data: bytes

    @property
    def header(self) -> str:
        """What a worker has to know besides the content."""
        return json.dumps([self.found.kind, self.found.path, self.found.title])


class Preparer(ABC):
    """Takes documents, and gives them back read and cut, in any order and at the latest at the end."""

    @abstractmethod
    def give(self, task: Task) -> Iterator[tuple[Task, Prepared]]:
        """Take one; those that are ready."""

    @abstractmethod
    def rest(self) -> Iterator[tuple[Task, Prepared]]:
        """All that are still under way."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what the engine holds."""

    def metadata(self) -> dict[str, Any]:
        """What people should know about where the work was done."""
        return {}


class Here(Preparer):
    """This process."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def give(self, task: Task) -> Iterator[tuple[Task, Prepared]]:
        """Read and cut it now."""
        assert task.found.kind  # noqa: S101 - other files never get here
        yield task, prepared(task.data, task.found.kind, task.found.path, task.found.title, self._work)

    def rest(self) -> Iterator[tuple[Task, Prepared]]:
        """Nothing ever waits."""
        yield from ()


class Engine(ABC):
    """What runs batches of documents elsewhere."""

    name: str
    batch_documents: int
    """Documents of a batch."""
    most_batches: int
    """Batches under way at a time."""
    where: str
    """Where the work is done, for people."""

    @abstractmethod
    def submit(self, work: str, documents: Sequence[tuple[str, bytes]]) -> Callable[[], list[Packed]]:
        """Begin a batch; what is returned waits for its results, in the order of the documents."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the engine; one that was started here ends."""


class Elsewhere(Preparer):
    """Batches on an engine, which is opened by the first document that is new or changed.

    Args:
        opened: Opens the engine.
        work: What is done to every document.
        batch_bytes: A batch goes off when its documents are together so large; one that alone is larger is
            prepared here.
    """

    def __init__(self, opened: Callable[[], Engine], work: Work, batch_bytes: int = 8 << 20) -> None:
        self._open, self._work, self._batch_bytes = opened, work, batch_bytes
        self._told = json.dumps(asdict(work))
        self._here = Here(work)
        self._engine: Engine | None = None
        self._batch: list[Task] = []
        self._bytes = self._batches = self._documents = 0
        self._under_way: deque[tuple[list[Task], Callable[[], list[Packed]]]] = deque()

    def give(self, task: Task) -> Iterator[tuple[Task, Prepared]]:
        """Put it into the batch; a full one goes off, and the oldest is waited for where too many are under way."""
        if len(task.data) > self._batch_bytes:
            yield from self._here.give(task)
            return
        engine = self._opened()
        if self._bytes + len(task.data) > self._batch_bytes or len(self._batch) >= engine.batch_documents:
            yield from self._send(engine)
        self._batch.append(task)
        self._bytes += len(task.data)

    def rest(self) -> Iterator[tuple[Task, Prepared]]:
        """Send what waits, and wait for everything."""
        if self._batch:
            yield from self._send(self._opened())
        while self._under_way:
            yield from self._oldest()

    def close(self) -> None:
        """End the engine, if it was opened."""
        if self._engine:
            self._engine.close()

    def metadata(self) -> dict[str, Any]:
        """The engine, and how much it has done."""
        where = self._engine.where if self._engine else "not asked: nothing was new or changed"
        return {"engine": where, "engine_batches": self._batches, "engine_documents": self._documents}

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = self._open()
        return self._engine

    def _send(self, engine: Engine) -> Iterator[tuple[Task, Prepared]]:
        while len(self._under_way) >= engine.most_batches:
            yield from self._oldest()
        batch, self._batch, self._bytes = self._batch, [], 0
        self._under_way.append((batch, engine.submit(self._told, [(task.header, task.data) for task in batch])))
        self._batches += 1
        self._documents += len(batch)

    def _oldest(self) -> Iterator[tuple[Task, Prepared]]:
        batch, results = self._under_way.popleft()
        for task, result in zip(batch, results(), strict=True):
            yield task, unpacked(*result)
