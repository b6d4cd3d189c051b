"""Alerts about runs that failed, and about failed checks."""

import time

import dagster as dg
import pytest

from components.orchestration import AlertRoutesComponent, run_alerts
from tests.components.orchestration.shop import CHECKED, CLOSED, FAILING, NO_ASSETS, Receiver, Sensor, Shop, run_all

RUNS = "alert_routes_runs"


def run_and_evaluate(shop: Shop, instance: dg.DagsterInstance, ticks: int = 1) -> str:
    """Run every asset of the shop while the sensor watches; the run's id."""
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        result = run_all(defs, instance)
        for _ in range(ticks):
            sensor.tick()
    return result.run_id


def test_a_failed_run_tells_each_owner_about_their_assets(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.python(FAILING)
    shop.write(AlertRoutesComponent, {"webserver_url": "https://dagster.example.com/"})

    run_id = run_and_evaluate(shop, instance)

    (data,) = routes.at("data-token")
    (web,) = routes.at("web-token")
    assert len(routes.received) == 2
    assert data["title"] == "assets run by hand failed: raw/orders"
    assert data["type"] == "failure"
    assert data["message"].splitlines() == [
        f"Run {run_id}",
        f"https://dagster.example.com/runs/{run_id}",
        "- raw/orders (team:data)",
        "Error in raw__orders: ValueError: no file at postgres://***@warehouse/orders",
    ]
    assert "- marts/visits (team:web)" in web["message"]
    assert "the tracker answered with nothing" in web["message"]
    assert "marts/fine" not in web["message"]
    assert "raw" not in web["message"]


def test_failed_checks_of_a_run_that_went_through_are_told(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})

    run_id = run_and_evaluate(shop, instance)

    (message,) = routes.received
    assert message["title"] == "Checks of assets run by hand failed: marts/orders"
    assert message["message"].splitlines() == [
        f"Run {run_id}",
        "- marts/orders (team:data)",
        "    failed check not_empty: the table has 0 rows",
    ]


def test_a_check_that_blocks_is_told_once_with_its_asset(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.python(CHECKED.replace("asset=orders)\ndef not_empty", "asset=orders, blocking=True)\ndef not_empty"))
    shop.write(AlertRoutesComponent, {})

    run_and_evaluate(shop, instance)

    (message,) = routes.received
    assert message["title"] == "assets run by hand failed: marts/orders"
    assert "failed check not_empty: the table has 0 rows" in message["message"]


def test_a_run_without_failures_tells_nobody(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.write(AlertRoutesComponent, {"default_route": "data"})

    run_and_evaluate(shop, instance)

    assert routes.received == []


def test_the_tag_of_an_asset_wins_over_its_owner(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.python(CHECKED.replace('owners=["team:data"]', 'owners=["team:data"], tags={"alert_route": "web"}'))
    shop.write(AlertRoutesComponent, {})

    run_and_evaluate(shop, instance)

    assert [message["path"] for message in routes.received] == ["/web-token"]


def test_an_asset_without_a_route_goes_to_the_default_route(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.python(CHECKED.replace('owners=["team:data"]', 'owners=["a@example.com"]'))
    shop.write(AlertRoutesComponent, {"default_route": "web"})

    run_and_evaluate(shop, instance)

    assert [message["path"] for message in routes.received] == ["/web-token"]


def test_an_asset_without_any_route_is_logged(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver, capsys: pytest.CaptureFixture[str]
):
    shop.python(CHECKED.replace('owners=["team:data"]', 'owners=["a@example.com"]'))
    shop.write(AlertRoutesComponent, {})

    run_id = run_and_evaluate(shop, instance)

    assert routes.received == []
    message = f"run {run_id} (failed: marts/orders): no alert route; set owners or default_route"
    assert message in capsys.readouterr().err


def test_a_failure_outside_of_every_step_is_told_for_all_planned_assets(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    shop.python(CLOSED)
    shop.write(AlertRoutesComponent, {})

    run_and_evaluate(shop, instance)

    (data,) = routes.at("data-token")
    assert "- marts/orders (team:data)\n- raw/orders (team:data)" in data["message"]
    assert "the store is closed" in data["message"]


def test_a_job_without_assets_goes_to_the_default_route(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.python(NO_ASSETS)
    shop.write(AlertRoutesComponent, {"default_route": "web"})

    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        defs.resolve_job_def("clean").execute_in_process(instance=instance, raise_on_error=False)
        sensor.tick()

    (message,) = routes.received
    assert (message["path"], message["title"]) == ("/web-token", "clean failed")
    assert "Error in sweep: ValueError: dust" in message["message"]


def test_a_missing_address_is_logged_once_with_what_to_set(
    shop: Shop, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("DATA_ALERTS_URL", raising=False)
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})

    run_and_evaluate(shop, instance, ticks=3)

    told = capsys.readouterr().err
    message = (
        "alert route 'data': the environment variable DATA_ALERTS_URL is not set; expected an Apprise URL (slack://…)"
    )
    assert told.count(message) == 1


def test_a_service_that_answers_500_is_logged_with_the_route_and_no_address(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver, capsys: pytest.CaptureFixture[str]
):
    routes.status = 500
    shop.python(FAILING)
    shop.write(AlertRoutesComponent, {})

    run_and_evaluate(shop, instance)

    told = capsys.readouterr().err
    assert "alert route 'data': the service behind DATA_ALERTS_URL answered with status 500" in told
    assert "alert route 'web': the service behind WEB_ALERTS_URL answered with status 500; it is tried again" in told
    assert "token" not in told
    assert len(routes.received) == 2


def test_what_a_service_did_not_take_is_sent_again_to_it_alone(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    shop.python(FAILING)
    shop.write(AlertRoutesComponent, {})

    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        run_all(defs, instance)
        routes.refusing = {"data-token"}
        sensor.tick()
        routes.refusing, routes.received = set(), []
        sensor.tick()
        sensor.tick()

    (again,) = routes.received
    assert (again["path"], again["title"]) == ("/data-token", "assets run by hand failed: raw/orders")


def test_a_message_is_given_up_after_a_day(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})

    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        run_all(defs, instance)
        routes.status = 500
        sensor.tick()
        routes.status, routes.received = 200, []
        tomorrow = time.time() + run_alerts.TRIED_FOR_SECONDS
        monkeypatch.setattr(run_alerts.time, "time", lambda: tomorrow)
        sensor.tick()

    assert routes.received == []


def test_runs_from_before_the_alerts_were_switched_on_are_not_told(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver
):
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})

    with shop.definitions() as defs:
        run_all(defs, instance)
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        sensor.tick()

    assert routes.received == []


def test_a_sensor_that_slept_catches_up_in_order_and_once(
    shop: Shop, instance: dg.DagsterInstance, routes: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_alerts, "RUNS_A_TICK", 2)
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})

    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        runs = [run_all(defs, instance).run_id for _ in range(5)]
        for _ in range(4):
            sensor.tick()

    assert [message["message"].splitlines()[0] for message in routes.received] == [f"Run {run}" for run in runs]


def test_a_run_of_another_code_location_is_not_ours(shop: Shop, instance: dg.DagsterInstance, routes: Receiver):
    shop.write(AlertRoutesComponent, {"default_route": "data"})

    @dg.asset(key=["elsewhere", "orders"])
    def theirs() -> None:
        raise ValueError("not ours")

    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        dg.materialize([theirs], instance=instance, raise_on_error=False, selection=[theirs])
        sensor.tick()

    assert routes.received == []


def test_a_run_that_cannot_be_read_does_not_stop_the_others(
    shop: Shop,
    instance: dg.DagsterInstance,
    routes: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})
    real = run_alerts.failures_of

    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, RUNS)
        sensor.tick()
        broken, fine = (run_all(defs, instance).run_id for _ in range(2))

        def reading(instance: dg.DagsterInstance, run_id: str) -> object:
            if run_id == broken:
                raise KeyError("step")
            return real(instance, run_id)

        monkeypatch.setattr(run_alerts, "failures_of", reading)
        sensor.tick()

    assert [message["message"].splitlines()[0] for message in routes.received] == [f"Run {fine}"]
    assert f"run {broken} was not reported: KeyError" in capsys.readouterr().err
