"""What an observed table tells: metadata, and whether it is there, fresh and of the same shape."""

import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from .catalog_attributes import CatalogTable
from .observing import Seen

IS_THERE, SAME_SHAPE, IS_FRESH = "is_there", "has_its_columns", "is_fresh"
_ALIASES = {"INTEGER": "INT", "LONG": "BIGINT", "VARCHAR": "STRING", "SHORT": "SMALLINT", "BYTE": "TINYINT"}


def check_specs(key: dg.AssetKey, table: CatalogTable) -> list[dg.AssetCheckSpec]:
    """The checks of a table."""
    found = [
        dg.AssetCheckSpec(IS_THERE, asset=key, description="The catalog has the table."),
        dg.AssetCheckSpec(SAME_SHAPE, asset=key, description="Its columns are those declared, or those seen before."),
    ]
    if table.fresh_within_hours:
        said = f"Somebody wrote it within {table.fresh_within_hours:g} hours."
        found.append(dg.AssetCheckSpec(IS_FRESH, asset=key, description=said))
    return found


def table_results(
    instance: dg.DagsterInstance, key: dg.AssetKey, table: CatalogTable, seen: Seen
) -> tuple[dict[str, Any], list[dg.AssetCheckResult]]:
    """Metadata and check results of a table.

    Args:
        instance: Knows what was seen before.
        key: Its asset key.
        table: What the YAML says about it.
        seen: What it is like.
    """
    gone = "" if seen.is_there else "The table is gone."
    checks = [dg.AssetCheckResult(asset_key=key, check_name=IS_THERE, passed=seen.is_there, description=gone or None)]
    metadata: dict[str, Any] = {"is_there": seen.is_there}
    if seen.columns:
        columns = [dg.TableColumn(name, kind) for name, kind in seen.columns.items()]
        metadata["dagster/column_schema"] = dg.TableSchema(columns)
    if seen.rows is not None:
        metadata["dagster/row_count"] = seen.rows
    if seen.updated is not None:
        metadata["dagster/last_updated_timestamp"] = dg.MetadataValue.timestamp(seen.updated)
    expected = dict(table.columns) or _before(instance, key)
    changes = _changes(expected, seen.columns) if expected and seen.is_there else []
    said = gone or "; ".join(changes)
    checks.append(
        dg.AssetCheckResult(
            asset_key=key, check_name=SAME_SHAPE, passed=seen.is_there and not changes, description=said or None
        )
    )
    if table.fresh_within_hours:
        age = (time.time() - seen.updated) / 3600 if seen.updated is not None else None
        passed = seen.is_there and age is not None and age <= table.fresh_within_hours
        said = gone or (f"Written {age:.1f} hours ago." if age is not None else "Nobody knows when it was written.")
        checks.append(dg.AssetCheckResult(asset_key=key, check_name=IS_FRESH, passed=passed, description=said))
    return metadata, checks


def _before(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, str]:
    """The columns of the last observation that saw any."""
    for record in instance.fetch_observations(key, limit=5).records:
        observation = record.asset_observation
        schema = observation.metadata.get("dagster/column_schema") if observation else None
        if schema is not None and isinstance(schema.value, dg.TableSchema):
            return {column.name: column.type for column in schema.value.columns}
    return {}


def _changes(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Every difference, as people read it."""
    changes = [f"column {name} is gone" for name in expected if name not in found]
    changes += [f"column {name} ({found[name]}) is new" for name in found if name not in expected]
    changes += [
        f"column {name} was {expected[name]} and is {found[name]}"
        for name in expected
        if name in found and _plain(expected[name]) != _plain(found[name])
    ]
    return changes


def _plain(kind: str) -> str:
    kind = "".join(kind.upper().split())
    return _ALIASES.get(kind, kind)
