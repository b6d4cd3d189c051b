"""The component that tells owners when their assets fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel

from ..base import StrictComponent
from ..governance import Policy, policy_for
from .failures import Failures, failures_of
from .notify import AddressMissingError, NotSentError, send


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


@dg.scaffold_with(AlertRoutesScaffolder)
@dataclass
class AlertRoutesComponent(StrictComponent):
    """Alerts to the owners of what failed, along the alert_routes of policy.yaml.

    Every failed run, and every run with failed checks of severity ERROR, sends one message to each route concerned:
    that of the tag ``alert_route`` of each asset. The addresses stay in environment variables. Runs of the web UI,
    schedules and sensors are watched; ``dg launch`` shows its own result, and Dagster's sensors do not see it.

    .. code-block:: yaml

        type: components.AlertRoutesComponent
        attributes:
          default_route: data
          webserver_url: https://dagster.example.com
    """

    name: Annotated[
        str,
        dg.Resolver.default(
            description="What the names of the two sensors start with.",
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
            description="Address of Dagster's web UI, for links to runs.",
            examples=["https://dagster.example.com"],
            json_schema_extra={"pattern": "^https?://"},
        ),
    ] = None
    default_status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether alerts are on until somebody switches them in the web UI."),
    ] = "running"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Two sensors: one for failed runs, one for failed checks of runs that succeeded.

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
        alerts = _Alerts(policy, self.default_route, self.webserver_url)
        status = dg.DefaultSensorStatus(self.default_status.upper())

        @dg.run_status_sensor(
            run_status=dg.DagsterRunStatus.FAILURE,
            name=f"{self.name}_failed_runs",
            description="Tells the owners of assets that a run failed to make.",
            default_status=status,
        )
        def failed_runs(context: dg.RunStatusSensorContext) -> None:
            alerts.report(context)

        @dg.run_status_sensor(
            run_status=dg.DagsterRunStatus.SUCCESS,
            name=f"{self.name}_failed_checks",
            description="Tells the owners of assets whose checks failed in a run that went through.",
            default_status=status,
        )
        def failed_checks(context: dg.RunStatusSensorContext) -> None:
            alerts.report(context)

        return dg.Definitions(sensors=[failed_runs, failed_checks])


@dataclass
class _Alerts:
    """Messages about runs, one for each route concerned."""

    policy: Policy
    default_route: str | None
    webserver_url: str | None
    silent: set[str] = field(default_factory=set)

    def report(self, context: dg.RunStatusSensorContext) -> None:
        """Tell every route about its part of what went wrong; what cannot be sent is logged."""
        run = context.dagster_run
        found = failures_of(context.instance, run.run_id)
        graph: Any = context.repository_def.asset_graph if context.repository_def else None
        nodes = {key: graph.get(key) if graph and graph.has(key) else None for key in found.keys}
        for route, keys in self._routed(nodes, found).items():
            if route is None:
                named = ", ".join(key.to_user_string() for key in sorted(keys)) or run.job_name
                context.log.warning(f"run {run.run_id}: no alert route for {named}; set owners or default_route")
            elif route not in self.policy.alert_routes:
                context.log.error(f"alert route {route!r} is not in policy.yaml; run {run.run_id} was not reported")
            else:
                self._send(context, route, *self._message(run, found, {key: nodes[key] for key in sorted(keys)}))

    def _routed(self, nodes: Mapping[dg.AssetKey, Any], found: Failures) -> dict[str | None, set[dg.AssetKey]]:
        routed: dict[str | None, set[dg.AssetKey]] = {}
        for key, node in nodes.items():
            route = node.tags.get("alert_route") or self.policy.route_of(node.owners) if node else None
            routed.setdefault(route or self.default_route, set()).add(key)
        if not routed and found.errors:
            routed[self.default_route] = set()
        return routed

    def _message(self, run: dg.DagsterRun, found: Failures, nodes: Mapping[dg.AssetKey, Any]) -> tuple[str, str]:
        job = "assets run by hand" if run.job_name.startswith("__") else run.job_name
        names = [key.to_user_string() for key in nodes]
        concerned = f": {', '.join(names[:3])}{', …' if len(names) > 3 else ''}" if names else ""
        title = f"{job} failed{concerned}" if found.errors else f"Checks of {job} failed{concerned}"
        lines = [f"Run {run.run_id}" + (f", partition {part}" if (part := _partition(run)) else "")]
        if self.webserver_url:
            lines.append(f"{self.webserver_url.rstrip('/')}/runs/{run.run_id}")
        for key, node in nodes.items():
            owners = ", ".join(node.owners) if node else ""
            lines.append(f"- {key.to_user_string()}" + (f" ({owners})" if owners else ""))
            lines += [f"    failed check {check}" for check in found.checks.get(key, [])]
        lines += [
            f"Error in {step}: {error}" if step else f"Error: {error}" for step, error in found.errors_of(nodes).items()
        ]
        return title, "\n".join(lines)

    def _send(self, context: dg.RunStatusSensorContext, route: str, title: str, body: str) -> None:
        try:
            send(self.policy.alert_routes[route].url_env, title, body)
        except AddressMissingError as error:
            if route not in self.silent:
                context.log.warning(f"alert route {route!r}: {error}")
            self.silent.add(route)
        except NotSentError as error:
            context.log.error(f"alert route {route!r}: {error}")


def _partition(run: dg.DagsterRun) -> str | None:
    return run.tags.get("dagster/partition")
