"""OpenLineage events reach a receiver, valid by the specification, whatever happens on the way."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from components.orchestration import OpenLineageComponent
from components.orchestration.delivery import DeliveryError
from tests.components.orchestration.lineage_server import LineageServer, running_lineage
from tests.components.orchestration.shop import FAILING, Sensor, Shop, run_all

LINEAGE = """\
import dagster as dg

COLUMNS = dg.TableSchema([dg.TableColumn("day", "date", description="The day."), dg.TableColumn("orders", "bigint")])


@dg.asset(key=["raw", "orders"], owners=["team:data"], description="Orders as they come.")
def raw_orders(): ...


@dg.asset(key=["marts", "orders"], deps=[raw_orders], owners=["team:data"], description="Orders by day.",
          metadata={"dagster/column_schema": COLUMNS, "dagster/relation_identifier": "analytics.marts.orders"})
def orders():
    deps = {"day": [dg.TableColumnDep(dg.AssetKey(["raw", "orders"]), "created_at")]}
    lineage = dg.TableColumnLineage(deps)
    return dg.MaterializeResult(metadata={"dagster/row_count": 3, "dagster/column_lineage": lineage})


@dg.asset_check(asset=orders)
def not_empty():
    return dg.AssetCheckResult(passed=True)
"""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[LineageServer]:
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE_")]:
        monkeypatch.delenv(name)
    with running_lineage() as server:
        monkeypatch.setenv("OPENLINEAGE_URL", server.url)
        yield server


def told(shop: Shop, instance: dg.DagsterInstance, python: str = LINEAGE) -> Any:
    shop.python(python)
    shop.write(OpenLineageComponent, {"namespace": "shop"})
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, "openlineage")
        sensor.tick()
        run_all(defs, instance)
        return sensor.tick()


@pytest.mark.slot("modern-data", "openlineage", "server")
def test_a_run_is_a_job_and_every_asset_a_job_below_it(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer
):
    told(shop, instance)

    kinds = {(event["job"]["name"], event["eventType"]) for event in receiver.events}
    assert kinds == {(job, kind) for job in ("assets", "raw.orders", "marts.orders") for kind in ("START", "COMPLETE")}
    whole, made = receiver.of("assets", "COMPLETE"), receiver.of("marts.orders", "COMPLETE")
    assert whole["run"]["runId"] == instance.get_runs()[0].run_id
    assert made["run"]["facets"]["parent"]["run"]["runId"] == whole["run"]["runId"]
    assert made["run"]["runId"] == receiver.of("marts.orders", "START")["run"]["runId"]
    assert whole["run"]["facets"]["processing_engine"]["name"] == "Dagster"
    assert made["job"]["facets"]["ownership"]["owners"][0]["name"] == "team:data"


def test_datasets_carry_columns_lineage_rows_and_owners(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer
):
    told(shop, instance)

    made = receiver.of("marts.orders", "COMPLETE")
    [source], [table] = made["inputs"], made["outputs"]
    assert (source["namespace"], source["name"], table["name"]) == ("shop", "raw.orders", "marts.orders")
    assert source["facets"]["documentation"]["description"] == "Orders as they come."
    columns = table["facets"]["schema"]["fields"]
    assert [(column["name"], column["type"]) for column in columns] == [("day", "date"), ("orders", "bigint")]
    [field] = table["facets"]["columnLineage"]["fields"]["day"]["inputFields"]
    assert (field["name"], field["field"]) == ("raw.orders", "created_at")
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert table["facets"]["symlinks"]["identifiers"][0]["name"] == "analytics.marts.orders"


def test_what_fails_says_why_and_what_never_began_is_not_told(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer
):
    told(shop, instance, FAILING)

    failed = receiver.of("marts.visits", "FAIL")
    assert "the tracker answered with nothing" in failed["run"]["facets"]["errorMessage"]["message"]
    assert receiver.of("marts.fine", "COMPLETE")
    assert receiver.of("assets", "FAIL")
    assert [event for event in receiver.events if event["job"]["name"] == "marts.orders"] == []


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_receiver_that_refuses_breaks_no_run_and_gets_the_events_later(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer, status: int
):
    shop.python(LINEAGE)
    shop.write(OpenLineageComponent, {})
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, "openlineage")
        sensor.tick()
        assert run_all(defs, instance).success
        receiver.faults = [status] * 3
        with pytest.raises(DeliveryError, match=f"OPENLINEAGE_URL did not take events .status {status}."):
            sensor.tick()
        receiver.faults = []
        sensor.tick()
    assert receiver.of("marts.orders", "COMPLETE")


def test_a_busy_receiver_is_asked_again(shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer):
    receiver.faults = [503, 429]
    assert told(shop, instance).skip_message == "1 runs sent."
    assert receiver.of("marts.orders", "COMPLETE")


def test_a_receiver_that_is_not_there_is_named_without_the_key(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "key-that-nobody-may-see")
    with pytest.raises(DeliveryError) as caught:
        told(shop, instance)
    assert "OPENLINEAGE_URL did not take events" in str(caught.value)
    assert "key-that-nobody" not in str(caught.value)


def test_the_key_of_the_environment_is_sent(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "the-key")
    told(shop, instance)
    assert set(receiver.keys) == {"Bearer the-key"}


@pytest.mark.parametrize(("name", "value"), [("OPENLINEAGE_URL", ""), ("OPENLINEAGE_DISABLED", "true")])
def test_without_a_receiver_nothing_is_sent(
    shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer, monkeypatch: pytest.MonkeyPatch, name, value
):
    monkeypatch.setenv(name, value)
    assert "Off: OPENLINEAGE_URL" in told(shop, instance).skip_message
    assert receiver.events == []


def test_runs_that_a_shell_started_are_told_too(shop: Shop, instance: dg.DagsterInstance, receiver: LineageServer):
    """``dg launch`` makes runs that name no code location, as ``execute_in_process`` does."""
    told(shop, instance)
    assert instance.get_runs()[0].remote_job_origin is None
    assert receiver.events


def test_the_scaffolder_writes_what_loads(shop: Shop, tmp_path: Path):
    path = shop.sandbox.scaffold_component(OpenLineageComponent)
    assert "namespace: data_platform" in (path / "defs.yaml").read_text()
    with shop.definitions() as defs:
        assert defs.resolve_sensor_def("openlineage")
