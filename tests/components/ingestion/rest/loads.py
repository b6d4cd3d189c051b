"""A REST source that loads into a warehouse of its own, without Dagster's start-up around each run."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from components.ingestion.files import SourceError
from components.ingestion.rest.loading import Loaded, RestLoader
from components.ingestion.rest_source import RestSourceComponent
from components.ingestion.table_source import Place, Run
from components.warehouse.engines.duckdb import LocalDuckDB

CONTEXT: Any = SimpleNamespace(log=logging.getLogger(__name__))


class Loads:
    """One source and its warehouse.

    Args:
        root: The project's root.
        attributes: The component's attributes.
    """

    def __init__(self, root: Path, **attributes: Any) -> None:
        self.root = root
        self.engine = LocalDuckDB(root)
        self.change(**attributes)

    def change(self, **attributes: Any) -> None:
        """Give the source other attributes."""
        self.component = RestSourceComponent(**attributes)
        self.component._found = self.component._connector(self.root)
        self.component._check(self.component.declared)

    def load(self) -> dict[str, Loaded]:
        """One run; what became of each table."""
        component, place = self.component, Place("rest", self.root, self.root)
        access, sampled = component.opened(place)
        tables = component.declared_tables
        with TemporaryDirectory() as folder:
            loader = RestLoader(place.name, component.dataset, self.engine, Path(folder), sample=bool(sampled))
            component._check_origin(loader, tables, sampled)
            done, _ = component.loaded(Run(CONTEXT, place, tables, loader, Path(folder)), access)
        return {found.table.name: found for found in done}

    def failure(self) -> SourceError:
        """What a run that fails says."""
        try:
            self.load()
        except SourceError as error:
            return error
        raise AssertionError("the run did not fail")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.engine.query(sql).rows

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {self.component.dataset}.{table}")[0][0])
