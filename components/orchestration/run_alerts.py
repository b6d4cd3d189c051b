"""Alerts about runs that failed, and about failed checks of runs that went through."""

import json
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import dagster as dg

from ..governance.sla import CHECK as SLA_CHECK
from .ended_runs import EndedRun, ended_runs, newest_position
from .failures import Failures, failures_of
from .routes import Routes, graph_of, named, owned

RUNS_A_TICK = 50
TRIED_FOR_SECONDS = 24 * 3600
MOST_UNSENT = 200


@dataclass
class RunAlerts:
    """Messages about runs, one for each run and route concerned.

    Args:
        routes: Who is told.
    """

    routes: Routes

    def tick(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Tell about the runs that ended since the last time; what a service did not take is tried for a day."""
        state = _State.read(context.cursor)
        if state is None:
            state = _State(newest_position(context.instance))
            return dg.SensorResult(cursor=state.text(), skip_reason=f"Watching runs from {state.position} on.")
        late = [entry for entry in state.unsent if time.time() - entry["ended"] < TRIED_FOR_SECONDS]
        state.unsent = []
        for entry in late:
            run = context.instance.get_run_by_id(entry["run"])
            if run:
                self._report(context, state, EndedRun(0, entry["ended"], run), set(entry["routes"]))
        runs, state.position = ended_runs(context, state.position, RUNS_A_TICK)
        for ended in runs:
            self._report(context, state, ended, None)
        state.unsent = state.unsent[-MOST_UNSENT:]
        reason = f"{len(runs)} runs ended, {len(state.unsent)} to be told again."
        return dg.SensorResult(cursor=state.text(), skip_reason=reason)

    def _report(
        self, context: dg.SensorEvaluationContext, state: "_State", ended: EndedRun, only: set[str | None] | None
    ) -> None:
        try:
            unsent = [route for route in self._told(context, ended.run, only) if route]
        except Exception as error:  # the other runs are told all the same, each once
            context.log.error(f"run {ended.run.run_id} was not reported: {type(error).__name__}: {error}")
            return
        if unsent:
            state.unsent.append({"run": ended.run.run_id, "ended": ended.ended, "routes": unsent})

    def _told(
        self, context: dg.SensorEvaluationContext, run: dg.DagsterRun, only: set[str | None] | None
    ) -> list[str | None]:
        """Tell the routes about a run; those that did not take it."""
        found = failures_of(context.instance, run.run_id)
        graph = graph_of(context)
        nodes = [graph.get(key) if graph.has(key) else _unknown(key) for key in found.keys]
        # Late data is told by the SLA alerts, once and not at every look.
        found.checks = {
            node.key: kept
            for node in nodes
            if (kept := [text for text in found.checks.get(node.key, []) if not _is_sla(node, text)])
        }
        routed = self.routes.of_assets(node for node in nodes if node.key in found.keys)
        if not routed and found.errors:
            routed = {self.routes.default: []}
        unsent = []
        for route, concerned in routed.items():
            if only is None or route in only:
                about = f"run {run.run_id} ({named('failed', concerned)})"
                title, lines = self._message(run, found, concerned)
                if not self.routes.tell(context.log, route, about, title, lines, "failure"):
                    unsent.append(route)
        return unsent

    def _message(self, run: dg.DagsterRun, found: Failures, nodes: list[Any]) -> tuple[str, list[str]]:
        job = "assets run by hand" if run.job_name.startswith("__") else run.job_name
        partition = run.tags.get("dagster/partition")
        lines = [f"Run {run.run_id}" + (f", partition {partition}" if partition else "")]
        lines += self.routes.link(f"runs/{run.run_id}")
        for node in nodes:
            lines.append(f"- {owned(node)}")
            lines += [f"    failed check {check}" for check in found.checks.get(node.key, [])]
        lines += [
            f"Error in {step}: {error}" if step else f"Error: {error}"
            for step, error in found.errors_of([node.key for node in nodes]).items()
        ]
        return named(f"{job} failed" if found.errors else f"Checks of {job} failed", nodes), lines


def _is_sla(node: Any, check: str) -> bool:
    return check.split(":")[0] == SLA_CHECK and getattr(node, "freshness_policy_or_from_metadata", None) is not None


def _unknown(key: dg.AssetKey) -> Any:
    """An asset that the run had and the project has no more."""
    return SimpleNamespace(key=key, owners=[], tags={})


@dataclass
class _State:
    """What the cursor keeps."""

    position: int
    unsent: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, cursor: str | None) -> "_State | None":
        return cls(**json.loads(cursor)) if cursor else None

    def text(self) -> str:
        return json.dumps(vars(self))
