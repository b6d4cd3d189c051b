"""Which engine an asset's data is in, as a kind."""

import dagster as dg

from .component import WarehouseComponent
from .settings import warehouse_target


class _Search:
    """The warehouses of the project that was asked for last: a search walks through every defs.yaml."""

    tree: dg.ComponentTree | None = None
    found: tuple[WarehouseComponent, ...] = ()

    def of(self, tree: dg.ComponentTree) -> tuple[WarehouseComponent, ...]:
        if tree is not self.tree:  # equal trees may be of one folder at different times
            self.found, self.tree = tuple(tree.get_all_components(of_type=WarehouseComponent)), tree
        return self.found


_warehouses = _Search()


def engine_kind(context: dg.ComponentLoadContext) -> set[str]:
    """The engine in force, or nothing where a project's warehouse is not a ``WarehouseComponent``."""
    warehouses = _warehouses.of(context.component_tree)
    if warehouse_target() == "local":
        return {"delta" if warehouse.local_engine == "lakehouse" else "duckdb" for warehouse in warehouses} or {
            "duckdb"
        }
    return {warehouse.engine for warehouse in warehouses}
