"""The component that reports ended runs as OpenLineage events."""

from dataclasses import dataclass
from typing import Annotated, Literal

import dagster as dg
from pydantic import BaseModel

from ...base import StrictComponent
from ..delivery import Delivery, code_location
from ..routes import graph_of
from ..story import Story
from . import receiver

INTERVAL_SECONDS = 30


class OpenLineageParams(BaseModel):
    """The scaffolder asks nothing: the receiver stands in the environment."""


class OpenLineageScaffolder(dg.Scaffolder[OpenLineageParams]):
    """Writes a component that sends events as soon as the environment names a receiver."""

    @classmethod
    def get_scaffold_params(cls) -> type[OpenLineageParams]:
        """Nothing is asked."""
        return OpenLineageParams

    def scaffold(self, request: dg.ScaffoldRequest[OpenLineageParams]) -> None:
        """Write ``defs.yaml``."""
        dg.scaffold_component(request, {"namespace": "data_platform", "default_status": "running"})


@dg.scaffold_with(OpenLineageScaffolder)
@dataclass
class OpenLineageComponent(StrictComponent):
    """OpenLineage events of every run, for Marquez, DataHub, OpenMetadata and others that take them.

    A sensor reads what ended runs wrote into the event log and sends it by HTTP to ``OPENLINEAGE_URL``, with the key in
    ``OPENLINEAGE_API_KEY`` where one is set; without an address nothing is sent. Every run is a job, and every asset
    that it made a job below it with its inputs and outputs, their columns, column lineage, owners, rows and checks.
    Runs of every process count, ``dg launch`` too. A receiver that does not answer fails no run: the tick says so, and
    what it missed is sent when it is back.

    .. code-block:: yaml

        type: components.OpenLineageComponent
        attributes:
          namespace: data_platform
          default_status: running
    """

    namespace: Annotated[
        str | None,
        dg.Resolver.default(
            description="Namespace of jobs and datasets; the code location's name when left out.",
            examples=["data_platform"],
            json_schema_extra={"pattern": r"^[^\s]+$"},
        ),
    ] = None
    name: Annotated[
        str,
        dg.Resolver.default(description="Name of the sensor.", json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"}),
    ] = "openlineage"
    default_status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether events are sent until somebody switches it in the web UI."),
    ] = "running"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The sensor; it imports OpenLineage's client when it has something to send."""
        sensor = dg.SensorDefinition(
            name=self.name,
            evaluation_fn=_Events(self.namespace).tick,
            minimum_interval_seconds=INTERVAL_SECONDS,
            description="Sends OpenLineage events of ended runs to OPENLINEAGE_URL.",
            default_status=dg.DefaultSensorStatus(self.default_status.upper()),
        )
        return dg.Definitions(sensors=[sensor])


@dataclass
class _Events(Delivery):
    """START and COMPLETE, FAIL or ABORT of each run and of each asset in it."""

    namespace: str | None

    @property
    def off(self) -> str | None:
        """Why nothing is sent."""
        return None if receiver.is_on() else "Off: OPENLINEAGE_URL names no receiver, or OPENLINEAGE_DISABLED is set."

    def send(self, context: dg.SensorEvaluationContext, stories: list[Story]) -> None:
        """Send the events of some runs; a receiver keeps one that comes twice only once."""
        from .events import Lineage

        if stories:
            lineage = Lineage(self.namespace or code_location(context) or "dagster", graph_of(context))
            receiver.send(event for story in stories for event in lineage.events(story))
