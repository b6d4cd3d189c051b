"""A project with an index of a folder of documents, for tests to change and materialise."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import yaml

from components.retrieval.index import DocumentIndexComponent
from components.retrieval.index_run import run_index
from components.retrieval.search import Index, open_index
from components.retrieval.stores.base import VectorStore
from components.retrieval.stores.sqlite import SqliteStore

KEY = "search/docs"
TOPICS = ["harbour", "glacier", "orchard", "violin", "volcano", "library", "compass", "lantern", "meadow", "quarry"]


def page(topic: str, more: str = "") -> str:
    """A document about one thing."""
    return (
        f"# The {topic}\n\nEverything about the {topic} of our town. {more}\n\n"
        f"## Opening hours\n\nThe {topic} opens at nine.\n\n## Tickets\n\nA ticket for the {topic} costs four coins.\n"
    )


class Library:
    """A folder of documents and the index of it, run without Dagster's loading, which has tests of its own."""

    def __init__(self, root: Path, **attributes: Any) -> None:
        self.root = root
        (root / "policy.yaml").write_text("version: 1\n")
        self.configure(**attributes)

    def configure(self, **attributes: Any) -> None:
        """What the YAML of the index says."""
        given = {"key": KEY, "description": "Documents.", "sources": [{"name": "docs", "folder": "documents"}]}
        self.component = DocumentIndexComponent.resolve_from_yaml(yaml.safe_dump(given | attributes))

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.root / "documents" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def fill(self, number: int = 10) -> None:
        """Write documents, each about another thing."""
        for at in range(number):
            topic = TOPICS[at % len(TOPICS)] + ("" if at < len(TOPICS) else f" number {at}")
            self.write(f"{at:04d}.md", page(topic))

    def run(self, partition: str | None = None, warehouse: object = None) -> dg.MaterializeResult:
        """One run of the asset."""
        context: Any = SimpleNamespace(
            log=logging.getLogger("library"),
            run=SimpleNamespace(run_id="run"),
            partition_key=partition,
            resources=SimpleNamespace(warehouse=warehouse),
        )
        return run_index(self.component, context, self.root)

    def materialize(self, partition: str | None = None, warehouse: object = None) -> dict[str, Any]:
        """The metadata of one run."""
        metadata = self.run(partition, warehouse).metadata or {}
        return {name: getattr(value, "value", value) for name, value in metadata.items()}

    def failure(self) -> str:
        """What one run fails with."""
        with pytest.raises(dg.Failure) as caught:
            self.run()
        return str(caught.value.description)

    def checks(self) -> dict[str, dg.AssetCheckResult]:
        """The results of the checks of one run."""
        return {str(found.check_name): found for found in self.run().check_results or []}

    @contextmanager
    def opened(self, **options: Any) -> Iterator[Index]:
        with open_index(self.root, KEY, **options) as index:
            yield index

    def documents(self) -> set[str]:
        with self.opened() as index:
            return {record.document for record in index.scan()}

    def content(self) -> list[tuple[object, ...]]:
        """All chunks, in a form that can be compared."""
        with self.opened() as index:
            found = [(*record.payload().values(), record.id, record.vector.tobytes()) for record in index.scan()]
        return sorted(found, key=str)


class Writes:
    """Counts what is written to the embedded store and how many texts are embedded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from components.llm.calls import ModelCalls

        self.records = self.deleted = self.embedded = self.calls = 0
        upsert, delete, embed = SqliteStore.upsert, SqliteStore.delete, ModelCalls.embed

        def counted_upsert(store: VectorStore, collection: str, records: list) -> None:
            self.records += len(records)
            self.calls += 1
            upsert(store, collection, records)

        def counted_delete(store: VectorStore, collection: str, ids: list) -> None:
            self.deleted += len(ids)
            self.calls += 1
            delete(store, collection, ids)

        def counted_embed(calls: ModelCalls, texts: list) -> Any:
            self.embedded += len(texts)
            return embed(calls, texts)

        monkeypatch.setattr(SqliteStore, "upsert", counted_upsert)
        monkeypatch.setattr(SqliteStore, "delete", counted_delete)
        monkeypatch.setattr(ModelCalls, "embed", counted_embed)

    def reset(self) -> None:
        self.records = self.deleted = self.embedded = self.calls = 0
