"""The component that reports ended runs to an OpenTelemetry collector."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel

from ...base import StrictComponent
from ..delivery import Delivery, code_location
from ..routes import graph_of
from ..story import Story
from . import collector
from .measures import measure
from .points import Points
from .spans import spans_of

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
class _Signal(Delivery):
    """A signal that the environment may want."""

    tags: list[str]
    signal: collector.Signal = "traces"

    @property
    def off(self) -> str | None:
        """Why nothing is sent."""
        if collector.is_on(self.signal):
            return None
        return f"Off: OTEL_EXPORTER_OTLP_ENDPOINT names no collector for {self.signal}, or telemetry is disabled."


@dataclass
class _Traces(_Signal):
    """A trace for each run."""

    def send(self, context: dg.SensorEvaluationContext, stories: list[Story]) -> None:
        """Send the spans of some runs."""
        if not stories:
            return
        graph, scope = graph_of(context), collector.scope()
        resource = collector.resource(code_location(context))
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
        collector.send_metrics(points.metrics(self.since, now, cumulative=not delta), code_location(context))
        if delta:
            self.since = now
        else:
            self.totals = points
