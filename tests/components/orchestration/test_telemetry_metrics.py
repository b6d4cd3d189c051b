"""Metrics of runs, at a collector that decodes them."""

from typing import Any

import dagster as dg
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from components.orchestration import TelemetryComponent
from components.orchestration.telemetry.measures import INSTRUMENTS
from components.orchestration.telemetry.points import BOUNDS
from tests.components.orchestration.measured import ASSETS
from tests.components.orchestration.otlp_server import OtlpServer, attributes
from tests.components.orchestration.shop import Sensor, Shop, run_all

METRICS = "telemetry_metrics"


@pytest.fixture
def measured_shop(shop: Shop) -> Shop:
    shop.python(ASSETS)
    shop.write(TelemetryComponent, {})
    return shop


def by(points: list[Any], *names: str) -> dict[tuple[Any, ...], Any]:
    """Points by the values of some attributes."""
    return {tuple(attributes(point).get(name) for name in names): point for point in points}


def value(collector: OtlpServer, name: str, asset: str, request: int = -1) -> float:
    return by(collector.points(name, request), "dagster.asset.key")[(asset,)].as_double


def test_a_run_is_measured_as_a_whole_and_by_asset(
    measured_shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer
):
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, METRICS)
        sensor.tick()
        run_all(defs, instance)
        sensor.tick()
        record = instance.get_run_records()[0]

    ((key, run),) = by(collector.points("dagster.run.duration"), "dagster.job.name", "dagster.outcome").items()
    assert key == ("assets", "failure")
    assert (run.count, sum(run.bucket_counts), list(run.explicit_bounds)) == (1, 1, list(BOUNDS))
    assert run.sum == pytest.approx(record.end_time - record.start_time, abs=0.01)
    steps = by(collector.points("dagster.asset.duration"), "dagster.asset.key", "dagster.outcome")
    assert set(steps) == {("marts/orders", "success"), ("marts/visits", "failure")}
    assert value(collector, "dagster.asset.rows", "marts/orders") == 42
    assert value(collector, "dagster.asset.cost", "marts/orders") == 1.25
    assert value(collector, "dagster.asset.cost", "marts/visits") == 0.5
    assert value(collector, "dagster.asset.retries", "marts/orders") == 1
    assert value(collector, "dagster.asset.materializations", "marts/orders") == 1
    checks = by(collector.points("dagster.asset.check.evaluations"), "dagster.asset.check.name", "dagster.outcome")
    assert set(checks) == {("unique", "success"), ("tidy", "failure")}
    said = attributes(collector.points("dagster.asset.rows")[0])
    assert said == {
        "dagster.asset.key": "marts/orders",
        "dagster.asset.group": "marts",
        "dagster.asset.owners": "team:data",
        "dagster.tag.team": "data",
    }


def test_totals_grow_run_by_run_and_are_sent_again_when_nothing_is_new(
    measured_shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer
):
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, METRICS)
        sensor.tick()
        for _ in range(3):
            run_all(defs, instance)
            sensor.tick()
        sensor.tick()

    made = [value(collector, "dagster.asset.materializations", "marts/orders", request) for request in range(4)]
    starts = {collector.points("dagster.run.duration", request)[0].start_time_unix_nano for request in range(4)}
    times = [collector.points("dagster.run.duration", request)[0].time_unix_nano for request in range(4)]
    assert made == [1, 2, 3, 3]
    assert len(starts) == 1
    assert times == sorted(times)
    assert _temporality(collector) == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


@pytest.mark.parametrize("preference", ["delta", "LowMemory"])
def test_a_collector_that_wants_only_what_is_new_gets_that(
    preference: str,
    measured_shop: Shop,
    instance: dg.DagsterInstance,
    collector: OtlpServer,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, METRICS)
        sensor.tick()
        for runs in (1, 2, 0):
            for _ in range(runs):
                run_all(defs, instance)
            sensor.tick()

    assert [value(collector, "dagster.asset.materializations", "marts/orders", n) for n in range(2)] == [1, 2]
    assert len(collector.metrics) == 2
    first, second = (collector.points("dagster.run.duration", request)[0] for request in range(2))
    assert first.time_unix_nano == second.start_time_unix_nano
    assert _temporality(collector) == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def test_every_metric_that_is_documented_is_sent(
    measured_shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer
):
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, METRICS)
        sensor.tick()
        job = defs.resolve_implicit_global_asset_job_def()
        job.execute_in_process(instance=instance, raise_on_error=False, tags={"dagster/retry_number": "1"})
        sensor.tick()

    sent = {
        (metric.name, metric.unit)
        for resource in collector.metrics[-1].resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert sent == {(instrument.name, instrument.unit) for instrument in INSTRUMENTS}


def test_a_run_that_was_canceled_says_so(measured_shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer):
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, METRICS)
        sensor.tick()
        run = instance.create_run_for_job(defs.resolve_implicit_global_asset_job_def())
        instance.report_run_canceled(run)
        sensor.tick()

    (point,) = collector.points("dagster.run.duration")
    assert (attributes(point)["dagster.outcome"], point.count) == ("canceled", 1)


def _temporality(collector: OtlpServer) -> int:
    (metric,) = [
        metric
        for metric in collector.metrics[-1].resource_metrics[0].scope_metrics[0].metrics
        if metric.name == "dagster.run.duration"
    ]
    return metric.histogram.aggregation_temporality
