"""From attributes to definitions: each step checks what it needs before dbt is asked anything."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components.resolved.context import ResolutionContext
from dagster_dbt import DbtProject
from dagster_dbt.asset_utils import build_dbt_specs

from ..warehouse.settings import local_duckdb_file, subprocess_environment
from .attributes import AssetDefaults, Compute, DbtOptions, Monitoring, Partitions, Schedule, Upstream
from .checks import contract_models, contract_spec, freshness_checks, sources_with_freshness
from .command import DbtCommand
from .execution import DbtBuild
from .faults import Where
from .git import clone
from .prepare import ParsedProject
from .profiles import choose_profile
from .schedules import FULL_REFRESH, partitions_of, scheduled
from .selection import RunSelection, choose
from .source import GitRepository, ProjectSource
from .standards import ComputeInForce, compute_in_force, standards_of
from .translator import GovernedTranslator, Translation
from .upstream import UpstreamMapping
from .variables import DbtVars

Before = Callable[[dg.AssetExecutionContext], None]


@dataclass(frozen=True)
class Attributes:
    """The attributes of the component, resolved; ``component.py`` documents them."""

    project: ProjectSource
    translation: Translation | None
    upstream: Upstream
    partitions: Partitions | None
    schedule: Schedule | None
    full_refresh_schedule: Schedule | None
    dbt: DbtOptions
    assets: AssetDefaults
    compute: Compute
    monitoring: Monitoring


@dataclass(frozen=True)
class Place:
    """Where the component stands.

    Args:
        name: Unique in the project: the folder below ``defs``.
        where: Its YAML file.
        project_root: Root of the Dagster project.
        resolution: Resolves templates.
    """

    name: str
    where: Where
    project_root: Path
    resolution: ResolutionContext

    @classmethod
    def of(cls, context: dg.ComponentLoadContext) -> "Place":
        """The place of the component that is being loaded."""
        at = context.component_path
        folder = at.file_path.parent if at.file_path.suffix else at.file_path
        below = (
            folder.relative_to(context.defs_module_path) if folder.is_relative_to(context.defs_module_path) else folder
        )
        name = re.sub(r"\W+", "_", "_".join(below.parts), flags=re.ASCII) or "project"
        tree = context.resolution_context.source_position_tree
        file = Path(tree.position.filename) if tree else folder / "defs.yaml"
        root = Path(context.project_root).resolve()
        shown = file.resolve().relative_to(root).as_posix() if file.resolve().is_relative_to(root) else str(file)
        suffix = f"_{at.instance_key}" if at.instance_key else ""
        return cls(name + suffix, Where(shown), root, context.resolution_context)

    @classmethod
    def unknown(cls) -> "Place":
        """The place of a component that no YAML file has."""
        return cls("project", Where("defs.yaml"), Path(), ResolutionContext.default())


@dataclass(frozen=True)
class Prepared:
    """A dbt project that can be loaded."""

    parsed: ParsedProject
    dbt_vars: DbtVars
    compute: ComputeInForce


def prepare(given: Attributes, place: Place, *, refresh: bool = False) -> Prepared:
    """Check the attributes, find the project, and parse it if it changed.

    Args:
        given: The attributes.
        place: Where they stand.
        refresh: Clone the repository anew, fetch missing packages, and parse in any case.

    Raises:
        DbtProjectError: whatever keeps the project from being loaded.
    """
    where, root = place.where, place.project_root
    partitions = partitions_of(given.partitions, where) if given.partitions else None
    dbt_vars = DbtVars(given.dbt.vars, place.resolution, partitions)
    dbt_vars.validate(where)
    if given.full_refresh_schedule and dbt_vars.use_key:
        problem = "covers all partitions at once, where {{ partition.key }} has no single value; use start and end"
        raise where.fault("full_refresh_schedule.cron", given.full_refresh_schedule.cron, problem)
    compute = compute_in_force(given.compute, given.dbt.threads, where, root)
    if refresh and isinstance(given.project, GitRepository):
        folder = clone(given.project, where, root)
    else:
        folder = given.project.locate(where, root)
    profile = choose_profile(given.dbt, where, folder, root)
    environment = {**subprocess_environment(root), **compute.environment}
    command = DbtCommand(folder, profile.directory, profile.name, profile.target, environment)
    parsed = ParsedProject.of(command, place.name)
    parsed.prepare(dbt_vars.for_parsing(), refresh=refresh)
    return Prepared(parsed, dbt_vars, compute)


def build_definitions(given: Attributes, place: Place, before: Before = lambda context: None) -> dg.Definitions:
    """Everything that the component contributes.

    Args:
        given: The attributes.
        place: Where they stand.
        before: Called at the start of each run; what it raises keeps dbt from being started.

    Raises:
        DbtProjectError: whatever keeps the project from being loaded.
    """
    where = place.where
    prepared = prepare(given, place)
    parsed, partitions = prepared.parsed, prepared.dbt_vars.partitions
    manifest = parsed.manifest()
    project = DbtProject(
        parsed.command.folder,
        target_path=parsed.folder.relative_to(parsed.command.folder),
        profiles_dir=parsed.command.profiles_dir,
        profile=parsed.command.profile,
        target=parsed.command.target,
    )
    upstream = UpstreamMapping(given.upstream, manifest["sources"], where)
    standards = standards_of(given.monitoring, prepared.compute, partitions, where, place.project_root)
    translator = GovernedTranslator(upstream, given.assets, standards, given.translation, given.dbt.test_severity)
    translator.translate_all(manifest, project)
    whole = choose(given.dbt, where, parsed.command.folder, manifest)
    specs, tests = build_dbt_specs(
        translator=translator,
        manifest=manifest,
        select=whole.select,
        exclude=whole.exclude,
        selector=whole.selector,
        io_manager_key=None,
        project=project,
    )
    if not specs:
        raise where.fault("dbt.select", whole.selector or whole.select, "selects no model, seed or snapshot")
    selection = RunSelection.of(whole, list(specs), list(tests), manifest)
    sources = _sources_of(selection, manifest)
    upstream.refuse_unmapped(manifest["sources"][unique_id] for unique_id in sources)
    contracts = contract_models(manifest, selection.assets)
    build = DbtBuild(
        parsed, project, manifest, translator, selection, contracts, given.dbt.test_severity, prepared.compute.threads
    )
    name = f"dbt_{place.name}"
    assets = _assets(name, build, list(specs), [*tests, *map(contract_spec, contracts)], prepared, place, before)
    fresh = {upstream.key(source): source for source in sources_with_freshness(manifest, sources)}
    checks = (
        [freshness_checks(f"{name}_source_freshness", parsed, fresh, prepared.dbt_vars.for_parsing())] if fresh else []
    )
    jobs, schedules = _jobs(name, given, assets, checks, prepared)
    return dg.Definitions(assets=[assets], asset_checks=checks, jobs=jobs, schedules=schedules)


def _sources_of(selection: RunSelection, manifest: Mapping[str, Any]) -> set[str]:
    """Unique ids of the sources that the selected nodes read."""
    parents = manifest["parent_map"]
    return {
        parent
        for node in selection.assets.values()
        for parent in parents.get(node, ())
        if parent in manifest["sources"]
    }


def _assets(
    name: str,
    build: DbtBuild,
    specs: list[dg.AssetSpec],
    checks: list[dg.AssetCheckSpec],
    prepared: Prepared,
    place: Place,
    before: Before,
) -> dg.AssetsDefinition:
    dbt_vars = prepared.dbt_vars
    several = dg.BackfillPolicy.multi_run() if dbt_vars.use_key else dg.BackfillPolicy.single_run()

    @dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=checks,
        can_subset=True,
        allow_arbitrary_check_specs=True,
        op_tags=prepared.compute.run_tags,
        backfill_policy=several if dbt_vars.partitions else None,
        config_schema={
            FULL_REFRESH: dg.Field(bool, default_value=False, description="Rebuild incremental models and seeds.")
        },
    )
    def dbt_assets(context: dg.AssetExecutionContext) -> Iterator[Any]:
        before(context)
        local_duckdb_file(place.project_root).parent.mkdir(parents=True, exist_ok=True)
        yield from build.run(
            context, dbt_vars.for_run(context), full_refresh=context.op_execution_context.op_config[FULL_REFRESH]
        )

    return dbt_assets


def _jobs(
    name: str,
    given: Attributes,
    assets: dg.AssetsDefinition,
    checks: list[dg.AssetChecksDefinition],
    prepared: Prepared,
) -> tuple[list[Any], list[dg.ScheduleDefinition]]:
    built = dg.AssetSelection.assets(*assets.keys)
    partitions = prepared.dbt_vars.partitions
    tags = prepared.compute.run_tags
    jobs, schedules = [], []
    if given.schedule:
        fresh = dg.AssetSelection.checks(*checks) if checks else None
        job = dg.define_asset_job(f"{name}_job", built | fresh if fresh else built, tags=tags)
        jobs.append(job)
        schedules.append(scheduled(f"{name}_schedule", given.schedule, job, partitions))
    if given.full_refresh_schedule:
        config = {"ops": {assets.op.name: {"config": {FULL_REFRESH: True}}}}
        job = dg.define_asset_job(f"{name}_full_refresh_job", built, config=config, tags=tags)
        jobs.append(job)
        timing = given.full_refresh_schedule
        schedules.append(scheduled(f"{name}_full_refresh_schedule", timing, job, partitions, every_partition=True))
    return jobs, schedules
