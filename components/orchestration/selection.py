"""Asset selections that may not come out empty."""

from collections.abc import Set
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph


@dataclass(frozen=True)
class NonEmptySelection(dg.AssetSelection):
    """A selection that is refused, by name, once Dagster knows all assets and none is in it.

    Args:
        child: The selection.
        used_by: What needs it, with its file, for the message.
    """

    child: dg.AssetSelection
    used_by: str

    def resolve_inner(self, asset_graph: BaseAssetGraph, allow_missing: bool) -> Set[dg.AssetKey]:
        """The selected keys.

        Raises:
            DagsterInvalidDefinitionError: there are none.
        """
        selected = self.child.resolve_inner(asset_graph, allow_missing=allow_missing)
        if not selected:
            groups = sorted({node.group_name for node in asset_graph.asset_nodes if node.group_name})
            raise dg.DagsterInvalidDefinitionError(
                f"{self.used_by}: selection {self.to_selection_str()} selects no asset; "
                f"the groups of this project are {', '.join(groups) or 'none'}"
            )
        return selected

    def to_selection_str(self) -> str:
        """The selection as it is written."""
        return self.child.to_selection_str()

    def to_serializable_asset_selection(self, asset_graph: BaseAssetGraph) -> dg.AssetSelection:
        """The selection without the refusal, as other processes know only Dagster's own."""
        return self.child.to_serializable_asset_selection(asset_graph)
