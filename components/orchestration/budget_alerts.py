"""Alerts about budgets that are nearly or wholly spent, once each in a month."""

import json
import time
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ..governance import Policy
from .ended_runs import ended_runs, position_before
from .routes import Routes, graph_of
from .spend import Spend, month_of, start_of

RUNS_A_TICK = 200
KEPT_MONTHS = 2


@dataclass
class BudgetAlerts:
    """Messages about the budgets of policy.yaml, and a table of what was spent.

    The cursor keeps the sums of this month and the last, so that no run counts twice, and what was told.

    Args:
        routes: Who is told.
        policy: Has the budgets.
        table: Asset whose metadata shows the table; none where nobody wants it.
    """

    routes: Routes
    policy: Policy
    table: dg.AssetKey | None

    def tick(self, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Count the runs that ended since the last time, from the month's start on, and tell what was reached."""
        month = month_of(time.time())
        state = json.loads(context.cursor) if context.cursor else {}
        position = state.get("position")
        if position is None:
            position = position_before(context.instance, start_of(month))
        runs, position = ended_runs(context, position, RUNS_A_TICK)
        spend = Spend(state.get("usd", {}))
        for ended in runs:
            spend.add(context.instance, ended.run.run_id)
        spend.keep(KEPT_MONTHS)
        told = {name: shares for name, shares in state.get("told", {}).items() if name in spend.usd}
        for name in spend.usd:
            self._tell(context, name, spend, told.setdefault(name, {}))
        events = [self._shown(context, month, spend)] if self.table and (runs or not context.cursor) else []
        cursor = json.dumps({"position": position, "usd": spend.usd, "told": told})
        reason = f"{len(runs)} runs counted; {sum(spend.usd.get(month, {}).values()):.2f} USD spent in {month}."
        return dg.SensorResult(cursor=cursor, skip_reason=reason, asset_events=events)

    def _tell(self, context: Any, month: str, spend: Spend, told: dict[str, float]) -> None:
        graph = graph_of(context)
        sums = spend.by_owner(month, graph, self.policy.budgets)
        for owner, budget in self.policy.budgets.items():
            share = sums[owner] / budget.monthly_usd
            reached = next((step for step in (1.0, budget.warn_at) if share >= step), None)
            if reached is None or told.get(owner, 0) >= reached:
                continue
            title = f"Budget of {owner}: {share:.0%} spent in {month}"
            lines = [f"{sums[owner]:,.2f} of {budget.monthly_usd:,.2f} USD ({month}, UTC). Most of it:"]
            lines += [f"- {asset}: {usd:,.2f} USD" for asset, usd in self._dearest(month, owner, spend, graph)]
            route = self.policy.route_of([owner]) or self.routes.default
            if self.routes.tell(context.log, route, title, title, lines, "failure" if reached == 1 else "warning"):
                told[owner] = reached

    def _dearest(self, month: str, owner: str, spend: Spend, graph: Any) -> list[tuple[str, float]]:
        costs = spend.usd.get(month, {})
        theirs = [
            asset
            for asset in costs
            if Spend({month: {asset: costs[asset]}}).by_owner(month, graph, self.policy.budgets).get(owner)
        ]
        return [(asset, costs[asset]) for asset in sorted(theirs, key=lambda asset: -costs[asset])[:5]]

    def _shown(self, context: Any, month: str, spend: Spend) -> dg.AssetMaterialization:
        sums = spend.by_owner(month, graph_of(context), self.policy.budgets)
        records = []
        for owner, usd in sorted(sums.items(), key=lambda item: -item[1]):
            budget = self.policy.budgets.get(owner)
            share = f"{usd / budget.monthly_usd:.1%}" if budget else "no budget"
            limit = budget.monthly_usd if budget else 0.0
            records.append(dg.TableRecord({"owner": owner, "spent_usd": usd, "budget_usd": limit, "spent": share}))
        columns = [("owner", "string"), ("spent_usd", "float"), ("budget_usd", "float"), ("spent", "string")]
        schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns])
        metadata: dict[str, Any] = {
            "month": month,
            "spent_usd": round(sum(sums.values()), 6),
            "budgets": dg.MetadataValue.table(records, schema),
        }
        assert self.table  # noqa: S101 - asked by the caller
        return dg.AssetMaterialization(asset_key=self.table, metadata=metadata)
