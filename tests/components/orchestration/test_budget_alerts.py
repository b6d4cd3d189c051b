"""Alerts about budgets, and the table of what was spent."""

import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from components.orchestration import AlertRoutesComponent, budget_alerts
from components.orchestration.spend import month_of, start_of
from tests.components.orchestration.shop import POLICY, Receiver, Sensor, Shop, run_all

BUDGETS = "alert_routes_budgets"
POLICY_WITH_BUDGETS = (
    POLICY
    + """\
budgets:
  team:data: {monthly_usd: 100}
  team:web: {monthly_usd: 50, warn_at: 0.5}
"""
)
ASSETS = """\
import dagster as dg


@dg.asset(key=["marts", "orders"], owners=["a@example.com", "team:data"])
def orders():
    return dg.MaterializeResult(metadata={"cost_usd": 30.0})


@dg.asset(key=["marts", "visits"], owners=["team:web"])
def visits():
    return dg.MaterializeResult(metadata={"cost_usd": 5})


@dg.asset(key=["marts", "odd"], owners=["team:web"])
def odd():
    return dg.MaterializeResult(metadata={"cost_usd": "a lot"})


@dg.asset(key=["marts", "free"])
def free():
    return dg.MaterializeResult(metadata={"cost_usd": 7.5})
"""
FAILING = """\
import dagster as dg


@dg.asset(key=["marts", "orders"], owners=["team:data"])
def orders():
    raise dg.Failure("cut off at its cap", metadata={"cost_usd": 90.0}, allow_retries=False)
"""


@pytest.fixture
def dear_shop(shop: Shop) -> Shop:
    (shop.sandbox.project_root / "policy.yaml").write_text(POLICY_WITH_BUDGETS)
    shop.python(ASSETS)
    shop.write(AlertRoutesComponent, {})
    return shop


def test_a_budget_is_told_when_it_is_nearly_and_when_it_is_wholly_spent(
    dear_shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    titles = []
    with dear_shop.definitions() as defs:
        sensor = Sensor(defs, instance, BUDGETS)
        for _ in range(5):  # 30, 60, 90, 120 and 150 US dollars
            run_all(defs, instance)
            for _ in range(2):
                sensor.tick()
            titles.append([message["title"] for message in routes.at("data-token")])

    month = month_of(time.time())
    near, spent = f"Budget of team:data: 90% spent in {month}", f"Budget of team:data: 120% spent in {month}"
    assert titles == [[], [], [near], [near, spent], [near, spent]]
    warning, failure = routes.at("data-token")
    assert (warning["type"], failure["type"]) == ("warning", "failure")
    assert warning["message"].splitlines() == [
        f"90.00 of 100.00 USD ({month}, UTC). Most of it:",
        "- marts/orders: 90.00 USD",
    ]


def test_each_owner_has_a_share_at_which_it_is_told(dear_shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    with dear_shop.definitions() as defs:
        sensor = Sensor(defs, instance, BUDGETS)
        for _ in range(5):
            run_all(defs, instance)
        sensor.tick()

    (web,) = routes.at("web-token")
    assert web["title"].startswith("Budget of team:web: 50% spent")


def test_what_was_spent_this_month_before_the_sensor_was_there_counts(
    dear_shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    with dear_shop.definitions() as defs:
        for _ in range(3):
            run_all(defs, instance)
        Sensor(defs, instance, BUDGETS).tick()

    assert len(routes.at("data-token")) == 1


def test_a_run_that_failed_has_cost_something_too(dear_shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    dear_shop.python(FAILING)
    with dear_shop.definitions() as defs:
        sensor = Sensor(defs, instance, BUDGETS)
        run_all(defs, instance)
        sensor.tick()

    (message,) = routes.at("data-token")
    assert message["title"].startswith("Budget of team:data: 90% spent")


def test_a_new_month_starts_from_nothing(
    dear_shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    with dear_shop.definitions() as defs:
        sensor = Sensor(defs, instance, BUDGETS)
        for _ in range(4):
            run_all(defs, instance)
        sensor.tick()
        routes.received = []
        next_month = start_of(month_of(time.time())) + 32 * 24 * 3600
        monkeypatch.setattr(budget_alerts.time, "time", lambda: next_month)
        result = sensor.tick()

    assert routes.received == []
    assert f"0.00 USD spent in {month_of(next_month)}" in result.skip_message


def test_a_month_is_one_of_the_calendar_in_utc():
    last = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC).timestamp()

    assert (month_of(last), month_of(last + 1)) == ("2026-10", "2026-11")
    assert start_of("2026-11") == last + 1


def test_a_message_that_was_not_taken_is_sent_the_next_time(
    dear_shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    with dear_shop.definitions() as defs:
        sensor = Sensor(defs, instance, BUDGETS)
        for _ in range(4):
            run_all(defs, instance)
        routes.refusing = {"data-token"}
        sensor.tick()
        routes.refusing = set()
        sensor.tick()
        sensor.tick()

    assert len(routes.at("data-token")) == 2


def test_an_asset_shows_what_each_owner_has_spent(dear_shop: Shop, tmp_path: Path, routes: Receiver):
    spend = {"key": "platform/spend", "owners": ["team:data"], "group": "platform"}
    dear_shop.write(AlertRoutesComponent, {"spend_asset": spend})
    with dear_shop.definitions() as defs, dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run_all(defs, instance)
        (event,) = Sensor(defs, instance, BUDGETS).tick().asset_events
        node = defs.resolve_asset_graph().get(dg.AssetKey(["platform", "spend"]))

    rows = {record.data["owner"]: record.data for record in event.metadata["budgets"].records}
    assert event.asset_key == node.key
    assert event.metadata["spent_usd"].value == 42.5
    assert rows == {
        "team:data": {"owner": "team:data", "spent_usd": 30.0, "budget_usd": 100.0, "spent": "30.0%"},
        "nobody": {"owner": "nobody", "spent_usd": 7.5, "budget_usd": 0.0, "spent": "no budget"},
        "team:web": {"owner": "team:web", "spent_usd": 5.0, "budget_usd": 50.0, "spent": "10.0%"},
    }


def test_a_project_without_budgets_has_no_sensor_for_them(shop: Shop):
    shop.write(AlertRoutesComponent, {})
    with shop.definitions() as defs:
        assert BUDGETS not in {sensor.name for sensor in defs.sensors}
