"""Iceberg tables on this machine, with a catalog in a SQLite file."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from ...warehouse.lakehouse import Lakehouse
from .store import SchemaChangedError, nullable

if TYPE_CHECKING:
    from .table import LakehouseTable


def write_iceberg(lakehouse: Lakehouse, table: "LakehouseTable", rows: Any) -> dict[str, Any]:
    """Write an Iceberg table in one commit, and say what came of it.

    Args:
        lakehouse: The folders.
        table: The table.
        rows: A data frame.

    Raises:
        SchemaChangedError: the columns changed, and that is refused.
    """
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.exceptions import NoSuchTableError

    root = lakehouse.root / "iceberg"
    root.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog(table.name.catalog, uri=f"sqlite:///{root / 'catalog.db'}", warehouse=root.absolute().as_uri())
    identifier = (table.name.schema, table.name.table)
    data = nullable(rows).toArrow()
    catalog.create_namespace_if_not_exists(table.name.schema)
    changes: list[str] = []
    try:
        known = catalog.load_table(identifier)
        changes = _changes(known, data)
        if changes and table.schema_changes == "refuse":
            raise SchemaChangedError(f"{table.name}: the columns changed: {'; '.join(changes)}")
        if changes:
            with known.update_schema() as update:
                update.union_by_name(data.schema)
        data = _aligned(known, data)
    except NoSuchTableError:
        known = catalog.create_table(identifier, schema=data.schema, properties={"comment": table.description})
        if table.partition_by:
            with known.update_spec() as update:
                for column in table.partition_by:
                    update.add_identity(column)
    match table.mode:
        case "append":
            known.append(data)
        case "overwrite_partitions":
            known.dynamic_partition_overwrite(data)
        case _:
            known.overwrite(data)
    missing = {key: value for key, value in table.properties.items() if known.properties.get(key) != value}
    if missing:
        with known.transaction() as transaction:
            transaction.set_properties(missing)
    kept = known.refresh()
    columns = [
        dg.TableColumn(field.name, str(field.field_type), description=table.columns.get(field.name))
        for field in kept.schema().fields
    ]
    snapshot = kept.current_snapshot()
    return {
        "dagster/row_count": kept.scan().count(),
        "dagster/column_schema": dg.TableSchema(columns),
        "snapshot": str(snapshot.snapshot_id) if snapshot else "",
        "path": kept.location(),
        **({"schema_changes": "; ".join(changes)} if changes else {}),
    }


def _changes(known: Any, data: Any) -> list[str]:
    before, now = [field.name for field in known.schema().fields], data.schema.names
    return [f"{name} is new" for name in now if name not in before] + [
        f"{name} is gone" for name in before if name not in now
    ]


def _aligned(known: Any, data: Any) -> Any:
    """Rows in the columns and types of the table; what a row does not have is empty."""
    import pyarrow as pa

    schema = known.refresh().schema().as_arrow()
    columns = [
        data[field.name].cast(field.type) if field.name in data.schema.names else pa.nulls(len(data), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
