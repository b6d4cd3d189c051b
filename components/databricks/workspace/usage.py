"""The component that says what assets really cost in the workspace, and holds it against budgets."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ...attributes import AssetKeys, Description, Group, Owners, Tags
from ...base import StrictComponent
from .client import Workspace
from .one_asset import Key, one_asset
from .usage_cost import Costs, anomalies, fetched_costs

WITHIN_BUDGET, NO_ANOMALY = "within_budget", "no_anomaly"


class UsageCostScaffolder(dg.Scaffolder[Any]):
    """Writes the costs of all assets."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        description = "What each asset really cost in the workspace."
        dg.scaffold_component(request, {"key": "costs/databricks", "description": description})


@dg.scaffold_with(UsageCostScaffolder)
@dataclass(kw_only=True)
class UsageCostComponent(StrictComponent):
    """Actual cost of each asset, from ``system.billing.usage`` and list prices, held against budgets.

    Clusters carry the asset as a tag. Serverless compute carries none: its cost is found by the job run or the pipeline
    update that a materialisation names, and what is left goes to the owner of its budget policy. A run of several
    assets is shared among them equally. Budgets are those of policy.yaml by owner, and those here by asset.

    .. code-block:: yaml

        type: components.UsageCostComponent
        attributes:
          key: costs/databricks
          description: What each asset really cost in the workspace.
          days: 30
          budgets: {sales/orders: 50}
          anomaly_factor: 3
          owners: ["team:platform"]
          tags: {domain: platform}
    """

    key: Key
    description: Description
    days: Annotated[
        int,
        dg.Resolver.default(description="Days that are looked at.", json_schema_extra={"minimum": 2, "maximum": 365}),
    ] = 30
    budgets: Annotated[
        dict[str, float],
        dg.Resolver.default(description="US dollars a calendar month, by asset key.", examples=[{"sales/orders": 50}]),
    ] = field(default_factory=dict)
    anomaly_factor: Annotated[
        float,
        dg.Resolver.default(
            description="How many times the usual cost of a day is an anomaly.",
            json_schema_extra={"exclusiveMinimum": 1},
        ),
    ] = 3.0
    anomaly_from_usd: Annotated[
        float,
        dg.Resolver.default(description="Cost of a day below which nothing is one.", json_schema_extra={"minimum": 0}),
    ] = 1.0
    depends_on: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The costs as an asset with two checks."""
        asset = self.key.split("/")
        checks = [
            dg.AssetCheckSpec(WITHIN_BUDGET, asset=asset, description="This month is within the budgets."),
            dg.AssetCheckSpec(NO_ANOMALY, asset=asset, description="No asset cost much more than usual."),
        ]
        return one_asset(self, context.project_root, "cost", "costs", self.costs, checks)

    def costs(self, workspace: Workspace, context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Costs by asset, and what is wrong with them.

        Raises:
            WorkspaceError: the workspace refuses, or does not answer.
        """
        policy = workspace.policy
        found = fetched_costs(workspace, context.instance, self.days)
        month = found.of_month()
        owners = found.of_month(by_owner=True)
        over = [
            f"{key}: {month[key]:.2f} of {limit:g} USD"
            for key, limit in self.budgets.items()
            if month.get(key, 0) > limit
        ]
        for owner, budget in policy.budgets.items():
            spent = owners.get(owner.removeprefix("team:"), 0.0)
            if spent > budget.monthly_usd:
                over.append(f"{owner}: {spent:.2f} of {budget.monthly_usd:g} USD")
        odd = anomalies(found, self.anomaly_factor, self.anomaly_from_usd)
        return dg.MaterializeResult(
            metadata=_metadata(found, month),
            check_results=[_result(WITHIN_BUDGET, over), _result(NO_ANOMALY, odd)],
        )


def _metadata(found: Costs, month: dict[str, float]) -> dict[str, Any]:
    totals = found.totals()
    lines = [
        f"| {key} | {usd:.2f} | {month.get(key, 0):.2f} |" for key, usd in sorted(totals.items(), key=lambda e: -e[1])
    ]
    table = "\n".join(["| asset | USD | USD this month |", "| --- | ---: | ---: |", *lines])
    return {
        "costs": dg.MetadataValue.md(table),
        "total_usd": round(sum(totals.values()), 6),
        "unattributed_usd": round(sum(usd for key, usd in totals.items() if "/" not in key), 6),
    }


def _result(name: str, problems: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
    )
