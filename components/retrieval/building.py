"""The life of an index's collections: built beside the live one, made live when whole, collected when old."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .chunking import Chunking
from .cutting import embedded
from .engines.base import Here, Preparer
from .indexing import Embed, Indexer, Limits, Report
from .manifest import ADOPTING, Build, Entry, Manifest
from .names import INDEXES, fingerprint, is_collection_of, manifest_file
from .pointer import Pointer, read_pointer, write_pointer
from .preparing import Work
from .sources.base import SourceDocument
from .stores.base import CollectionMissingError, Record, VectorStore, pages
from .stores.opening import FolderLock
from .words import ChunkBooks

# Changes when documents are read or cut otherwise by a new version of this library.
READING = 1
_LOCK_SECONDS = 3600.0
_ADOPTED_AT_ONCE = 500

Sources = Sequence[tuple[str, Callable[[], Iterator[SourceDocument]]]]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is in a collection besides the documents.

    Args:
        embedding: What names the model: provider, name, dimensions, address.
        settings: What a reader needs to embed a question likewise.
    """

    embedding: dict[str, Any]
    settings: dict[str, Any]
    chunking: Chunking
    limits: Limits
    rules: list[Any] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Eight digits that change with any of it."""
        return fingerprint(
            READING, self.embedding, self.chunking.model_dump(), self.limits.leave_out_injection, self.rules
        )


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    build: Build
    report: Report
    totals: dict[str, int]
    live: bool
    swapped: bool
    collected: list[str]
    refused: list[Entry]
    flagged: list[Entry]


def bring_up_to_date(
    store: VectorStore,
    project_root: Path,
    name: str,
    sources: Sources,
    recipe: Recipe,
    embed: Embed,
    *,
    part: str = "",
    parts: Sequence[str] = ("",),
    preparer: Preparer | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Index the documents of one part, and make the collection live once all parts are in.

    Args:
        part: The part of this run; one of ``parts``.
        parts: Names of all parts; each document belongs to one of them by the hash of its name.
        preparer: Where documents are read and cut; in this process by default.

    Raises:
        StoreError: the store refuses, or another run has this part for more than an hour.
    """
    file = manifest_file(project_root, name)
    with _one_run(project_root / INDEXES / f"{name}{part and '-' + part}"), _opened(file) as manifest:
        # Parts that run at the same time shall find one collection, not make one each.
        with _one_run(project_root / INDEXES / f"{name}-build"):
            build = _build_for(store, manifest, name, recipe.fingerprint, parts)
        indexer = Indexer(
            store,
            manifest,
            build,
            embed=embed,
            preparer=preparer or Here(Work(recipe.chunking.size, recipe.chunking.overlap)),
            limits=recipe.limits,
            part=part,
            in_part=lambda document: part_of(document, parts) == part,
            log=log,
        )
        report = indexer.index(sources)
        whole = set(parts) <= manifest.complete_part(build, part)
        build = next(item for item in manifest.builds() if item.number == build.number)
        before = read_pointer(store, name)
        live = whole and bool(build.dimension)
        if live:
            _make_live(store, manifest, name, build, recipe, before)
        swapped = live and (before is None or before.collection != build.collection)
        # Readers that found the old collection a moment ago may go on with it until the next run.
        spared = {build.collection, before.collection} if before and swapped else {build.collection}
        return Outcome(
            build,
            report,
            manifest.totals(build),
            live,
            swapped,
            _collect(store, manifest, name, spared) if live else [],
            _first(manifest.entries(build, "fault <> ''")),
            _first(manifest.entries(build, "flagged > 0")),
        )


def part_of(document: str, parts: Sequence[str]) -> str:
    """The part that a document belongs to."""
    return parts[int.from_bytes(hashlib.sha256(document.encode()).digest()[:8], "big") % len(parts)]


def _build_for(store: VectorStore, manifest: Manifest, name: str, wanted: str, parts: Sequence[str]) -> Build:
    """The collection to work on: one that was begun by the same recipe, or a new one."""
    for build in manifest.builds():
        if build.fingerprint != wanted or build.state == "old":
            continue
        if build.state != ADOPTING and _is_there(store, build):
            return build
        manifest.forget(build)
    pointer = read_pointer(store, name)
    if pointer and pointer.fingerprint == wanted:
        # The books were lost, as on a machine without a disk of its own: they are written again from the store.
        try:
            return _adopted(store, manifest, pointer, parts)
        except CollectionMissingError:
            manifest.forget(next(build for build in manifest.builds() if build.collection == pointer.collection))
    return manifest.add_build(f"{name}_{wanted}_{secrets.token_hex(2)}", wanted)


def _is_there(store: VectorStore, build: Build) -> bool:
    if not build.dimension or store.eventually:
        return True
    try:
        store.count(build.collection)
    except CollectionMissingError:
        return False
    return True


def _adopted(store: VectorStore, manifest: Manifest, pointer: Pointer, parts: Sequence[str]) -> Build:
    """Books that follow from what is in the store; until they are whole nobody works with them."""
    build = manifest.add_build(pointer.collection, pointer.fingerprint, ADOPTING, pointer.dimension)
    books = ChunkBooks(manifest, build)
    for page in pages(store.scan(pointer.collection), _ADOPTED_AT_ONCE):
        entries = {record.document: _entry(record, part_of(record.document, parts)) for record in page}
        books.intend([(record.id, record.document, entries[record.document].part) for record in page], 0)
        with manifest.transaction():
            books.written([(record.id, embedded(record.text, record.heading, record.title)) for record in page])
            manifest.put(build, entries.values(), 0)
    with manifest.transaction() as db:
        # A document that was being replaced has chunks of two versions: it is read again.
        db.execute(
            "UPDATE documents SET version = '', hash = '' WHERE build = ? AND chunks <> (SELECT count(*) FROM chunks "
            "WHERE chunks.build = documents.build AND chunks.document = documents.document)",
            (build.number,),
        )
        manifest.set_state(build, "building")
    return build


def _entry(record: Record, part: str) -> Entry:
    return Entry(
        record.document, part, record.source, record.version, record.version, record.chunks, title=record.title
    )


def _make_live(
    store: VectorStore, manifest: Manifest, name: str, build: Build, recipe: Recipe, before: Pointer | None
) -> None:
    pointer = Pointer(build.collection, build.fingerprint, build.dimension, recipe.settings)
    if pointer != before:
        write_pointer(store, name, pointer)
    if build.state != "live":
        manifest.make_live(build)


def _collect(store: VectorStore, manifest: Manifest, name: str, spared: set[str]) -> list[str]:
    """Remove what is no longer read: old collections, and those whose building was given up."""
    known = {build.collection: build for build in manifest.builds()}
    found = {collection for collection in store.collections(f"{name}_") if is_collection_of(name, collection)}
    dropped = sorted((found | set(known)) - spared)
    for collection in dropped:
        store.drop(collection)
        if collection in known:
            manifest.forget(known[collection])
    return dropped


def _first(entries: Iterator[Entry], most: int = 50) -> list[Entry]:
    return [entry for _, entry in zip(range(most), entries, strict=False)]


@contextmanager
def _one_run(place: Path) -> Iterator[None]:
    lock = FolderLock(place, "the index", _LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _opened(file: Path) -> Iterator[Manifest]:
    manifest = Manifest(file)
    try:
        yield manifest
    finally:
        manifest.close()
