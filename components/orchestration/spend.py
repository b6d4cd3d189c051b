"""What assets have cost in each month, read from the metadata of what ran."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Event

COST = "cost_usd"
_EVENTS = {Event.ASSET_MATERIALIZATION_PLANNED, Event.ASSET_MATERIALIZATION, Event.STEP_FAILURE}
NOBODY = "nobody"


@dataclass
class Spend:
    """US dollars by month and asset.

    Args:
        usd: Sums by month, as YYYY-MM in UTC, and asset key.
    """

    usd: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, instance: dg.DagsterInstance, run_id: str) -> None:
        """Add what a run has cost: its materialisations, and its failed steps where their Failure says it."""
        for moment, asset, usd in costs(instance, run_id):
            month = self.usd.setdefault(month_of(moment), {})
            month[asset] = round(month.get(asset, 0.0) + usd, 6)

    def keep(self, months: int) -> None:
        """Forget all but the newest months."""
        self.usd = {month: self.usd[month] for month in sorted(self.usd)[-months:]}

    def by_owner(self, month: str, graph: Any, budgets: Mapping[str, Any]) -> dict[str, float]:
        """Sums by owner: of an asset's owners the first with a budget, or else the first; nobody where it has none."""
        sums: dict[str, float] = dict.fromkeys(budgets, 0.0)
        for name, usd in self.usd.get(month, {}).items():
            key = dg.AssetKey.from_user_string(name)
            owners = graph.get(key).owners if graph.has(key) else []
            owner = next((owner for owner in owners if owner in budgets), owners[0] if owners else NOBODY)
            sums[owner] = round(sums.get(owner, 0.0) + usd, 6)
        return sums


def costs(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[float, str, float]]:
    """Moment, asset and US dollars of everything in a run that says what it cost."""
    entries = instance.all_logs(run_id, of_type=_EVENTS)
    planned: dict[str, str] = {}
    for entry in entries:
        event: Any = entry.dagster_event
        if event.event_type is Event.ASSET_MATERIALIZATION_PLANNED:
            planned.setdefault(event.step_key, event.asset_key.to_user_string())
        elif event.event_type is Event.ASSET_MATERIALIZATION:
            usd = number(event.materialization.metadata.get(COST))
            if usd:
                yield entry.timestamp, event.asset_key.to_user_string(), usd
        elif event.step_key in planned and event.step_failure_data.user_failure_data:
            usd = number(event.step_failure_data.user_failure_data.metadata.get(COST))
            if usd:
                yield entry.timestamp, planned[event.step_key], usd


def number(value: Any) -> float | None:
    """The number in a metadata value; None where there is no finite one that is at least 0."""
    found = getattr(value, "value", value)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if math.isfinite(found) and found >= 0 else None


def month_of(moment: float) -> str:
    """The calendar month of a moment in seconds since 1970, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m")


def start_of(month: str) -> float:
    """The first moment of a month, in seconds since 1970."""
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp()
