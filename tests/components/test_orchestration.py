"""Scheduled jobs, and alerts that reach the owners of what failed."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox
from jsonschema import Draft202012Validator

from components.governance import governed
from components.orchestration import AlertRoutesComponent, ScheduledJobComponent
from components.orchestration.notify import AddressMissingError, NotSentError, send

POLICY = """\
version: 1
alert_routes:
  data: {url_env: DATA_ALERTS_URL, owners: [team:data]}
  web: {url_env: WEB_ALERTS_URL, owners: [team:web]}
"""

ASSETS = """\
import dagster as dg


@dg.asset(key=["raw", "orders"], owners=["team:data"], group_name="raw")
def raw_orders(): ...


@dg.asset(key=["marts", "orders"], deps=[["raw", "orders"]], owners=["team:data"], group_name="marts")
def orders(): ...


@dg.asset(key=["marts", "visits"], owners=["team:web"], group_name="other")
def visits(): ...
"""

FAILING = """\
import dagster as dg


@dg.asset(key=["raw", "orders"], owners=["team:data"])
def raw_orders():
    raise ValueError("no file\\n  at postgres://me:hunter2@warehouse/orders")


@dg.asset(key=["marts", "orders"], deps=[["raw", "orders"]], owners=["team:data"])
def orders(): ...


@dg.asset(key=["marts", "visits"], owners=["team:web"])
def visits():
    raise dg.Failure("the tracker answered with nothing")


@dg.asset(key=["marts", "fine"], owners=["team:web"])
def fine(): ...
"""

CHECKED = """\
import dagster as dg


@dg.asset(key=["marts", "orders"], owners=["team:data"])
def orders(): ...


@dg.asset_check(asset=orders)
def not_empty():
    return dg.AssetCheckResult(passed=False, description="the table has 0 rows")


@dg.asset_check(asset=orders)
def tidy():
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="two spaces")


@dg.asset_check(asset=orders)
def unique():
    return dg.AssetCheckResult(passed=True)
"""


CLOSED = """\
import dagster as dg


class Store(dg.ConfigurableResource):
    def setup_for_execution(self, context):
        raise ConnectionError("the store is closed")


@dg.asset(key=["raw", "orders"], owners=["team:data"])
def raw_orders(store: Store): ...


@dg.asset(key=["marts", "orders"], deps=[raw_orders], owners=["team:data"])
def orders(): ...


@dg.definitions
def defs():
    return dg.Definitions(assets=[raw_orders, orders], resources={"store": Store()})
"""

NO_ASSETS = """\
import dagster as dg


@dg.op
def sweep():
    raise ValueError("dust")


@dg.job
def clean():
    sweep()
"""


class Shop:
    """A project in a temporary folder, loaded and governed as a generated one is."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        (sandbox.project_root / "policy.yaml").write_text(POLICY)

    def write(self, component: type, attributes: dict[str, Any]) -> None:
        folder = self.sandbox.defs_folder_path / component.__name__.lower()
        folder.mkdir(exist_ok=True)
        document = {"type": f"{component.__module__}.{component.__name__}", "attributes": attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))

    def python(self, text: str) -> None:
        (self.sandbox.defs_folder_path / "assets.py").write_text(text)

    @contextmanager
    def definitions(self) -> Iterator[dg.Definitions]:
        with self.sandbox.build_all_defs() as loaded:
            together = dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
            yield governed(together, self.sandbox.project_root)

    def load_error(self) -> str:
        with pytest.raises(Exception) as caught, self.definitions() as defs:  # noqa: PT011 - Dagster wraps it
            dg.Definitions.validate_loadable(defs)
        messages, error = [], caught.value
        while error:
            messages.append(str(error))
            error = error.__cause__
        return "\n".join(messages)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with create_defs_folder_sandbox() as sandbox:
        shop = Shop(sandbox)
        shop.python(ASSETS)
        yield shop


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        yield instance


def materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    return sorted(event.asset_key.to_user_string() for event in result.get_asset_materialization_events())


JOB = {"job_name": "morning", "selection": "group:raw+", "cron": "0 6 * * *", "timezone": "Europe/Berlin"}


def tick(defs: dg.Definitions, instance: dg.DagsterInstance, time: datetime) -> list[dg.RunRequest]:
    """What the schedule asks for at a time."""
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=time, repository_def=defs.get_repository_def()
    )
    return defs.resolve_schedule_def("morning_schedule").evaluate_tick(context).run_requests


def partitioned(partitions: str) -> str:
    """A module with one partitioned asset."""
    said = f'key=["raw", "orders"], group_name="raw", partitions_def={partitions}'
    return f"import dagster as dg\n\n\n@dg.asset({said})\ndef orders(): ...\n"


SIX = datetime(2026, 6, 1, 6, tzinfo=ZoneInfo("Europe/Berlin"))


def test_the_job_of_a_schedule_materialises_its_selection(shop: Shop, instance: dg.DagsterInstance):
    shop.write(ScheduledJobComponent, JOB)

    with shop.definitions() as defs:
        schedule = defs.resolve_schedule_def("morning_schedule")
        (request,) = tick(defs, instance, SIX)
        result = defs.resolve_job_def(schedule.job_name).execute_in_process(instance=instance, tags=request.tags)

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "Europe/Berlin")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert materialized(result) == ["marts/orders", "raw/orders"]


def test_job_and_runs_carry_what_the_yaml_says(shop: Shop, instance: dg.DagsterInstance):
    more = {
        "description": "For the standup.",
        "tags": {"team": "data"},
        "max_runtime_minutes": 45,
        "default_status": "running",
        "owners": ["team:data"],
    }
    shop.write(ScheduledJobComponent, {**JOB, **more})

    with shop.definitions() as defs:
        schedule = defs.resolve_schedule_def("morning_schedule")
        job = defs.resolve_job_def("morning")
        run = job.execute_in_process(instance=instance).dagster_run

    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert (schedule.description, job.description, job.owners) == (
        "For the standup.",
        "For the standup.",
        ["team:data"],
    )
    assert (schedule.owners, dict(schedule.tags)) == (["team:data"], {"team": "data"})
    assert job.tags == {"team": "data"}
    assert (run.tags["team"], run.tags["dagster/max_runtime"]) == ("data", str(45 * 60))


def test_partitioned_assets_run_for_their_last_complete_day(shop: Shop, instance: dg.DagsterInstance):
    shop.python(partitioned('dg.DailyPartitionsDefinition("2026-05-01", timezone="Europe/Berlin")'))
    shop.write(ScheduledJobComponent, JOB)

    with shop.definitions() as defs:
        (request,) = tick(defs, instance, SIX)
        result = defs.resolve_job_def("morning").execute_in_process(
            instance=instance, partition_key=request.partition_key
        )

    assert request.partition_key == "2026-05-31"
    assert materialized(result) == ["raw/orders"]


def test_partitions_that_are_no_points_in_time_run_each(shop: Shop, instance: dg.DagsterInstance):
    shop.python(partitioned('dg.StaticPartitionsDefinition(["eu", "us"])'))
    shop.write(ScheduledJobComponent, JOB)

    with shop.definitions() as defs:
        requests = tick(defs, instance, SIX)

    assert [request.partition_key for request in requests] == ["eu", "us"]
    assert len({request.run_key for request in requests}) == 2


def test_partitions_that_come_and_go_run_as_they_are(shop: Shop, tmp_path: Path):
    shop.python(partitioned('dg.DynamicPartitionsDefinition(name="customers")'))
    shop.write(ScheduledJobComponent, JOB)

    with shop.definitions() as defs, dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert tick(defs, instance, SIX) == []
        instance.add_dynamic_partitions("customers", ["ada", "bob"])
        requests = tick(defs, instance, SIX)

    assert [request.partition_key for request in requests] == ["ada", "bob"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cron": "0 25 * * *"}, "cron: '0 25 * * *' is not valid; expected minute (0-59), hour (0-23), "),
        ({"cron": "every day"}, "cron: 'every day' does not match"),
        ({"timezone": "Berlin"}, "timezone: 'Berlin' is not valid; did you mean Europe/Berlin"),
        ({"timezone": "Europe/Brelin"}, "timezone: 'Europe/Brelin' is not valid; did you mean Europe/Berlin"),
        ({"timezone": "new york"}, "timezone: 'new york' is not valid; did you mean America/New_York"),
        ({"timezone": "Q"}, "timezone: 'Q' is not valid; expected a name such as Europe/Berlin or UTC"),
        ({"selection": "gruop:marts"}, "selection: 'gruop:marts' is not valid; expected Dagster's selection syntax"),
        ({"selection": "group:marts and"}, "selection: 'group:marts and' is not valid"),
        ({"job_name": "my job"}, "job_name: 'my job' does not match"),
        ({"max_runtime_minutes": 0}, "max_runtime_minutes: 0 is not valid; expected at least 1"),
        ({"default_status": "on"}, "default_status: 'on' is not valid; expected one of running, stopped"),
    ],
)
def test_a_mistake_is_named_with_its_file_when_it_loads(wrong: dict[str, Any], message: str, shop: Shop):
    shop.write(ScheduledJobComponent, {**JOB, **wrong})

    error = shop.load_error()

    assert message in error
    assert "scheduledjobcomponent/defs.yaml:" in error


@pytest.mark.parametrize("cron", ["every day", "0 6 * *", ""])
def test_text_that_is_no_cron_expression_fails_the_schema(cron: str):
    validator = Draft202012Validator(ScheduledJobComponent.get_model_cls().model_json_schema())

    assert validator.is_valid(JOB)
    assert validator.is_valid({**JOB, "cron": "@daily"})
    assert not validator.is_valid({**JOB, "cron": cron})


@pytest.mark.parametrize("selection", ["group:mats", "tag:tier=critical", "key:zz"])
def test_a_selection_of_no_asset_is_named_with_its_job_and_file(selection: str, shop: Shop):
    shop.write(ScheduledJobComponent, {**JOB, "selection": selection})

    error = shop.load_error()

    assert f"src/{shop.sandbox.project_name}/defs/scheduledjobcomponent/defs.yaml: job morning: selection" in error
    assert "selects no asset; the groups of this project are marts, other, raw" in error


class Receiver:
    """A local web service that takes notifications."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.received.append({"path": self.path, **body})
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}"

    def at(self, path: str) -> list[dict[str, Any]]:
        return [message for message in self.received if message["path"].strip("/") == path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def routes(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """The service, with an address for each of the policy's routes."""
    monkeypatch.setenv("DATA_ALERTS_URL", f"{receiver.url}/data-token")
    monkeypatch.setenv("WEB_ALERTS_URL", f"{receiver.url}/web-token")
    return receiver


def run_all(defs: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False)


def evaluate(defs: dg.Definitions, instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> None:
    """Evaluate the sensor that a run of this outcome wakes."""
    name = "alert_routes_failed_checks" if result.success else "alert_routes_failed_runs"
    outcome = dg.DagsterEventType.RUN_SUCCESS if result.success else dg.DagsterEventType.RUN_FAILURE
    (event,) = [event for event in result.all_events if event.event_type is outcome]
    context = dg.build_run_status_sensor_context(
        sensor_name=name,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),
        repository_def=defs.get_repository_def(),
    )
    defs.resolve_sensor_def(name)(context)


def run_and_evaluate(shop: Shop, instance: dg.DagsterInstance, times: int = 1) -> str:
    """Run every asset of the shop, and the sensor over that run; the run's id."""
    with shop.definitions() as defs:
        result = run_all(defs, instance)
        for _ in range(times):
            evaluate(defs, instance, result)
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
    assert f"run {run_id}: no alert route for marts/orders; set owners or default_route" in capsys.readouterr().err


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
        result = defs.resolve_job_def("clean").execute_in_process(instance=instance, raise_on_error=False)
        evaluate(defs, instance, result)

    (message,) = routes.received
    assert (message["path"], message["title"]) == ("/web-token", "clean failed")
    assert "Error in sweep: ValueError: dust" in message["message"]


def test_a_missing_address_is_logged_once_with_what_to_set(
    shop: Shop, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("DATA_ALERTS_URL", raising=False)
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})

    run_and_evaluate(shop, instance, times=3)

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
    assert "alert route 'web': the service behind WEB_ALERTS_URL answered with status 500" in told
    assert "token" not in told
    assert len(routes.received) == 2


def test_a_default_route_that_the_policy_does_not_have_is_named(shop: Shop):
    shop.write(AlertRoutesComponent, {"default_route": "dta"})

    message = "default_route: 'dta' is not valid; expected one of data, web (alert_routes of policy.yaml)"
    assert message in shop.load_error()


def test_alerts_are_on_by_default_and_may_be_off(shop: Shop):
    for attributes, status in (({}, "RUNNING"), ({"default_status": "stopped"}, "STOPPED")):
        shop.write(AlertRoutesComponent, attributes)
        with shop.definitions() as defs:
            statuses = {sensor.default_status.value for sensor in defs.sensors}
        assert statuses == {status}


def test_text_that_is_no_apprise_url_is_refused_and_never_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("ALERTS", "nonsense://secret-token")

    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError, match="what ALERTS holds is no Apprise URL"):
        send("ALERTS", "title", "body")

    assert "secret-token" not in caplog.text


def test_a_service_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setenv("ALERTS", "json://127.0.0.1:1/secret-token")

    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError, match="the service behind ALERTS did not answer"):
        send("ALERTS", "title", "body")

    assert "secret-token" not in caplog.text


def test_an_empty_address_counts_as_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALERTS", " ")

    with pytest.raises(AddressMissingError, match="ALERTS is not set"):
        send("ALERTS", "title", "body")


@pytest.mark.parametrize("component", [ScheduledJobComponent, AlertRoutesComponent])
def test_what_the_scaffolder_writes_loads(component: type, shop: Shop):
    folder = shop.sandbox.scaffold_component(component_cls=component, defs_path="scaffolded")
    document = yaml.safe_load((folder / "defs.yaml").read_text())

    assert document["type"].endswith(component.__name__)
    validator = Draft202012Validator(component.get_model_cls().model_json_schema())
    assert list(validator.iter_errors(document["attributes"])) == []
    with shop.definitions() as defs:
        dg.Definitions.validate_loadable(defs)
        assert [*defs.schedules, *defs.sensors] != []


def test_the_scaffolder_takes_the_answers_it_asks_for(shop: Shop):
    params = {"job_name": "nightly", "selection": "group:marts", "cron": "0 2 * * *", "timezone": "Europe/Berlin"}

    folder = shop.sandbox.scaffold_component(
        component_cls=ScheduledJobComponent, defs_path="nightly", scaffold_params=params
    )

    attributes = yaml.safe_load((folder / "defs.yaml").read_text())["attributes"]
    assert {name: attributes[name] for name in params} == params
