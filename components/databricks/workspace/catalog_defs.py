"""The definitions of a catalog: what is created, what is observed, what is checked, and who may use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from .access import apply, as_table, planned
from .catalog_attributes import CatalogTable
from .catalog_checks import check_specs, table_results
from .catalog_create import Thing, create
from .catalog_state import CatalogState
from .client import Workspace
from .errors import WorkspaceError
from .observing import look_at
from .target import has_workspace

if TYPE_CHECKING:
    from .catalog import UnityCatalogComponent

_GROUP = "unity_catalog"


def catalog_definitions(ours: "UnityCatalogComponent", state: CatalogState, project_root: Path) -> dg.Definitions:
    """Everything that Dagster sees of a catalog.

    Args:
        ours: The component.
        state: What the last refresh found.
        project_root: Folder of policy.yaml.
    """
    tables = {_key(schema, table): (schema, table, entry) for schema, table, entry in ours.found_tables(state)}
    workspace = Workspace(project_root)
    made = [
        _created(ours, state, tables, workspace),
        _observed(ours, state, tables, workspace),
        _checked(ours, tables, workspace),
        _access(ours, state, workspace),
    ]
    assets = [each for each in made if isinstance(each, dg.AssetsDefinition | dg.AssetSpec)]
    checks = [each for each in made if isinstance(each, dg.AssetChecksDefinition)]
    assets = [each for each in assets if each not in checks]
    observed = [key for key, (_, _, entry) in tables.items() if entry.made_by == "elsewhere"]
    jobs = [dg.define_asset_job(f"observe_{ours.catalog}", dg.AssetSelection.assets(*observed))] if observed else []
    return dg.Definitions(assets=assets, asset_checks=checks, jobs=jobs)


def _key(schema: str, name: str) -> dg.AssetKey:
    return dg.AssetKey([schema, name])


def _spec(ours: "UnityCatalogComponent", key: dg.AssetKey, description: str, kind: str, **more: Any) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        description=description or f"{kind.capitalize()} {key.path[-1]} of the catalog {ours.catalog}.",
        owners=ours.owners,
        group_name=ours.group or _GROUP,
        kinds={"databricks", kind},
        **{"tags": ours.tags, **more},
    )


def _table_spec(ours: "UnityCatalogComponent", state: CatalogState, key: dg.AssetKey, found: Any) -> dg.AssetSpec:
    schema, table, entry = found
    name = f"{ours.catalog}.{schema}.{table}"
    known = {f"{ours.catalog}.{each[0]}.{each[1]}" for each in ours.found_tables(state)}
    sources = [source for source in state.lineage.get(name, []) if source in known]
    above = ours.schemas[schema].classification if schema in ours.schemas else None
    classified = entry.classification or above
    tags = {**ours.tags, **({"classification": classified} if classified else {})}
    deps = [_key(*source.split(".")[1:]) for source in sources]
    return _spec(
        ours,
        key,
        entry.description,
        "table",
        deps=deps,
        tags=tags,
        metadata={"dagster/table_name": name},
        skippable=entry.made_by == "here",
    )


def _created(
    ours: "UnityCatalogComponent", state: CatalogState, tables: dict[dg.AssetKey, Any], workspace: Workspace
) -> dg.AssetsDefinition | None:
    """One step that creates what is missing."""
    things: dict[dg.AssetKey, Thing] = {}
    specs = []
    root = dg.AssetKey([_GROUP, ours.catalog])
    if ours.create_catalog:
        things[root] = Thing("catalog", ours.catalog)
        specs.append(_spec(ours, root, "", "catalog", skippable=True))
    for schema, content in ours.schemas.items():
        key = dg.AssetKey([_GROUP, f"{ours.catalog}_{schema}"])
        things[key] = Thing("schema", f"{ours.catalog}.{schema}", content.description)
        before = [root] if ours.create_catalog else []
        specs.append(_spec(ours, key, content.description, "schema", deps=before, skippable=True))
        for volume, entry in content.volumes.items():
            name = f"{ours.catalog}.{schema}.{volume}"
            things[_key(schema, volume)] = Thing("volume", name, entry.description, location=entry.location)
            specs.append(_spec(ours, _key(schema, volume), entry.description, "volume", deps=[key], skippable=True))
    for key, found in tables.items():
        schema, table, entry = found
        if entry.made_by == "here":
            name = f"{ours.catalog}.{schema}.{table}"
            things[key] = Thing("table", name, entry.description, dict(entry.columns), entry.location)
            spec = _table_spec(ours, state, key, found)
            specs.append(spec.merge_attributes(deps=[dg.AssetKey([_GROUP, f"{ours.catalog}_{schema}"])]))
    if not things:
        return None

    @dg.multi_asset(name=f"create_{ours.catalog}", specs=specs, can_subset=True)
    def created(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        if not has_workspace(context, f"catalog {ours.catalog}"):
            return
        for key, thing in things.items():  # a catalog before its schemas, these before what is in them
            if key not in context.selected_asset_keys:
                continue
            try:
                metadata = create(workspace, thing)
            except WorkspaceError as error:
                raise error.as_failure(key.to_user_string()) from None
            context.log.info(f"{thing.kind} {thing.name}: {metadata['state']}")
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return created


def _observed(
    ours: "UnityCatalogComponent", state: CatalogState, tables: dict[dg.AssetKey, Any], workspace: Workspace
) -> dg.AssetsDefinition | None:
    """One observation of all tables that others make."""
    elsewhere = {key: found for key, found in tables.items() if found[2].made_by == "elsewhere"}
    if not elsewhere:
        return None

    @dg.multi_observable_source_asset(
        name=f"look_at_{ours.catalog}",
        specs=[_table_spec(ours, state, key, found) for key, found in elsewhere.items()],
        check_specs=[check for key, found in elsewhere.items() for check in check_specs(key, found[2])],
        can_subset=True,
    )
    def observed(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
        chosen = {key: found for key, found in elsewhere.items() if key in context.selected_asset_keys}
        if not has_workspace(context, f"tables of {ours.catalog}"):
            return
        for key, metadata, checks in _looked(ours, workspace, context, chosen):
            yield dg.ObserveResult(asset_key=key, metadata=metadata, check_results=checks)

    return observed


def _checked(
    ours: "UnityCatalogComponent", tables: dict[dg.AssetKey, Any], workspace: Workspace
) -> dg.AssetChecksDefinition | None:
    """Checks of the tables that this project makes."""
    own = {key: found for key, found in tables.items() if found[2].made_by != "elsewhere"}
    specs = [check for key, found in own.items() for check in check_specs(key, found[2])]
    if not specs:
        return None

    @dg.multi_asset_check(name=f"check_{ours.catalog}", specs=specs, can_subset=True)
    def checked(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        chosen = {check.asset_key for check in context.selected_asset_check_keys}
        if not has_workspace(context, f"checks of {ours.catalog}"):  # type: ignore[arg-type]  # has a log too
            return
        found = {key: each for key, each in own.items() if key in chosen}
        for key, _, checks in _looked(ours, workspace, context, found):
            wanted = context.selected_asset_check_keys
            yield from (
                each for each in checks if dg.AssetCheckKey(each.asset_key or key, str(each.check_name)) in wanted
            )

    return checked


def _looked(
    ours: "UnityCatalogComponent", workspace: Workspace, context: Any, chosen: dict[dg.AssetKey, Any]
) -> Iterator[tuple[dg.AssetKey, dict[str, Any], list[dg.AssetCheckResult]]]:
    names = {key: f"{ours.catalog}.{schema}.{table}" for key, (schema, table, _) in chosen.items()}
    try:
        seen = look_at(workspace, names.values(), count=ours.count_rows)
    except WorkspaceError as error:
        raise error.as_failure(f"catalog {ours.catalog}") from None
    for key, (_, _, entry) in chosen.items():
        table: CatalogTable = entry
        metadata, checks = table_results(context.instance, key, table, seen[names[key]])
        yield key, metadata, checks


def _access(ours: "UnityCatalogComponent", state: CatalogState, workspace: Workspace) -> dg.AssetsDefinition | None:
    """The plan of tags and grants, and its application."""
    securables = [each for each in ours.securables(state) if each.classification]
    if not securables:
        return None
    key = dg.AssetKey([_GROUP, f"{ours.catalog}_access"])

    @dg.multi_asset(
        name=f"access_{ours.catalog}",
        specs=[_spec(ours, key, f"Tags and grants of {ours.catalog}, by policy.yaml.", "access", skippable=True)],
        check_specs=[
            dg.AssetCheckSpec("as_the_policy_says", asset=key, description="Tags and grants follow policy.yaml.")
        ],
        config_schema={"apply": dg.Field(bool, default_value=False, description="Whether the plan is carried out.")},
    )
    def access(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if not has_workspace(context, f"tags and grants of {ours.catalog}"):
            return
        applies = context.op_execution_context.op_config["apply"]
        try:
            changes = planned(workspace, securables)
            if applies:
                apply(workspace, changes)
        except WorkspaceError as error:
            raise error.as_failure(key.to_user_string()) from None
        for change in changes:
            context.log.info(("made: " if applies else "planned: ") + change.words)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={"plan": dg.MetadataValue.md(as_table(changes)), "changes": len(changes), "applied": applies},
            check_results=[
                dg.AssetCheckResult(
                    passed=applies or not changes,
                    check_name="as_the_policy_says",
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"changes": len(changes)},
                )
            ],
        )

    return access
