"""The metrics of a training: passed on to MLflow while it runs, and shown with the asset."""

import base64
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .runner.spark_job_contexts import METRIC_MARK

_FLUSH_SECONDS = 1.0
_BATCH = 1_000  # the most that MLflow takes at once
_WIDTH, _HEIGHT, _MARGIN = 360, 120, 8
_COLOUR = "steelblue"


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    name: str
    value: float
    step: int


class MetricStream:
    """Takes the lines of a job's log, picks the metrics out and sends them to an MLflow run.

    Args:
        client: An ``mlflow.MlflowClient``.
        run_id: The MLflow run.
        log: Takes every line that is no metric.
    """

    def __init__(self, client: Any, run_id: str, log: Callable[[str], None]) -> None:
        self._client = client
        self._run_id = run_id
        self._log = log
        self._points: dict[int, Point] = {}
        self._waiting: list[tuple[Point, int]] = []
        self._last = 0.0

    def line(self, text: str) -> None:
        """Take one line."""
        if text.startswith(METRIC_MARK):
            self._take(text.removeprefix(METRIC_MARK))
            if time.monotonic() - self._last >= _FLUSH_SECONDS:
                self._flush()
        else:
            self._log(text)

    def finish(self, file: Path) -> None:
        """Take what the job's own record of its metrics has besides, and send all that is left."""
        if file.is_file():
            for text in file.read_text(encoding="utf-8").splitlines():
                self._take(text)
        self._flush()

    def _take(self, text: str) -> None:
        try:
            entry = json.loads(text)
            number, name, value, step = entry["n"], str(entry["name"]), float(entry["value"]), entry["step"]
        except (ValueError, TypeError, KeyError):
            return  # a line that was cut; the record has it whole
        if number in self._points:
            return
        if step is None:
            step = sum(point.name == name for point in self._points.values())
        point = Point(name, value, step)
        self._points[number] = point
        self._waiting.append((point, int(time.time() * 1000)))

    def _flush(self) -> None:
        from mlflow.entities import Metric

        self._last = time.monotonic()
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), _BATCH):
            batch = [Metric(p.name, p.value, stamp, p.step) for p, stamp in waiting[start : start + _BATCH]]
            self._client.log_batch(self._run_id, metrics=batch)

    @property
    def history(self) -> dict[str, list[Point]]:
        """All points by metric, in the order in which they were logged."""
        found: dict[str, list[Point]] = {}
        for number in sorted(self._points):
            found.setdefault(self._points[number].name, []).append(self._points[number])
        return found

    @property
    def last(self) -> dict[str, float]:
        """The last value of each metric."""
        return {name: points[-1].value for name, points in self.history.items()}


def without_value(wanted: list[str], last: dict[str, float]) -> str | None:
    """What is wrong with the metrics that are to be tracked; ``None`` if all have a number."""
    if missing := [name for name in wanted if name not in last]:
        return (
            f"experiment.metrics_to_track: the script logged no {', '.join(missing)}; it logged: "
            f"{', '.join(last) or 'nothing'} (context.log_metric(name, value))"
        )
    if broken := [name for name in wanted if not math.isfinite(last[name])]:
        return f"experiment.metrics_to_track: the last value of {', '.join(broken)} is no finite number"
    return None


def metrics_table(history: dict[str, list[Point]]) -> str:
    """A Markdown table of metrics, with a curve for each that has several values."""
    lines = ["| metric | last | lowest | highest | values |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, points in history.items():
        values = [point.value for point in points]
        shown = [_number(value) for value in (values[-1], min(values), max(values))]
        lines.append(f"| {_cell(name)} | {' | '.join(shown)} | {len(values)} |")
    curves = [f"![{_cell(name)}]({_curve(points)})" for name, points in history.items() if len(points) > 1]
    return "\n".join([*lines, "", *curves])


def _curve(points: list[Point]) -> str:
    """A picture of a metric over its steps, small enough to be part of the metadata."""
    drawn = sorted((point for point in points if math.isfinite(point.value)), key=lambda point: point.step)
    drawn = drawn[:: max(1, len(drawn) // 200)]
    low, high = min((p.value for p in drawn), default=0.0), max((p.value for p in drawn), default=0.0)
    first, last = (drawn[0].step, drawn[-1].step) if drawn else (0, 0)
    width, height = _WIDTH - 2 * _MARGIN, _HEIGHT - 4 * _MARGIN
    places = " ".join(
        f"{_MARGIN + width * (p.step - first) / ((last - first) or 1):.1f},"
        f"{3 * _MARGIN + height * (high - p.value) / ((high - low) or 1):.1f}"
        for p in drawn
    )
    name = points[0].name.replace("&", "&amp;").replace("<", "&lt;")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="{_MARGIN}" y="15" fill="black">{name}: {_number(low)} to {_number(high)}</text>'
        f'<polyline points="{places}" fill="none" stroke="{_COLOUR}" stroke-width="2"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _number(value: float) -> str:
    return f"{value:.5g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
