"""Orchestration: scheduled jobs, and alerts that reach the owners."""

from .alert_routes import AlertRoutesComponent
from .scheduled_job import ScheduledJobComponent

__all__ = ["AlertRoutesComponent", "ScheduledJobComponent"]
