"""Sums, gauges and histograms of runs, added up here, as each run counts exactly once.

The SDK's own instruments cannot take back what was not delivered; these are kept only after the collector took them.
"""

from bisect import bisect_left
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

BOUNDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0)


@dataclass(frozen=True)
class Instrument:
    """A metric: its name, unit and kind."""

    name: str
    unit: str
    kind: Literal["sum", "gauge", "histogram"]
    description: str


@dataclass
class _Point:
    value: float = 0.0
    moment: float = 0.0
    count: int = 0
    lowest: float = 0.0
    highest: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))


_Key = tuple[Instrument, tuple[tuple[str, Any], ...]]


@dataclass
class Points:
    """What was measured, by instrument and attributes."""

    _points: dict[_Key, _Point] = field(default_factory=dict)

    def record(self, instrument: Instrument, value: float, moment: float, attributes: dict[str, Any]) -> None:
        """Add a measurement: sums and histograms grow, a gauge takes the newest.

        Args:
            instrument: The metric.
            value: In its unit.
            moment: When it was so, in seconds since 1970.
            attributes: What it is told apart by.
        """
        point = self._points.setdefault((instrument, tuple(sorted(attributes.items()))), _Point())
        if instrument.kind == "gauge":
            if moment >= point.moment:
                point.value, point.moment = value, moment
            return
        point.lowest = min(point.lowest, value) if point.count else value
        point.highest = max(point.highest, value) if point.count else value
        point.value, point.moment, point.count = point.value + value, max(point.moment, moment), point.count + 1
        point.buckets[bisect_left(BOUNDS, value)] += 1

    def copy(self) -> "Points":
        """The same, to go on from while this one stays as it is."""
        return deepcopy(self)

    def __bool__(self) -> bool:
        return bool(self._points)

    def metrics(self, start: float, now: float, cumulative: bool) -> list[Any]:
        """OpenTelemetry's own metric objects.

        Args:
            start: From when on sums and histograms count, in seconds since 1970.
            now: The moment up to which they do.
            cumulative: Whether they count from ``start`` for good, or only what is new.
        """
        from opentelemetry.sdk.metrics import export as otel

        temporality = otel.AggregationTemporality["CUMULATIVE" if cumulative else "DELTA"]
        found: dict[Instrument, list[Any]] = {}
        for (instrument, attributes), point in self._points.items():
            found.setdefault(instrument, []).append(_made(instrument, dict(attributes), point, _ns(start), _ns(now)))
        metrics = []
        for instrument, points in found.items():
            data: Any
            if instrument.kind == "sum":
                data = otel.Sum(points, temporality, is_monotonic=True)
            elif instrument.kind == "gauge":
                data = otel.Gauge(points)
            else:
                data = otel.Histogram(points, temporality)
            metrics.append(otel.Metric(instrument.name, instrument.description, instrument.unit, data))
        return metrics


def _made(instrument: Instrument, attributes: dict[str, Any], point: _Point, start: int, now: int) -> Any:
    from opentelemetry.sdk.metrics import export as otel

    if instrument.kind == "gauge":
        return otel.NumberDataPoint(attributes, 0, now, point.value)
    if instrument.kind == "sum":
        return otel.NumberDataPoint(attributes, start, now, point.value)
    return otel.HistogramDataPoint(
        attributes, start, now, point.count, point.value, point.buckets, BOUNDS, point.lowest, point.highest
    )


def _ns(moment: float) -> int:
    return int(moment * 1_000_000) * 1_000
