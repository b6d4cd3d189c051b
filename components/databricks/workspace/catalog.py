"""The component for what a catalog of Unity Catalog holds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import dagster as dg
from dagster.components.component.state_backed_component import StateBackedComponent
from dagster.components.utils.defs_state import DefsStateConfig, DefsStateConfigArgs

from ...attributes import Group, Owners, Tags
from ...base import StrictComponent
from ..attributes import NAME_PATTERN
from .access import Securable
from .catalog_attributes import CatalogSchema, CatalogTable, Name
from .catalog_defs import catalog_definitions
from .catalog_state import CatalogState, fetched_state

_STATE_DAYS = 30


class UnityCatalogScaffolder(dg.Scaffolder[Any]):
    """Writes a schema with a volume and a table that are created."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        table = {
            "description": "Say what one row is.",
            "made_by": "here",
            "columns": {"id": "BIGINT", "name": "STRING"},
        }
        schema = {
            "description": "Say what is in it.",
            "tables": {"customers": table},
            "volumes": {"landing": {"description": "Say which files are in it."}},
        }
        dg.scaffold_component(request, {"catalog": "main", "schemas": {"sales": schema}})


@dg.scaffold_with(UnityCatalogScaffolder)
@dataclass(kw_only=True)
class UnityCatalogComponent(StateBackedComponent, StrictComponent):
    """A catalog of Unity Catalog: its schemas, tables and volumes as assets, created, observed, tagged and granted.

    What is missing is created by materialising; nothing is ever dropped. Tables that others make are observed, all at
    once: rows, age, columns, with checks for a table that is gone, late or of another shape. The asset
    ``unity_catalog/<catalog>_access`` plans tags and grants by the classifications of policy.yaml, and makes them where
    its configuration says ``apply: true``. ``dg utils refresh-defs-state`` reads tables of ``discover`` and lineage.

    .. code-block:: yaml

        type: components.UnityCatalogComponent
        attributes:
          catalog: main
          schemas:
            gold:
              description: Tables that people use.
              classification: internal
              tables:
                flights:
                  description: One row a flight.
                  columns: {id: BIGINT, carrier: STRING}
                  fresh_within_hours: 26
              volumes:
                exports: {description: Files for partners.}
          discover: [bronze]
          owners: ["team:data"]
          tags: {domain: flights}
    """

    catalog: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the catalog.", examples=["main"], json_schema_extra={"pattern": NAME_PATTERN}
        ),
    ]
    schemas: Annotated[dict[str, CatalogSchema], dg.Resolver.default(description="Schemas by name.")] = field(
        default_factory=dict
    )
    create_catalog: Annotated[
        bool, dg.Resolver.default(description="Whether the catalog is created too where it is missing.")
    ] = False
    discover: Annotated[
        list[Name],
        dg.Resolver.default(
            description="Schemas whose tables become assets as they are found by dg utils refresh-defs-state.",
            examples=[["bronze"]],
        ),
    ] = field(default_factory=list)
    lineage_days: Annotated[
        int,
        dg.Resolver.default(
            description="Days of system.access.table_lineage that dependencies are read from; 0 reads none.",
            json_schema_extra={"minimum": 0},
        ),
    ] = _STATE_DAYS
    count_rows: Annotated[
        bool, dg.Resolver.default(description="Whether observing counts rows, on the SQL warehouse.")
    ] = True
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    project_root: ClassVar[Path] = Path()

    def __post_init__(self) -> None:
        names = {f"schemas.{schema}": schema for schema in self.schemas}
        for schema, content in self.schemas.items():
            names |= {f"schemas.{schema}.tables.{each}": each for each in content.tables}
            names |= {f"schemas.{schema}.volumes.{each}": each for each in content.volumes}
        for place, name in names.items():
            if not re.search(NAME_PATTERN, name):
                raise ValueError(f"{place}: {name!r} is not valid; expected letters, digits and underscores")
        for schema, content in self.schemas.items():
            if both := sorted({*content.tables} & {*content.volumes}):
                raise ValueError(f"schemas.{schema}: {both[0]!r} is a table and a volume; rename one of them")

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "UnityCatalogComponent":
        """The component, which knows where the policy is."""
        made = super().load(attributes, context)
        made.project_root = context.project_root  # type: ignore[misc]  # the class only holds the default
        return made

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """State on this machine, refreshed on request only."""
        kept = DefsStateConfigArgs.local_filesystem().management_type
        arguments = DefsStateConfigArgs(key=None, management_type=kept, refresh_if_dev=False)
        return DefsStateConfig.from_args(arguments, default_key=f"{type(self).__name__}[{self.catalog}]")

    def write_state_to_path(self, state_path: Path) -> None:
        """Ask the workspace for tables and lineage.

        Raises:
            WorkspaceError: it refuses, or does not answer.
        """
        from .client import Workspace

        state = fetched_state(Workspace(self.project_root), self.catalog, self.discover, self.lineage_days)
        state_path.write_text(state.to_json(), encoding="utf-8")

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """The assets of the YAML, and those of the state."""
        state = CatalogState()
        if state_path is not None and state_path.exists():
            state = CatalogState.from_json(state_path.read_text(encoding="utf-8"))
        return catalog_definitions(self, state, context.project_root)

    def found_tables(self, state: CatalogState) -> Iterator[tuple[str, str, CatalogTable]]:
        """Schema, name and attributes of each table, declared or discovered."""
        for schema, content in self.schemas.items():
            for table, attributes in content.tables.items():
                yield schema, table, attributes
        for schema in self.discover:
            declared = self.schemas[schema].tables if schema in self.schemas else {}
            for table in state.tables.get(schema, []):
                if table not in declared:
                    yield schema, table, CatalogTable()

    def securables(self, state: CatalogState) -> list[Securable]:
        """Everything whose tags and grants follow from a classification."""
        found = []
        for schema, content in self.schemas.items():
            found.append(Securable("schema", f"{self.catalog}.{schema}", content.classification))
            for volume, attributes in content.volumes.items():
                name = f"{self.catalog}.{schema}.{volume}"
                found.append(Securable("volume", name, attributes.classification or content.classification))
        for schema, table, entry in self.found_tables(state):
            above = self.schemas[schema].classification if schema in self.schemas else None
            found.append(Securable("table", f"{self.catalog}.{schema}.{table}", entry.classification or above))
        return found
