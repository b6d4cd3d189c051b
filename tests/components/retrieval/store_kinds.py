"""Every vector store, ready to be opened: embedded, a real server, or a fake that the vendor's client accepts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.retrieval.stores.attributes import StoreSettings
from components.retrieval.stores.base import VectorStore
from components.retrieval.stores.opening import open_store

SLOTS = {"sqlite": "in-process", "chroma server": "chroma", "databricks": "databricks-vector-search"}


@dataclass(frozen=True)
class StoreKind:
    """A store to test: what the YAML would say, and the project's root."""

    settings: StoreSettings
    root: Path

    @contextmanager
    def opened(self) -> Iterator[VectorStore]:
        with open_store(self.settings, self.root) as store:
            yield store


def param(name: str, how: str, *marks: pytest.MarkDecorator) -> object:
    """A store's parameter for the contract suite, with its slot of the coverage page."""
    return pytest.param(name, id=name, marks=[pytest.mark.slot("ai", SLOTS.get(name, name), how), *marks])
