"""What follows from an asset's owner and tier, filled in where the asset does not say it itself."""

from datetime import timedelta
from typing import Any

import dagster as dg

from .policy import Policy
from .rules import sla_minutes


def cascade(defs: dg.Definitions, policy: Policy) -> dg.Definitions:
    """The same definitions, with standards applied to every asset.

    The owner's alert route becomes the tag ``alert_route``; the tier's deadline the metadata ``sla_minutes``, and that
    a freshness policy. Nothing that an asset sets itself is changed. Checks, jobs, schedules, sensors and resources
    stay as they are.
    """
    return defs.permissive_map_resolved_asset_specs(lambda spec: _with_standards(spec, policy), selection=None)


def _with_standards(spec: dg.AssetSpec, policy: Policy) -> dg.AssetSpec:
    changes: dict[str, Any] = {}
    route = policy.route_of(spec.owners)
    if route and "alert_route" not in spec.tags:
        changes["tags"] = {**spec.tags, "alert_route": route}
    minutes = sla_minutes(spec.metadata)
    tier = policy.tiers.get(spec.tags.get("tier", ""))
    if minutes is None and tier and tier.sla_minutes:
        minutes = tier.sla_minutes
        changes["metadata"] = {**spec.metadata, "sla_minutes": minutes}
    if spec.freshness_policy is None and type(minutes) is int and minutes >= 1:
        changes["freshness_policy"] = dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=minutes))
    return spec.replace_attributes(**changes) if changes else spec
