"""Traces of runs, at a collector that decodes them."""

import dagster as dg
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from components.governance import policy_for
from components.orchestration import TelemetryComponent
from tests.components.orchestration.measured import ASSETS
from tests.components.orchestration.otlp_server import OtlpServer, attributes
from tests.components.orchestration.shop import Sensor, Shop, run_all

TRACES = "telemetry_traces"


@pytest.fixture
def measured_shop(shop: Shop) -> Shop:
    shop.python(ASSETS)
    shop.write(TelemetryComponent, {})
    return shop


def test_a_run_is_a_trace_with_a_span_for_each_step(
    measured_shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer
):
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, TRACES)
        sensor.tick()
        job = defs.resolve_implicit_global_asset_job_def()
        run = job.execute_in_process(instance=instance, raise_on_error=False, tags={"experiment": "e7", "x": "y"})
        sensor.tick()

    spans = {span.name: span for span in collector.spans()}
    root, orders, visits = spans["run assets"], spans["step marts__orders"], spans["step marts__visits"]
    assert len(spans) == 5
    assert {span.trace_id.hex() for span in spans.values()} == {run.run_id.replace("-", "")}
    assert root.parent_span_id == b""
    assert {span.parent_span_id for name, span in spans.items() if name != "run assets"} == {root.span_id}
    assert len({span.span_id for span in spans.values()}) == 5
    assert root.start_time_unix_nano <= orders.start_time_unix_nano < orders.end_time_unix_nano
    assert orders.end_time_unix_nano <= root.end_time_unix_nano
    assert attributes(root) == {
        "dagster.job.name": "assets",
        "dagster.outcome": "failure",
        "dagster.run.id": run.run_id,
        "dagster.tag.experiment": "e7",
        "dagster.cost_usd": 1.75,
    }
    assert attributes(orders) == {
        "dagster.step.key": "marts__orders",
        "dagster.run.id": run.run_id,
        "dagster.outcome": "success",
        "dagster.retries": 1,
        "dagster.asset.key": "marts/orders",
        "dagster.asset.group": "marts",
        "dagster.asset.owners": "team:data",
        "dagster.tag.team": "data",
        "dagster.tag.experiment": "e7",
        "dagster.rows": 42.0,
        "dagster.cost_usd": 1.25,
        "dagster.policy.version": policy_for(measured_shop.sandbox.project_root).fingerprint,
    }
    assert root.status.code == visits.status.code == Status.STATUS_CODE_ERROR
    assert orders.status.code == Status.STATUS_CODE_OK
    (error,) = visits.events
    assert (error.name, attributes(error)["exception.message"]) == ("exception", "no tracker at https://***@tracker/")
    resource = collector.traces[0].resource_spans[0]
    assert attributes(resource.resource)["service.name"] == "dagster"
    assert (resource.scope_spans[0].scope.name, resource.scope_spans[0].scope.version) == ("dagster", dg.__version__)


def test_checks_are_events_of_their_step(measured_shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer):
    with measured_shop.definitions() as defs:
        sensor = Sensor(defs, instance, TRACES)
        sensor.tick()
        run_all(defs, instance)
        sensor.tick()

    checks = {
        attributes(event)["dagster.asset.check.name"]: attributes(event)
        for span in collector.spans()
        for event in span.events
        if event.name == "asset check"
    }
    assert checks["unique"]["dagster.outcome"] == "success"
    assert (checks["tidy"]["dagster.outcome"], checks["tidy"]["dagster.asset.check.severity"]) == ("failure", "WARN")


def test_a_partition_is_an_attribute_of_run_and_step(shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer):
    partitions = 'dg.StaticPartitionsDefinition(["eu", "us"])'
    shop.python(f'import dagster as dg\n\n@dg.asset(key=["a", "b"], partitions_def={partitions})\ndef b(): ...\n')
    shop.write(TelemetryComponent, {})
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, TRACES)
        sensor.tick()
        job = defs.resolve_implicit_global_asset_job_def()
        job.execute_in_process(instance=instance, partition_key="eu")
        sensor.tick()

    assert [attributes(span)["dagster.partition"] for span in collector.spans()] == ["eu", "eu"]


def test_a_run_that_repeats_another_is_linked_to_it(shop: Shop, instance: dg.DagsterInstance, collector: OtlpServer):
    shop.write(TelemetryComponent, {})
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, TRACES)
        sensor.tick()
        first = run_all(defs, instance)
        job = defs.resolve_implicit_global_asset_job_def()
        tags = {"dagster/parent_run_id": first.run_id, "dagster/root_run_id": first.run_id}
        run = instance.create_run_for_job(
            job, parent_run_id=first.run_id, root_run_id=first.run_id, tags=tags, asset_selection=None
        )
        instance.report_run_failed(instance.get_run_by_id(run.run_id), "the machine went away")
        sensor.tick()

    (old,) = [
        s for s in collector.spans() if s.name == "run assets" and s.trace_id.hex() == first.run_id.replace("-", "")
    ]
    (new,) = [s for s in collector.spans() if s.trace_id.hex() == run.run_id.replace("-", "")]
    (link,) = new.links
    assert (link.trace_id, link.span_id) == (old.trace_id, old.span_id)
    assert new.status.code == Status.STATUS_CODE_ERROR
    assert "the machine went away" in new.status.message
