"""What follows from an asset's owner, classification, tier and compute size, where the asset does not say it itself."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._utils.tags import normalize_tags
from dagster_shared.record import replace

from .audit import Audited, changed
from .policy import Policy
from .rules import sla_minutes
from .sla import sla_checks

MAX_RUNTIME = "dagster/max_runtime"


def cascade(defs: dg.Definitions, policy: Policy, audited: Audited | None = None) -> dg.Definitions:
    """The same definitions, with standards applied to every asset and job.

    The owner's alert route becomes the tag ``alert_route``; what a classification says, tags and metadata; the tier's
    deadline the metadata ``sla_minutes``, a freshness policy and an asset check; a compute size its hourly cost and
    tags of the step; ``max_runtime_minutes`` the limit of jobs. Nothing that an asset or a job sets itself is changed.

    Args:
        defs: Everything the project defines.
        policy: The standards.
        audited: Makes materialisations say who, what config and which policy; left out, they do not.
    """
    assets: list[Any] = []
    specs: list[dg.AssetSpec] = []
    for asset in defs.assets or ():
        if isinstance(asset, dg.AssetSpec):
            made: Any = _with_standards(asset, policy)
            specs.append(made)
        elif isinstance(asset, dg.AssetsDefinition) and asset.keys:
            made = _asset(asset, policy, audited)
            specs += made.specs
        else:
            made = asset
        assets.append(made)
    applied = _with_limits(replace(defs, assets=assets), policy)
    checks = sla_checks(specs, _check_keys(applied), policy)
    return dg.Definitions.merge(applied, checks) if checks else applied


def _asset(asset: dg.AssetsDefinition, policy: Policy, audited: Audited | None) -> dg.AssetsDefinition:
    specs = [_with_standards(spec, policy) for spec in asset.specs]
    changes: dict[str, Any] = {"specs": specs}
    if asset.is_materializable:
        node = asset.node_def
        if isinstance(node, dg.OpDefinition):
            tags = _step_tags(specs, policy)
            node = changed(node, _tags={**normalize_tags(tags), **node.tags}) if tags else node
            node = audited.node(node) if audited else node
            changes["node_def"] = node
        if audited and audited.trail:
            changes["hook_defs"] = asset.hook_defs | {audited.hook}
    return asset.__class__.dagster_internal_init(**{**asset.get_attributes_dict(), **changes})


def _with_standards(spec: dg.AssetSpec, policy: Policy) -> dg.AssetSpec:
    changes: dict[str, Any] = {}
    tags, metadata = dict(spec.tags), dict(spec.metadata)
    handling = policy.classification(tags.get("classification"))
    for name, value in handling.tags.items():
        tags.setdefault(name, value)
    for key, given in handling.metadata.items():
        metadata.setdefault(key, given)
    route = policy.route_of(spec.owners)
    if route:
        tags.setdefault("alert_route", route)
    size = policy.compute_sizes.get(tags.get("compute_size", ""))
    if size:
        metadata.setdefault("hourly_cost_usd", float(size.hourly_cost_usd))
    tier = policy.tiers.get(tags.get("tier", ""))
    minutes = sla_minutes(metadata)
    if minutes is None and tier and tier.sla_minutes:
        metadata["sla_minutes"] = minutes = tier.sla_minutes
    if len(tags) != len(spec.tags):
        changes["tags"] = tags
    if len(metadata) != len(spec.metadata):
        changes["metadata"] = metadata
    if spec.freshness_policy is None and type(minutes) is int and minutes >= 1:
        changes["freshness_policy"] = dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=minutes))
    return spec.replace_attributes(**changes) if changes else spec


def _step_tags(specs: Iterable[dg.AssetSpec], policy: Policy) -> dict[str, Any]:
    """Tags of the step that makes the assets, where those that name a compute size agree on it."""
    names = {spec.tags["compute_size"] for spec in specs if spec.tags.get("compute_size") in policy.compute_sizes}
    if len(names) != 1:
        return {}
    name = names.pop()
    size = policy.compute_sizes[name]
    tags: dict[str, Any] = {"compute_size": name, "hourly_cost_usd": f"{size.hourly_cost_usd:g}"}
    if size.pod_limits:
        amounts = {"cpu": str(size.threads), "memory": f"{size.memory_gb * 1000:g}M"}
        tags["dagster-k8s/config"] = {"container_config": {"resources": {"requests": amounts, "limits": amounts}}}
    return tags


def _with_limits(defs: dg.Definitions, policy: Policy) -> dg.Definitions:
    """Jobs that set no limit get the policy's, also where a schedule or sensor holds them."""
    if not policy.max_runtime_minutes:
        return defs
    limit = str(policy.max_runtime_minutes * 60)
    made: dict[int, Any] = {}

    def limited(job: Any) -> Any:
        if id(job) not in made:
            made[id(job)] = _limited(job, limit)
        return made[id(job)]

    def of_schedule(schedule: Any) -> Any:
        if not isinstance(schedule, dg.ScheduleDefinition):  # of a partitioned job, not resolved yet
            return replace(schedule, job=limited(schedule.job))
        return schedule.with_attributes(job=limited(schedule.job)) if schedule.has_job else schedule

    schedules = list(map(of_schedule, defs.schedules or ()))
    sensors = [
        sensor.with_attributes(jobs=list(map(limited, sensor.jobs))) if sensor.has_jobs else sensor
        for sensor in defs.sensors or ()
    ]
    jobs = list(map(limited, defs.jobs or ()))
    return replace(defs, jobs=jobs, schedules=schedules, sensors=sensors)


def _limited(job: Any, limit: str) -> Any:
    if not isinstance(job, dg.JobDefinition | UnresolvedAssetJobDefinition):
        return job
    tags = {**(job.tags or {}), **(job.run_tags or {})}
    if MAX_RUNTIME in tags:
        return job
    tags[MAX_RUNTIME] = limit
    return job._copy(run_tags=tags) if isinstance(job, dg.JobDefinition) else replace(job, run_tags=tags)


def _check_keys(defs: dg.Definitions) -> set[dg.AssetCheckKey]:
    holders = [*(defs.assets or ()), *(defs.asset_checks or ())]
    return {key for holder in holders if isinstance(holder, dg.AssetsDefinition) for key in holder.check_keys}
