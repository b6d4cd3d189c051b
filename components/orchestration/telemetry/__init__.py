"""Telemetry: what the event log says about ended runs, as OpenTelemetry metrics and traces."""

from .component import TelemetryComponent

__all__ = ["TelemetryComponent"]
