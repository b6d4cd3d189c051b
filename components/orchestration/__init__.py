"""Orchestration: scheduled jobs, alerts that reach the owners, and telemetry."""

from .alert_routes import AlertRoutesComponent
from .scheduled_job import ScheduledJobComponent
from .telemetry import TelemetryComponent

__all__ = ["AlertRoutesComponent", "ScheduledJobComponent", "TelemetryComponent"]
