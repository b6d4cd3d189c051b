"""Bringing a collection to the state of its sources: what changed is embedded and written, what is gone leaves."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .cutting import Chunk
from .documents.blocks import DocumentError
from .engines.base import Preparer, Task
from .manifest import Build, Entry, Manifest
from .preparing import Prepared
from .sources.base import SourceDocument, SourceError
from .stores.base import Record, VectorStore, pages, record_id
from .words import ChunkBooks

if TYPE_CHECKING:
    import numpy as np

Embed = Callable[[Sequence[str]], "np.ndarray"]
_SEEN_AT_ONCE = 500


@dataclass
class Report:
    """What a run did.

    Args:
        faults: Sources that could not be read, with the reason.
    """

    seen: int = 0
    unchanged: int = 0
    written: int = 0
    deleted: int = 0
    refused: int = 0
    other_files: int = 0
    chunks_written: int = 0
    chunks_deleted: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """What a document may be.

    Args:
        max_bytes: Greatest size; a greater one is not even read.
        leave_out_injection: Chunks that look like prompt injection stay out of the index.
        window: Chunks in memory at a time.
    """

    max_bytes: int
    leave_out_injection: bool = False
    window: int = 2048


@dataclass
class _Waiting:
    """A chunk that is still to be embedded and written; the last one of a document carries its entry."""

    record: Record
    embedded: str
    entry: Entry | None = None


class Indexer:
    """Works on one part of the documents of one collection.

    The order makes every interruption harmless: ids are noted, then written to the store, then the old ones deleted,
    then the document is noted as done. The next run repeats what was not noted as done; ids follow from the content, so
    that repeating changes nothing.
    """

    def __init__(
        self,
        store: VectorStore,
        manifest: Manifest,
        build: Build,
        *,
        embed: Embed,
        preparer: Preparer,
        limits: Limits,
        part: str = "",
        in_part: Callable[[str], bool] = lambda document: True,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._store, self._manifest, self._build = store, manifest, build
        self._books = ChunkBooks(manifest, build)
        self._embed, self._preparer, self._limits = embed, preparer, limits
        self._part, self._in_part, self._log = part, in_part, log
        self._run = manifest.new_run()
        self._waiting: list[_Waiting] = []
        self._seen: list[str] = []
        self._created = False
        self.report = Report()

    def index(self, sources: Sequence[tuple[str, Callable[[], Iterator[SourceDocument]]]]) -> Report:
        """Go through all sources, each with its name; one that fails keeps its documents and the others go on."""
        for name, documents in sources:
            given = 0
            try:
                for document in documents():
                    given += 1
                    self._take(name, document)
                if not given:
                    raise SourceError(f"source {name}: gave no document")
            except SourceError as error:
                self._take_rest()
                self._flush()
                kept = self._manifest.seen_source(self._build, name, self._part, self._run)
                self.report.faults.append(
                    f"{error}; {kept} documents of before stay in the index" if kept else str(error)
                )
                self._log(self.report.faults[-1])
        self._take_rest()
        self._flush()
        self._remove_gone()
        if self.report.chunks_written or self.report.chunks_deleted:
            self._store.finish(self._build.collection)
        return self.report

    def _take(self, source: str, found: SourceDocument) -> None:
        name = f"{source}/{found.path}"
        if not self._in_part(name):
            return
        if found.kind is None:
            self.report.other_files += 1
            return
        self.report.seen += 1
        known = self._manifest.entry(self._build, name)
        # Citations show title and address, so that they count as content.
        version = found.version and record_id(found.version, found.kind, found.title, found.url)
        if known and version and known.version == version:
            self._keep(known)
            return
        entry = Entry(name, self._part, source, version, "", bytes=found.size or 0, title=found.title)
        try:
            if (found.size or 0) > self._limits.max_bytes:
                raise DocumentError(
                    f"is {(found.size or 0) / 1e6:,.1f} MB; max_file_mb is {self._limits.max_bytes / 1e6:g}"
                )
            data = _content(found)
            digest = hashlib.sha256(b"\x00".join([data, found.title.encode(), found.url.encode()])).hexdigest()
            entry = replace(entry, version=version or digest, hash=digest, bytes=len(data))
            if known and known.hash == digest:
                if known.version != entry.version:
                    known = replace(known, version=entry.version)
                    with self._manifest.transaction():
                        self._manifest.put(self._build, [known], self._run)
                self._keep(known)
                return
        except DocumentError as error:
            self._refuse(replace(entry, fault=str(error)), known)
            return
        for task, made in self._preparer.give(Task(entry, known, found, data)):
            self._take_prepared(task, made)

    def _take_rest(self) -> None:
        for task, made in self._preparer.rest():
            self._take_prepared(task, made)

    def _take_prepared(self, task: Task, made: Prepared) -> None:
        """A document that was read and cut, or could not be."""
        kept = [at for at, flags in enumerate(made.flags) if not (flags and self._limits.leave_out_injection)]
        if not kept:
            fault = made.fault or "has only text that looks like prompt injection"
            self._refuse(replace(task.entry, fault=fault), task.known)
            return
        flagged, notes = sum(map(bool, made.flags)), "; ".join(made.notes)
        entry = replace(task.entry, title=made.title, chunks=len(kept), flagged=flagged, notes=notes)
        for ordinal, at in enumerate(kept):
            record = self._record(entry, task.found, made.chunks[at], ordinal, made.flags[at])
            if made.vectors is not None:
                record = replace(record, vector=made.vectors[at])
            ends = entry if ordinal == len(kept) - 1 else None
            self._waiting.append(_Waiting(record, made.chunks[at].embedded(entry.title), ends))
            if len(self._waiting) >= self._limits.window:
                self._flush()

    def _keep(self, known: Entry) -> None:
        self.report.unchanged += 1
        self.report.refused += bool(known.fault)
        self._seen.append(known.document)
        if len(self._seen) >= _SEEN_AT_ONCE:
            self._note_seen()

    def _note_seen(self) -> None:
        self._manifest.seen(self._build, self._seen, self._run)
        self._seen.clear()

    def _refuse(self, entry: Entry, known: Entry | None) -> None:
        """Note why a document is not in the index; what an earlier version of it had there goes."""
        self.report.refused += 1
        if known == entry:
            self._seen.append(entry.document)
            return
        self._log(f"{entry.document} {entry.fault}")
        self._commit([], [entry])

    def _record(self, entry: Entry, found: SourceDocument, chunk: Chunk, ordinal: int, flags: str) -> Record:
        return Record(
            id=record_id(entry.document, entry.hash, ordinal),
            vector=None,  # type: ignore[arg-type]  # follows when the window is full, or from an engine
            document=entry.document,
            text=chunk.text,
            source=entry.source,
            version=entry.hash,
            title=entry.title,
            heading=chunk.heading,
            url=found.url,
            kind=found.kind or "",
            flags=flags,
            ordinal=ordinal,
            chunks=entry.chunks,
            start=chunk.start,
            end=chunk.end,
        )

    def _flush(self) -> None:
        """Embed and write what waits."""
        if self._seen:
            self._note_seen()
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        vectors = _usable(self._vectors(waiting))
        if not self._created:
            self._created = True
            self._store.create(self._build.collection, vectors.shape[1])
            self._manifest.set_dimension(self._build, vectors.shape[1])
        self._books.intend([(item.record.id, item.record.document, self._part) for item in waiting], self._run)
        records = [replace(item.record, vector=vector) for item, vector in zip(waiting, vectors, strict=True)]
        for page in pages(records, self._store.batch):
            self._store.upsert(self._build.collection, page)
        self.report.chunks_written += len(records)
        self._commit(
            [(item.record.id, item.embedded) for item in waiting], [item.entry for item in waiting if item.entry]
        )

    def _vectors(self, waiting: Sequence[_Waiting]) -> Any:
        """Those that an engine made; else those of the model, which is called now."""
        import numpy as np

        missing = [item.embedded for item in waiting if item.record.vector is None]
        made = iter(self._embed(missing)) if missing else iter(())
        return np.stack([next(made) if item.record.vector is None else item.record.vector for item in waiting])

    def _commit(self, texts: list[tuple[str, str]], entries: list[Entry]) -> None:
        """Take old chunks of finished documents away, then note all of it."""
        stale = [name for entry in entries for name in self._books.stale(entry.document, self._run)]
        self._delete(stale)
        with self._manifest.transaction():
            self._books.written(texts)
            self._books.remove(stale)
            self._manifest.put(self._build, entries, self._run)
        self.report.written += sum(not entry.fault for entry in entries)

    def _delete(self, ids: list[str]) -> None:
        for page in pages(ids, self._store.batch):
            self._store.delete(self._build.collection, page)
        self.report.chunks_deleted += len(ids)

    def _remove_gone(self) -> None:
        while gone := self._manifest.gone(self._build, self._part, self._run):
            ids = [name for document in gone for name in self._books.stale(document, self._run)]
            self._delete(ids)
            with self._manifest.transaction() as db:
                self._books.remove(ids)
                db.executemany(
                    "DELETE FROM documents WHERE build = ? AND document = ?",
                    [(self._build.number, document) for document in gone],
                )
            self.report.deleted += len(gone)
        if left := self._books.unfinished(self._part, self._run):
            self._delete(left)
            with self._manifest.transaction():
                self._books.remove(left)


def _content(found: SourceDocument) -> bytes:
    try:
        return found.read()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from None


def _usable(vectors: Any) -> Any:
    """The vectors, where a text without any feature gets a direction of its own: stores refuse zeros."""
    empty = ~vectors.any(axis=1)
    if empty.any():
        vectors = vectors.copy()
        vectors[empty, 0] = 1
    return vectors
