"""The component that reports ended runs to an OpenTelemetry collector."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel

from ...base import StrictComponent
from ..ended_runs import EndedRun, ended_runs, newest_position
from ..routes import graph_of
from . import collector
from .measures import measure
from .points import Points
from .spans import spans_of
from .story import Story, story_of

RUNS_A_BATCH = 50
SECONDS_A_TICK = 20.0
INTERVAL_SECONDS = 30


class TelemetryParams(BaseModel):
    """The scaffolder asks nothing: the collector stands in the environment."""


class TelemetryScaffolder(dg.Scaffolder[TelemetryParams]):
    """Writes telemetry that is on as soon as the environment names a collector."""

    @classmethod
    def get_scaffold_params(cls) -> type[TelemetryParams]:
        """Nothing is asked."""
        return TelemetryParams

    def scaffold(self, request: dg.ScaffoldRequest[TelemetryParams]) -> None:
        """Write ``defs.yaml``."""
        dg.scaffold_component(request, {"tags": ["team", "experiment"], "default_status": "running"})


@dg.scaffold_with(TelemetryScaffolder)
@dataclass
class TelemetryComponent(StrictComponent):
    """OpenTelemetry metrics and traces of every run, for DataDog, Prometheus, Grafana and others that take OTLP.

    Two sensors read what ended runs wrote into the event log and send it by HTTP to the collector of the standard
    variables, such as ``OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318``; without one nothing is sent. Runs of every
    process count, each once. A collector that does not answer fails no run: the tick says so, and what it missed is
    sent when it is back.

    .. code-block:: yaml

        type: components.TelemetryComponent
        attributes:
          tags: [team, experiment]
          default_status: running
    """

    name: Annotated[
        str,
        dg.Resolver.default(
            description="What the names of the two sensors start with.",
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"},
        ),
    ] = "telemetry"
    tags: Annotated[
        list[str],
        dg.Resolver.default(
            description="Tags of assets and runs that metrics and spans carry as dagster.tag.<name>; "
            "every value is a time series of its own.",
            examples=[["team", "experiment"]],
        ),
    ] = field(default_factory=lambda: ["team", "experiment"])
    default_status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether telemetry is on until somebody switches it in the web UI."),
    ] = "running"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The sensors; they import OpenTelemetry when they have something to send."""
        status = dg.DefaultSensorStatus(self.default_status.upper())
        evaluations: dict[str, Callable[..., Any]] = {
            "metrics": _Metrics(self.tags).tick,
            "traces": _Traces(self.tags).tick,
        }
        sensors = [
            dg.SensorDefinition(
                name=f"{self.name}_{signal}",
                evaluation_fn=evaluation,
                minimum_interval_seconds=INTERVAL_SECONDS,
                description=f"Sends the {signal} of ended runs to the collector of OTEL_EXPORTER_OTLP_ENDPOINT.",
                default_status=status,
            )
            for signal, evaluation in evaluations.items()
        ]
        return dg.Definitions(sensors=sensors)


@dataclass
class _Signal(ABC):
    """Sends what ended since the last time, batch by batch; the cursor moves on only behind what was taken."""

    tags: list[str]
    signal: collector.Signal = "traces"

    def tick(self, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Send, or say why not.

        Raises:
            CollectorError: the collector took nothing; the cursor stays where it is.
        """
        if not collector.is_on(self.signal):
            reason = f"Off: OTEL_EXPORTER_OTLP_ENDPOINT names no collector for {self.signal}, or telemetry is disabled."
            return _at(newest_position(context.instance), reason)
        if not context.cursor:
            return _at(newest_position(context.instance), "Watching runs from now on.")
        started, sent, limit = time.monotonic(), 0, RUNS_A_BATCH
        position = int(json.loads(context.cursor)["position"])
        while True:
            runs, reached = ended_runs(context, position, limit)
            stories = [story for ended in runs if (story := self._story(context, ended))]
            try:
                self.send(context, stories)
            except collector.CollectorError as error:
                if error.too_much and len(runs) > 1:
                    limit = len(runs) // 2
                    continue
                behind = f"{error}; {len(stories)} or more runs are sent when it does"
                if sent == 0:
                    raise collector.CollectorError(behind) from None
                return _at(position, f"{sent} runs sent; then {behind}.")
            position, sent = reached, sent + len(stories)
            if len(runs) < limit or time.monotonic() - started > SECONDS_A_TICK:
                return _at(position, f"{sent} runs sent.")

    def _story(self, context: dg.SensorEvaluationContext, ended: EndedRun) -> Story | None:
        try:
            return story_of(context.instance, ended.run.run_id, ended.ended)
        except Exception as error:  # one run that cannot be read must not hold up all others
            context.log.error(f"run {ended.run.run_id} is left out: {type(error).__name__}: {error}")
            return None

    @abstractmethod
    def send(self, context: dg.SensorEvaluationContext, stories: list[Story]) -> None:
        """Send some runs, all or none."""


@dataclass
class _Traces(_Signal):
    """A trace for each run."""

    def send(self, context: dg.SensorEvaluationContext, stories: list[Story]) -> None:
        """Send the spans of some runs."""
        if not stories:
            return
        graph, scope = graph_of(context), collector.scope()
        resource = collector.resource(_location(context))
        spans = [span for story in stories for span in spans_of(story, graph, self.tags, resource, scope)]
        collector.send_spans(spans)


@dataclass
class _Metrics(_Signal):
    """Metrics of all runs: totals since this process began, or what is new, as the collector wants them."""

    signal: collector.Signal = "metrics"
    totals: Points = field(default_factory=Points)
    since: float = field(default_factory=time.time)

    def send(self, context: dg.SensorEvaluationContext, stories: list[Story]) -> None:
        """Send metrics; totals are sent also when nothing is new, as a store forgets series that are not."""
        delta = collector.wants_delta()
        points = Points() if delta else self.totals.copy()
        graph = graph_of(context)
        for story in stories:
            measure(points, story, graph, self.tags)
        if not points:
            return
        now = time.time()
        collector.send_metrics(points.metrics(self.since, now, cumulative=not delta), _location(context))
        if delta:
            self.since = now
        else:
            self.totals = points


def _location(context: dg.SensorEvaluationContext) -> str | None:
    origin = context.code_location_origin
    return origin.location_name if origin else None


def _at(position: int, reason: str) -> dg.SensorResult:
    return dg.SensorResult(cursor=json.dumps({"position": position}), skip_reason=reason)
