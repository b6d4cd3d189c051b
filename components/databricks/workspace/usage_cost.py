"""What the bill says, day by day, and which asset it is for."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import dagster as dg

from .client import Workspace
from .statements import rows

RUN_ID, UPDATE = "databricks/run_id", "update"
_READ_BACK = 200
_DAYS_BEFORE = 3
_QUERY = """\
SELECT u.usage_date, u.custom_tags['dagster_asset'] AS asset, u.custom_tags['cost_owner'] AS owner,
       u.usage_metadata.job_run_id AS job_run, u.usage_metadata.dlt_update_id AS pipeline_update,
       u.usage_metadata.budget_policy_id AS budget_policy,
       sum(u.usage_quantity * p.pricing.effective_list.default) AS usd
FROM system.billing.usage AS u
JOIN system.billing.list_prices AS p
  ON u.sku_name = p.sku_name AND u.cloud = p.cloud AND u.usage_unit = p.usage_unit
 AND u.usage_end_time >= p.price_start_time AND (p.price_end_time IS NULL OR u.usage_end_time < p.price_end_time)
WHERE u.usage_date >= date_sub(current_date(), {days})
GROUP BY ALL"""


@dataclass
class Costs:
    """US dollars by day, asset and owner; an asset without a slash is a remainder that no asset is known for."""

    entries: list[tuple[dt.date, str, str, float]] = field(default_factory=list)

    def totals(self) -> dict[str, float]:
        """By asset."""
        found: dict[str, float] = defaultdict(float)
        for _, asset, _, usd in self.entries:
            found[asset] += usd
        return dict(found)

    def of_month(self, *, by_owner: bool = False) -> dict[str, float]:
        """Of the latest calendar month that the bill has, by asset or by owner."""
        found: dict[str, float] = defaultdict(float)
        latest = max((day for day, *_ in self.entries), default=dt.date.min)
        for day, asset, owner, usd in self.entries:
            if (day.year, day.month) == (latest.year, latest.month):
                found[owner if by_owner else asset] += usd
        return dict(found)

    def by_day(self) -> dict[str, dict[dt.date, float]]:
        """By asset and day."""
        found: dict[str, dict[dt.date, float]] = defaultdict(lambda: defaultdict(float))
        for day, asset, _, usd in self.entries:
            found[asset][day] += usd
        return found


def fetched_costs(workspace: Workspace, instance: dg.DagsterInstance, days: int) -> Costs:
    """What the bill says about the last days.

    Args:
        workspace: Where.
        instance: Knows which materialisations came from which runs and updates.
        days: How many.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    found = rows(workspace, "reading system.billing.usage", _QUERY.format(days=int(days)))
    known = _assets_of_runs(instance, days)
    names = {key.to_user_string() for key in instance.get_asset_keys()}
    tagged = {name.replace("/", "-"): name for name in names}  # as a tag has it
    policies = {policy: owner for owner, policy in workspace.policy.databricks.budget_policies.items()}
    costs = Costs()
    for day, asset, owner, run, update, budget, usd in found:
        share = known.get(str(run)) or known.get(str(update)) or ([tagged.get(asset, asset)] if asset else [])
        paying = owner or policies.get(budget, "nobody").removeprefix("team:")
        for each in share or [f"budget policy {budget}" if budget else "unattributed"]:
            costs.entries.append((day, each, paying, float(usd) / max(len(share), 1)))
    return costs


def anomalies(costs: Costs, factor: float, from_usd: float) -> list[str]:
    """The assets whose latest day cost much more than the days before it.

    Args:
        costs: What they cost.
        factor: How many times the median is too much.
        from_usd: Cost of a day below which nothing is.
    """
    found = []
    latest = max((day for day, *_ in costs.entries), default=None)
    for asset, by_day in sorted(costs.by_day().items()):
        before = [usd for day, usd in by_day.items() if day != latest]
        if latest is None or len(before) < _DAYS_BEFORE:
            continue
        cost, usual = by_day.get(latest, 0.0), median(before)
        if cost >= from_usd and cost > factor * usual:
            found.append(f"{asset}: {cost:.2f} USD on {latest}, usually {usual:.2f}")
    return found


def _assets_of_runs(instance: dg.DagsterInstance, days: int) -> dict[str, list[str]]:
    """The assets of job runs and pipeline updates, as their materialisations name them."""
    found: dict[str, list[str]] = defaultdict(list)
    since = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days + 1)).timestamp()
    for key in instance.get_asset_keys():
        wanted = dg.AssetRecordsFilter(asset_key=key, after_timestamp=since)
        for record in instance.fetch_materializations(wanted, limit=_READ_BACK).records:
            metadata: Any = record.asset_materialization.metadata if record.asset_materialization else {}
            for value in (metadata[name].value for name in (RUN_ID, UPDATE) if name in metadata):
                identity, asset = str(value).rpartition("/")[2], key.to_user_string()  # an update is named by its page
                if asset not in found[identity]:
                    found[identity].append(asset)
    return dict(found)
