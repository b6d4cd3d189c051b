"""Scheduled jobs over a selection of assets."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from jsonschema import Draft202012Validator

from components.orchestration import ScheduledJobComponent
from tests.components.orchestration.shop import Shop


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
        ({"cron": "every day"}, "cron: 'every day' is not valid; expected minute (0-59), "),
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
