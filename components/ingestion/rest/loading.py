"""Loading a REST source by dlt: everything is read first, then loaded as one package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, ClassVar, cast

from ..loading import Loader
from .format import RestResource
from .records import column_hints, preparer


@dataclass(frozen=True)
class Loaded:
    """What became of one table, in the words of ``StagedTable``.

    Args:
        table: The resource.
        rows: Rows that were loaded.
        load_id: dlt's load id; None where there was nothing to load.
        metadata: What else the asset says.
    """

    table: RestResource
    rows: int
    load_id: str | None
    metadata: dict[str, Any] = field(default_factory=dict)

    is_asset: ClassVar[bool] = True


class RestLoader(Loader):
    """A loader whose rows come out of dlt resources. Where reading fails, nothing is loaded."""

    def load_api(self, config: Any, resources: Sequence[RestResource], *, freeze: bool) -> list[Loaded]:
        """Load resources of an API.

        Args:
            config: What ``rest_api_source`` takes.
            resources: The resources to load.
            freeze: Whether a new column is an error.
        """
        from dlt.sources.rest_api import rest_api_source

        source = rest_api_source(config, name=self.name, max_table_nesting=0)
        return self._load_source(source, resources, freeze=freeze)

    def load_sample(
        self, records: Mapping[str, list[dict[str, Any]]], resources: Sequence[RestResource]
    ) -> list[Loaded]:
        """Load sample records, as the API would answer them, in place of the real ones."""
        import dlt

        def made() -> list[Any]:
            return [
                dlt.resource(
                    records.get(resource.name, []),
                    name=resource.name,
                    write_disposition="replace",
                    columns=cast(Any, column_hints(resource)),
                ).add_map(preparer(resource))
                for resource in resources
            ]

        return self._load_source(dlt.source(made, name=self.name, max_table_nesting=0)(), resources, freeze=False)

    def _load_source(self, source: Any, resources: Sequence[RestResource], *, freeze: bool) -> list[Loaded]:
        names = [resource.name for resource in resources]
        known = set(self.existing_columns(names)) - self._outdated
        forgotten = self._forgotten(names) - self._outdated
        for name in known if freeze else ():
            source.resources[name].apply_hints(schema_contract={"columns": "freeze", "data_type": "freeze"})
        if self.engine.load_format == "model" and find_spec("pyarrow") and not self.sample:
            for name in names:  # DuckDB streams Parquet, and holds the INSERT statements of dlt's choice in memory
                source.resources[name].apply_hints(file_format="parquet")
        groups: list[tuple[set[str], Any]] = [(set(names) - forgotten, None), (forgotten, "drop_resources")]
        for group, refresh in groups:
            if group:
                self._pipeline.extract(source.with_resources(*group), refresh=refresh)
        normalized = self._pipeline.normalize()
        self._drop_outdated()
        info = self._pipeline.load()
        counts = normalized.row_counts if normalized else {}
        changes: dict[str, Any] = {}
        for package in info.load_packages if info else ():
            changes |= package.schema_update
        load_id = str(info.loads_ids[-1]) if info and info.loads_ids else None
        news = {name: _news(changes.get(name)) for name in known}
        return [
            Loaded(resource, counts.get(resource.name, 0), load_id, news.get(resource.name, {}))
            for resource in resources
        ]


def _news(change: Any) -> dict[str, Any]:
    """The columns that a load has added to a table that was there."""
    columns = sorted((change or {}).get("columns", {}))
    return {"new_columns": columns} if columns else {}
