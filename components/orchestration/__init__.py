"""Orchestration: scheduled jobs, alerts that reach the owners, telemetry, and lineage for other tools."""

from .alert_routes import AlertRoutesComponent
from .openlineage import OpenLineageComponent
from .scheduled_job import ScheduledJobComponent
from .telemetry import TelemetryComponent

__all__ = ["AlertRoutesComponent", "OpenLineageComponent", "ScheduledJobComponent", "TelemetryComponent"]
