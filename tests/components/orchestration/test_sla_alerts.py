"""Alerts about data that is late."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.definitions.freshness_evaluator import FRESHNESS_EVALUATORS_BY_POLICY_TYPE
from dagster._core.loader import LoadingContextForTest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.orchestration import AlertRoutesComponent, sla_alerts
from components.orchestration.sla_alerts import late_since
from tests.components.orchestration.shop import Receiver, Sensor, Shop, run_all

SLA = "alert_routes_sla"
ASSETS = """\
import dagster as dg


@dg.asset(key=["marts", "orders"], owners=["team:data"], metadata={"sla_minutes": 60})
def orders(): ...


@dg.asset(key=["marts", "visits"], owners=["team:web"], metadata={"sla_minutes": 120})
def visits(): ...


@dg.asset(key=["marts", "never_mind"], owners=["team:web"])
def never_mind(): ...
"""


class Clock:
    """The time that the alerts see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        real = time.time
        monkeypatch.setattr(sla_alerts.time, "time", lambda: real() + self.ahead)

    def pass_minutes(self, minutes: float) -> None:
        self.ahead += 60 * minutes


@pytest.fixture
def late_shop(shop: Shop) -> Shop:
    shop.python(ASSETS)
    shop.write(AlertRoutesComponent, {"webserver_url": "https://dagster.example.com"})
    return shop


def test_late_data_is_told_once_to_its_route_and_again_when_it_is_fresh(
    late_shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    with late_shop.definitions() as defs:
        run_all(defs, instance)
        sensor, clock = Sensor(defs, instance, SLA), Clock(monkeypatch)
        sensor.tick()
        clock.pass_minutes(59)
        sensor.tick()
        assert routes.received == []

        clock.pass_minutes(6)
        for _ in range(3):
            sensor.tick()
        (late,) = routes.received

        clock.ahead = 0
        run_all(defs, instance)
        for _ in range(2):
            sensor.tick()
        late, fresh = routes.received

    assert (late["path"], late["title"], late["type"]) == ("/data-token", "Data is late: marts/orders", "failure")
    assert "- marts/orders (team:data): late since " in late["message"]
    assert "(5 minutes), last made " in late["message"]
    assert "https://dagster.example.com/assets/marts/orders" in late["message"]
    assert (fresh["path"], fresh["title"]) == ("/data-token", "Data is fresh again: marts/orders")
    assert fresh["type"] == "success"


def test_each_route_gets_one_message_for_all_its_late_assets(
    late_shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    window = "freshness_policy=dg.FreshnessPolicy.time_window(timedelta(hours=1))"
    more = ASSETS.replace('"never_mind"], owners=["team:web"]', f'"more"], owners=["team:web"], {window}')
    late_shop.python(f"from datetime import timedelta\n{more}")
    with late_shop.definitions() as defs:
        run_all(defs, instance)
        sensor, clock = Sensor(defs, instance, SLA), Clock(monkeypatch)
        clock.pass_minutes(60 * 24 * 3)
        sensor.tick()

    assert sorted(message["title"] for message in routes.received) == [
        "Data is late: marts/more, marts/visits",
        "Data is late: marts/orders",
    ]
    assert "(2 days)" in routes.at("web-token")[0]["message"]


def test_data_that_was_never_made_is_late_after_its_whole_time(
    late_shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    with late_shop.definitions() as defs:
        sensor, clock = Sensor(defs, instance, SLA), Clock(monkeypatch)
        sensor.tick()
        clock.pass_minutes(30)
        sensor.tick()
        assert routes.received == []
        clock.pass_minutes(31)
        sensor.tick()

    (message,) = routes.received
    assert "- marts/orders (team:data): late since" in message["message"]
    assert "never made" in message["message"]


def test_a_message_that_was_not_taken_is_sent_the_next_time(
    late_shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    with late_shop.definitions() as defs:
        run_all(defs, instance)
        sensor, clock = Sensor(defs, instance, SLA), Clock(monkeypatch)
        clock.pass_minutes(61)
        routes.status = 503
        sensor.tick()
        routes.status = 200
        sensor.tick()
        sensor.tick()

    assert [message["title"] for message in routes.received] == ["Data is late: marts/orders"] * 2


def test_an_asset_that_is_gone_is_forgotten(
    late_shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    clock = Clock(monkeypatch)
    with late_shop.definitions() as defs:
        run_all(defs, instance)
        clock.pass_minutes(61)
        before = Sensor(defs, instance, SLA)
        before.tick()
    routes.received = []
    late_shop.python(ASSETS.replace('"orders"]', '"purchases"]'))
    with late_shop.definitions() as defs:
        after = Sensor(defs, instance, SLA)
        after.cursor = before.cursor
        after.tick()

    assert routes.received == []


def test_a_freshness_check_that_looks_at_the_same_deadline_is_not_told_twice(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    shop.python(
        ASSETS
        + """

@dg.asset_check(asset=orders, name="freshness_check")
def look():
    return dg.AssetCheckResult(passed=False)
"""
    )
    shop.write(AlertRoutesComponent, {})
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, "alert_routes_runs")
        sensor.tick()
        run_all(defs, instance)
        sensor.tick()

    assert routes.received == []


POLICIES = st.one_of(
    st.integers(1, 3_000).map(lambda minutes: dg.FreshnessPolicy.time_window(timedelta(minutes=minutes))),
    st.builds(
        lambda hour, minutes, zone: dg.FreshnessPolicy.cron(f"0 {hour} * * *", timedelta(minutes=minutes), zone),
        st.integers(0, 23),
        st.integers(1, 1_380),
        st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    ),
)


@settings(deadline=None, max_examples=40)  # each example makes an instance
@given(policy=POLICIES, age=st.integers(0, 400_000))
def test_late_is_what_dagster_calls_failed(policy: dg.FreshnessPolicy, age: int):
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("orders"))
        record = instance.get_asset_records([dg.AssetKey("orders")])[0]
        made = record.asset_entry.last_materialization.timestamp
        now = made + age
        node = dg.AssetSpec("orders", freshness_policy=policy)
        graph = dg.Definitions(assets=[node]).resolve_asset_graph()
        evaluator = FRESHNESS_EVALUATORS_BY_POLICY_TYPE[type(policy)]()
        with pytest.MonkeyPatch.context() as patch:
            module = "dagster._core.definitions.freshness_evaluator"
            patch.setattr(f"{module}.get_current_timestamp", lambda: now)
            patch.setattr(f"{module}.get_current_datetime", lambda zone: datetime.fromtimestamp(now, UTC))
            context = LoadingContextForTest(instance)
            state = asyncio.run(evaluator.evaluate_freshness(context, graph.get(dg.AssetKey("orders"))))

    assert (late_since(policy, made, now) is not None) == (state is FreshnessState.FAIL)
