"""Telemetry reaches the collector once, whatever happens on the way."""

import subprocess
import sys
from typing import Any

import dagster as dg
import pytest

from components.orchestration import TelemetryComponent, delivery
from components.orchestration.telemetry.collector import CollectorError
from tests.components.orchestration.otlp_server import OtlpServer, attributes
from tests.components.orchestration.shop import Sensor, Shop, run_all

SIGNALS = ["metrics", "traces"]


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.write(TelemetryComponent, {})
    return shop


def runs_in(collector: OtlpServer, signal: str) -> int:
    """How many runs the collector has counted."""
    if signal == "traces":
        return len([span for span in collector.spans() if not span.parent_span_id])
    return sum(point.count for point in collector.points("dagster.run.duration")) if collector.metrics else 0


def tick_error(sensor: Sensor) -> str:
    with pytest.raises(CollectorError) as caught:
        sensor.tick()
    return str(caught.value)


@pytest.mark.parametrize("signal", SIGNALS)
def test_runs_that_ended_while_the_sensor_slept_are_sent_in_batches(
    signal: str, shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivery, "RUNS_A_BATCH", 2)
    with shop.definitions() as defs:
        run_all(defs, instance)
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        sensor.tick()
        for _ in range(5):
            run_all(defs, instance)
        result = sensor.tick()

    assert runs_in(collector, signal) == 5
    assert result.skip_message == "5 runs sent."


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("fault", [(429, {"Retry-After": "1"}, 0.0), (503, {"Retry-After": "1"}, 0.0), (502, {}, 0.0)])
def test_a_fault_that_passes_is_not_noticed(
    fault: tuple[int, dict[str, str], float],
    signal: str,
    shop: Shop,
    instance: dg.DagsterInstance,
    collector: OtlpServer,
):
    collector.faults = [fault]
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        sensor.tick()
        run_all(defs, instance)
        sensor.tick()

    assert runs_in(collector, signal) == 1
    assert len(collector.headers) == 2


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ((400, {}, 0.0), "code: 400"),
        ((401, {}, 0.0), "code: 401"),
        ((429, {"Retry-After": "60"}, 0.0), "due to timeout"),
        ((200, {}, 1.5), "due to timeout"),
    ],
)
def test_what_was_not_taken_is_named_in_the_tick_and_sent_once_later(
    fault: tuple[int, dict[str, str], float],
    words: str,
    signal: str,
    shop: Shop,
    instance: dg.DagsterInstance,
    collector: OtlpServer,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        sensor.tick()
        run_all(defs, instance)
        collector.faults = [fault] * (2 if fault[2] else 1)
        message = tick_error(sensor)
        collector.faults, collector.traces, collector.metrics = [], [], []
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
        run_all(defs, instance)
        sensor.tick()
        sensor.tick()

    assert f"the OpenTelemetry collector {collector.url} did not take {signal}" in message
    assert words in message
    assert runs_in(collector, signal) == 2


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_collector_that_is_not_there_is_named_and_nothing_is_lost(
    signal: str, shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@127.0.0.1:1")
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        sensor.tick()
        assert run_all(defs, instance).success
        messages = [tick_error(sensor) for _ in range(2)]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        sensor.tick()

    assert all(f"http://127.0.0.1:1 did not take {signal}" in message for message in messages)
    assert "hunter2" not in "".join(messages)
    assert runs_in(collector, signal) == 1


def test_batches_before_a_fault_stay_sent(
    shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivery, "RUNS_A_BATCH", 2)
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, "telemetry_traces")
        sensor.tick()
        for _ in range(3):
            run_all(defs, instance)
        collector.faults = [(200, {}, 0.0), (400, {}, 0.0)]
        result = sensor.tick()
        sensor.tick()

    assert result.skip_message.startswith("2 runs sent; then the OpenTelemetry collector")
    assert runs_in(collector, "traces") == 3


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_batch_that_is_too_much_is_sent_in_smaller_ones(
    signal: str, shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer
):
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        sensor.tick()
        for _ in range(5):
            run_all(defs, instance)
        collector.faults = [(413, {}, 0.0)] * 2
        sensor.tick()

    assert runs_in(collector, signal) == 5


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_run_that_cannot_be_read_is_left_out_and_named(
    signal: str,
    shop: Shop,
    instance: dg.DagsterInstance,
    collector: OtlpServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    real = delivery.story_of
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        sensor.tick()
        broken, _ = (run_all(defs, instance).run_id for _ in range(2))

        def reading(instance: dg.DagsterInstance, run_id: str, ended: float) -> object:
            if run_id == broken:
                raise KeyError("step")
            return real(instance, run_id, ended)

        monkeypatch.setattr(delivery, "story_of", reading)
        sensor.tick()

    assert runs_in(collector, signal) == 1
    assert f"run {broken} is left out: KeyError" in capsys.readouterr().err


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_new_process_goes_on_where_the_old_one_stopped(
    signal: str, shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer
):
    with shop.definitions() as defs:
        before = Sensor(defs, instance, f"telemetry_{signal}")
        before.tick()
        run_all(defs, instance)
        before.tick()
        run_all(defs, instance)
    collector.traces, collector.metrics = [], []
    with shop.definitions() as defs:
        after = Sensor(defs, instance, f"telemetry_{signal}")
        after.cursor = before.cursor
        after.tick()

    assert runs_in(collector, signal) == 1


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
@pytest.mark.parametrize("signal", SIGNALS)
def test_without_a_collector_nothing_is_sent_nor_kept_for_later(
    environment: dict[str, str],
    signal: str,
    shop: Shop,
    instance: dg.DagsterInstance,
    collector: OtlpServer,
    monkeypatch: pytest.MonkeyPatch,
):
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, f"telemetry_{signal}")
        with monkeypatch.context() as off:
            for name, value in environment.items():
                off.setenv(name, value)
            sensor.tick()
            run_all(defs, instance)
            assert sensor.tick().skip_message.startswith("Off: OTEL_EXPORTER_OTLP_ENDPOINT names no collector")
        sensor.tick()

    assert collector.headers == []


def test_the_standard_variables_count(
    shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "dd-api-key=k1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "platform")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    with shop.definitions() as defs:
        for signal in SIGNALS:
            sensor = Sensor(defs, instance, f"telemetry_{signal}")
            sensor.tick()
            run_all(defs, instance)
            sensor.tick()

    assert [headers["path"] for headers in collector.headers] == ["/v1/metrics", "/v1/traces"]
    assert {headers["Content-Encoding"] for headers in collector.headers} == {"gzip"}
    assert {headers["dd-api-key"] for headers in collector.headers} == {"k1"}
    for resource in (collector.metrics[0].resource_metrics[0], collector.traces[0].resource_spans[0]):
        said = attributes(resource.resource)
        assert (said["service.name"], said["deployment.environment.name"]) == ("platform", "test")


def test_a_protocol_that_is_not_spoken_is_named(
    shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, "telemetry_traces")
        sensor.tick()
        run_all(defs, instance)

        assert "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not valid here; expected http/protobuf" in tick_error(sensor)


def test_nothing_of_opentelemetry_is_imported_to_load_the_components():
    code = (
        "import sys, components.orchestration as o; o.TelemetryComponent.get_model_cls()\n"
        "print([n for n in ('opentelemetry.sdk', 'opentelemetry.exporter', 'apprise', 'requests') if n in sys.modules])"
    )
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "opentelemetry" not in done.stdout
    assert "apprise" not in done.stdout
