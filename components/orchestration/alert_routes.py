"""The component that tells owners when their assets fail, are late, or cost too much."""

from dataclasses import dataclass
from typing import Annotated, Literal

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import AssetKeyText, Group, Owners, Tags
from ..base import StrictComponent, StrictModel
from ..governance import policy_for
from .budget_alerts import BudgetAlerts
from .routes import Routes
from .run_alerts import RunAlerts
from .sla_alerts import SlaAlerts


class AlertRoutesParams(BaseModel):
    """The scaffolder asks nothing: routes stand in policy.yaml."""


class AlertRoutesScaffolder(dg.Scaffolder[AlertRoutesParams]):
    """Writes alerts that are on."""

    @classmethod
    def get_scaffold_params(cls) -> type[AlertRoutesParams]:
        """Nothing is asked."""
        return AlertRoutesParams

    def scaffold(self, request: dg.ScaffoldRequest[AlertRoutesParams]) -> None:
        """Write ``defs.yaml``."""
        dg.scaffold_component(request, {"default_status": "running", "webserver_url": "http://localhost:3000"})


class SpendAsset(StrictModel):
    """An asset that nothing runs: a sensor reports to it what each owner has spent this month."""

    key: AssetKeyText
    owners: Owners = Field(default_factory=list)
    group: Group = None
    tags: Tags = Field(default_factory=dict)


@dg.scaffold_with(AlertRoutesScaffolder)
@dataclass
class AlertRoutesComponent(StrictComponent):
    """Alerts to the owners of what failed, is late or costs too much, along the alert_routes of policy.yaml.

    Every failed run, and every run with failed checks of severity ERROR, sends one message to each route concerned:
    that of the tag ``alert_route`` of each asset, or of its owner. So does data that misses its deadline
    (``sla_minutes`` or a freshness policy), once when it becomes late and once when it is fresh again, and a budget of
    policy.yaml at ``warn_at`` and when it is spent, once each in a month. The addresses stay in environment variables.
    A message that a service did not take is sent again. All runs are watched, also those of ``dg launch``.

    .. code-block:: yaml

        type: components.AlertRoutesComponent
        attributes:
          webserver_url: https://dagster.example.com
          default_status: running
    """

    name: Annotated[
        str,
        dg.Resolver.default(
            description="What the names of the sensors start with.",
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"},
        ),
    ] = "alert_routes"
    default_route: Annotated[
        str | None,
        dg.Resolver.default(description="Route of alerts about assets that have none, and about jobs without assets."),
    ] = None
    webserver_url: Annotated[
        str | None,
        dg.Resolver.default(
            description="Address of Dagster's web UI, for links to runs and assets.",
            examples=["https://dagster.example.com"],
            json_schema_extra={"pattern": "^https?://"},
        ),
    ] = None
    spend_asset: Annotated[
        SpendAsset | None,
        dg.Resolver.default(description="Asset whose metadata shows what each owner has spent this month."),
    ] = None
    default_status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether alerts are on until somebody switches them in the web UI."),
    ] = "running"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The sensors: one for runs, one for deadlines, and one for budgets where somebody has one.

        Raises:
            PolicyError: policy.yaml is missing or broken.
            DagsterInvalidDefinitionError: ``default_route`` is none of its alert_routes.
        """
        policy = policy_for(context.project_root)
        if self.default_route is not None and self.default_route not in policy.alert_routes:
            raise dg.DagsterInvalidDefinitionError(
                f"default_route: {self.default_route!r} is not valid; "
                f"expected one of {', '.join(policy.alert_routes) or 'none'} (alert_routes of policy.yaml)"
            )
        routes = Routes(policy, self.default_route, self.webserver_url)
        status = dg.DefaultSensorStatus(self.default_status.upper())
        table = dg.AssetKey.from_user_string(self.spend_asset.key) if self.spend_asset else None
        sensors = [
            dg.SensorDefinition(
                name=f"{self.name}_runs",
                evaluation_fn=RunAlerts(routes).tick,
                minimum_interval_seconds=30,
                description="Tells the owners of assets that a run failed to make, or whose checks failed.",
                default_status=status,
            ),
            dg.SensorDefinition(
                name=f"{self.name}_sla",
                evaluation_fn=SlaAlerts(routes).tick,
                minimum_interval_seconds=60,
                description="Tells the owners of data that misses its deadline, and when it is fresh again.",
                default_status=status,
            ),
        ]
        if policy.budgets or table:
            sensors.append(
                dg.SensorDefinition(
                    name=f"{self.name}_budgets",
                    evaluation_fn=BudgetAlerts(routes, policy, table).tick,
                    minimum_interval_seconds=300,
                    description="Tells owners how much of their monthly budget is spent.",
                    default_status=status,
                )
            )
        return dg.Definitions(sensors=sensors, assets=list(self._spend_assets()))

    def _spend_assets(self) -> list[dg.AssetSpec]:
        if not self.spend_asset:
            return []
        return [
            dg.AssetSpec(
                dg.AssetKey.from_user_string(self.spend_asset.key),
                description="What each owner has spent in this calendar month, UTC, of the budgets of policy.yaml.",
                owners=self.spend_asset.owners,
                group_name=self.spend_asset.group,
                tags=self.spend_asset.tags,
                kinds={"table"},
            )
        ]
