"""Which engine an asset's data is in, as a kind."""

import dagster as dg

from .component import WarehouseComponent
from .settings import warehouse_target


def engine_kind(context: dg.ComponentLoadContext) -> set[str]:
    """The engine in force, or nothing where a project's warehouse is not a ``WarehouseComponent``."""
    warehouses = context.component_tree.get_all_components(of_type=WarehouseComponent)
    if warehouse_target() == "local":
        return {"delta" if warehouse.local_engine == "lakehouse" else "duckdb" for warehouse in warehouses} or {
            "duckdb"
        }
    return {warehouse.engine for warehouse in warehouses}
