"""What Fivetran and Airbyte have in common: one sync loads the tables of a connection, each of them an asset."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import dagster as dg

from .attributes import MaxMinutes, PollSeconds
from .component import StockComponent
from .running import Metadata, Unit
from .sample import load_rows


@dataclass(kw_only=True)
class SyncedTablesComponent(StockComponent):
    """Base of components whose assets are tables of the warehouse, ``schema/table`` as dbt sources name them."""

    key_prefix: Annotated[
        str | None,
        dg.Resolver.default(
            description="First part of the asset keys, where it is not the schema that the service loads into.",
            examples=["raw_stripe"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_]+$"},
        ),
    ] = None
    poll_seconds: PollSeconds = 10
    max_runtime_minutes: MaxMinutes = 240

    unit_key: ClassVar[str]
    """The metadata of a spec that names its connection."""

    def standard_key(self, key: dg.AssetKey) -> dg.AssetKey:
        """Schema and table, in small letters, as the warehouse has them."""
        schema, table = [self.vendor, *(part.lower() for part in key.path)][-2:]
        return dg.AssetKey([self.key_prefix or schema, table])

    def unit(self, spec: dg.AssetSpec) -> str | None:
        """The connection, whose sync makes all its tables."""
        return str(spec.metadata[self.unit_key])

    def run_sample(self, unit: Unit) -> list[Metadata]:
        """Load the sample's rows into the local warehouse."""
        return load_rows(self.project_root, self.folder / str(self.sample), unit.chosen)

    def compare(self, synced: Iterable[tuple[str, ...]], unit: Unit) -> None:
        """Hold what a sync made against what the project knows.

        Args:
            synced: Keys of the tables that the service syncs now.
            unit: The connection.

        Raises:
            Failure: a table of this run is not synced any more.
        """
        keys = {self.standard_key(dg.AssetKey(list(key))) for key in synced}
        if gone := sorted(spec.key.to_user_string() for spec in unit.chosen if spec.key not in keys):
            raise dg.Failure(
                f"{self.title} does not sync {', '.join(gone)} any more. Run: dg utils refresh-defs-state",
                allow_retries=False,
            )
        if new := sorted(key.to_user_string() for key in keys - {spec.key for spec in unit.every}):
            unit.log.warning(f"{self.title} also syncs {', '.join(new)}. Run: dg utils refresh-defs-state")
