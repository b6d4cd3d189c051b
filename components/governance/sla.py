"""Deadlines as asset checks: data that is late fails one, and a sensor looks when it is due."""

from collections.abc import Iterable, Set
from datetime import timedelta

import dagster as dg

from .policy import Policy
from .rules import sla_minutes

CHECK = "freshness_check"  # the name that Dagster gives
SENSOR = "sla_checks"


def sla_checks(specs: Iterable[dg.AssetSpec], existing: Set[dg.AssetCheckKey], policy: Policy) -> dg.Definitions | None:
    """Checks of the assets whose tier asks for them, and the sensor that runs them when data becomes late.

    Args:
        specs: The assets, with their deadlines.
        existing: Checks that the project has; one of the same name stays as it is.
        policy: The standards.
    """
    late: dict[tuple[int, dg.AssetCheckSeverity], list[dg.AssetKey]] = {}
    for spec in specs:
        tier, minutes = policy.tiers.get(spec.tags.get("tier", "")), sla_minutes(spec.metadata)
        if tier is None or tier.sla_check == "none" or type(minutes) is not int or minutes < 1:
            continue
        if dg.AssetCheckKey(spec.key, CHECK) not in existing:
            severity = dg.AssetCheckSeverity[tier.sla_check.upper()]
            late.setdefault((minutes, severity), []).append(spec.key)
    if not late:
        return None
    checks = [
        check
        for (minutes, severity), keys in sorted(late.items(), key=lambda found: found[0][0])
        for check in dg.build_last_update_freshness_checks(
            assets=sorted(keys), lower_bound_delta=timedelta(minutes=minutes), severity=severity
        )
    ]
    sensor = dg.build_sensor_for_freshness_checks(
        freshness_checks=checks, name=SENSOR, default_status=dg.DefaultSensorStatus.RUNNING
    )
    return dg.Definitions(asset_checks=checks, sensors=[sensor])
