"""The collector that the standard OTEL_* variables name, over OTLP by HTTP."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

from ..delivery import DeliveryError

Signal = Literal["traces", "metrics"]

_BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
SCOPE = "dagster"


class CollectorError(DeliveryError):
    """The collector did not take a batch."""


def is_on(signal: Signal) -> bool:
    """Whether the environment wants a signal, and names a collector for it."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip().lower() or "otlp"
    return bool(endpoint(signal)) and not disabled and exporter == "otlp"


def endpoint(signal: Signal) -> str:
    """The collector's address as the environment names it; empty where it does not."""
    return (os.environ.get(_variable(signal)) or os.environ.get(_BASE) or "").strip()


def wants_delta() -> bool:
    """Whether the collector wants sums that say only what is new; Prometheus and most others want totals."""
    wanted = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative")
    return wanted.strip().lower() in ("delta", "lowmemory")


def resource(code_location: str | None) -> Any:
    """What sends: a service of the name in OTEL_SERVICE_NAME, or dagster, with OTEL_RESOURCE_ATTRIBUTES."""
    from opentelemetry.sdk.resources import Resource

    said = {"dagster.code_location": code_location} if code_location else {}
    found = Resource.create(said)
    if str(found.attributes.get("service.name", "")).startswith("unknown_service"):
        found = found.merge(Resource({"service.name": "dagster"}))
    return found


def scope() -> Any:
    """What made the telemetry: Dagster, in its version."""
    import dagster as dg
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    return InstrumentationScope(SCOPE, dg.__version__)


def send_spans(spans: Sequence[Any]) -> None:
    """Send spans.

    Raises:
        CollectorError: the collector did not take them.
    """
    _refuse_other_protocols("traces")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    _send("traces", OTLPSpanExporter, spans)


def send_metrics(metrics: Sequence[Any], code_location: str | None) -> None:
    """Send metrics.

    Raises:
        CollectorError: the collector did not take them.
    """
    _refuse_other_protocols("metrics")
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import export as otel

    scoped = otel.ScopeMetrics(scope(), metrics, "")
    _send(
        "metrics", OTLPMetricExporter, otel.MetricsData([otel.ResourceMetrics(resource(code_location), [scoped], "")])
    )


def _send(signal: Signal, exporter_class: Any, batch: Any) -> None:
    with _messages() as said:
        try:
            exporter = exporter_class()
            try:
                result = exporter.export(batch)
            finally:
                exporter.shutdown()
        except Exception as error:  # a certificate that is not there, headers that are none
            raise CollectorError(f"{_who(signal)} cannot be used ({type(error).__name__}: {error})") from None
    if result.name != "SUCCESS":
        reason = "; ".join(said[-2:]) or "no reason given"
        too_much = "code: 413" in reason or "exceeds max_request_size" in reason
        raise CollectorError(f"{_who(signal)} did not take {signal} ({reason})", too_much)


def _who(signal: Signal) -> str:
    url = urlsplit(endpoint(signal))
    return f"the OpenTelemetry collector {url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}"


def _refuse_other_protocols(signal: Signal) -> None:
    specific = f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL"
    name = specific if os.environ.get(specific) else "OTEL_EXPORTER_OTLP_PROTOCOL"
    value = os.environ.get(name, "").strip()
    if value not in ("", "http/protobuf"):
        raise CollectorError(f"{name}: {value!r} is not valid here; expected http/protobuf (port 4318 of a collector)")


def _variable(signal: Signal) -> str:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"


@contextmanager
def _messages() -> Iterator[list[str]]:
    """What the exporter logs meanwhile, as it returns no reason."""
    messages: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger, handler = logging.getLogger("opentelemetry.exporter.otlp"), Keep()
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
