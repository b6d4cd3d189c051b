"""Jobs, schedules and partitions."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from tests.components.dbt.harness import RAW, Platform, built, raw_tables

STAGING = ("staging/stg_customers", "staging/stg_orders")
DAILY = {"type": "daily", "start_date": "2024-01-01"}
WINDOW = {"start_date": "{{ partition.start }}", "end_date": "{{ partition.end }}"}


def with_raw(defs: dg.Definitions) -> dg.Definitions:
    return dg.Definitions.merge(defs, dg.Definitions(assets=[raw_tables], executor=dg.in_process_executor))


def schedule_of(defs: dg.Definitions, name: str = "dbt_transform_schedule") -> dg.ScheduleDefinition:
    found = with_raw(defs).resolve_schedule_def(name)
    assert isinstance(found, dg.ScheduleDefinition)
    return found


def tick(defs: dg.Definitions, moment: datetime, name: str = "dbt_transform_schedule") -> Any:
    repository = with_raw(defs).get_repository_def()
    with dg.build_schedule_context(scheduled_execution_time=moment, repository_def=repository) as context:
        return repository.get_schedule_def(name).evaluate_tick(context)


def test_a_schedule_has_cron_timezone_and_is_on(platform: Platform) -> None:
    schedule = schedule_of(platform.load(schedule={"cron": "0 6 * * *", "timezone": "America/New_York"}))
    assert schedule.cron_schedule == "0 6 * * *"
    assert schedule.execution_timezone == "America/New_York"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_a_schedule_can_start_switched_off(platform: Platform) -> None:
    schedule = schedule_of(platform.load(schedule={"cron": "@daily", "status": "stopped"}))
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_the_scheduled_job_builds_everything_and_judges_the_sources(platform: Platform) -> None:
    defs = with_raw(platform.load(schedule={"cron": "@daily"}))
    layer = defs.resolve_job_def("dbt_transform_job").asset_layer
    keys = {key.to_user_string() for key in layer.selected_asset_keys}
    assert "marts/customers" in keys
    assert "raw/orders" not in keys
    checks = {f"{key.asset_key.to_user_string()}:{key.name}" for key in layer.asset_graph.asset_check_keys}
    assert "raw/orders:freshness" in checks


def test_without_a_schedule_there_is_none(platform: Platform) -> None:
    defs = platform.load()
    assert not defs.schedules
    assert not defs.jobs


def test_a_full_refresh_has_a_job_of_its_own(platform: Platform) -> None:
    defs = platform.load(full_refresh_schedule={"cron": "0 0 * * 0", "timezone": "Europe/Rome"})
    schedule = schedule_of(defs, "dbt_transform_full_refresh_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 0 * * 0", "Europe/Rome")
    assert schedule.job_name == "dbt_transform_full_refresh_job"


def test_a_partitioned_schedule_asks_for_the_newest_complete_partition(platform: Platform) -> None:
    defs = platform.load(partitions=DAILY, schedule={"cron": "0 6 * * *"})
    [request] = tick(defs, datetime(2024, 1, 4, 6, tzinfo=ZoneInfo("UTC"))).run_requests
    assert request.partition_key == "2024-01-03"


def test_before_the_first_partition_is_complete_a_schedule_skips(platform: Platform) -> None:
    defs = platform.load(partitions=DAILY, schedule={"cron": "0 6 * * *"})
    assert tick(defs, datetime(2024, 1, 1, 6, tzinfo=ZoneInfo("UTC"))).skip_message == "No partition is complete yet"


def test_a_partitioned_full_refresh_covers_every_partition_in_one_run(platform: Platform) -> None:
    defs = platform.load(partitions=DAILY, full_refresh_schedule={"cron": "@weekly"})
    moment = datetime(2024, 1, 4, tzinfo=ZoneInfo("UTC"))
    [request] = tick(defs, moment, "dbt_transform_full_refresh_schedule").run_requests
    assert request.tags["dagster/asset_partition_range_start"] == "2024-01-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2024-01-03"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"type": "hourly", "start_date": "2024-01-01"}, dg.HourlyPartitionsDefinition),
        ({"type": "daily", "start_date": "2024-01-01", "timezone": "Europe/Rome"}, dg.DailyPartitionsDefinition),
        ({"type": "weekly", "start_date": "2024-01-01"}, dg.WeeklyPartitionsDefinition),
        ({"type": "monthly", "start_date": "2024-01-01", "end_date": "2024-06-01"}, dg.MonthlyPartitionsDefinition),
    ],
)
def test_every_kind_of_partition_is_that_of_the_models(
    platform: Platform, given: dict[str, str], kind: type[dg.TimeWindowPartitionsDefinition]
) -> None:
    found = {
        spec.key.to_user_string(): spec.partitions_def
        for spec in platform.load(partitions=given).resolve_all_asset_specs()
    }
    partitions = found["marts/customers"]
    assert isinstance(partitions, kind)
    assert partitions.timezone == given.get("timezone", "UTC")
    assert partitions.end is None or partitions.end.month == 6
    assert found["raw/orders"] is None


@pytest.mark.e2e
class TestPartitionedRuns:
    """Vars take the window of the run's partition."""

    @pytest.fixture
    def windowed(self, platform: Platform) -> tuple[Platform, dg.Definitions]:
        platform.sql(RAW)
        return platform, platform.load(partitions=DAILY, dbt={"vars": {**WINDOW, "greeting": "{{ partition.start }}"}})

    def test_a_partition_builds_its_own_day(self, windowed: tuple[Platform, dg.Definitions]) -> None:
        platform, defs = windowed
        names = (*STAGING, "marts/daily_orders", "marts/settings")
        result = platform.run(defs, *names, partition_key="2024-01-02")
        assert built(result) == set(names)
        assert platform.sql("select ordered_on::text, orders from marts.daily_orders") == [("2024-01-02", 1)]
        assert platform.sql("select greeting from marts.settings") == [("2024-01-02",)]

    def test_a_range_of_partitions_is_one_run_over_all_of_them(self, windowed: tuple[Platform, dg.Definitions]) -> None:
        platform, defs = windowed
        tags = {
            "dagster/asset_partition_range_start": "2024-01-02",
            "dagster/asset_partition_range_end": "2024-01-03",
        }
        assert platform.run(defs, *STAGING, "marts/daily_orders", tags=tags).success
        days = platform.sql("select ordered_on::text from marts.daily_orders order by 1")
        assert days == [("2024-01-02",), ("2024-01-03",)]


@pytest.mark.e2e
def test_the_key_of_the_partition_can_be_a_var(platform: Platform) -> None:
    platform.sql(RAW)
    defs = platform.load(partitions=DAILY, dbt={"vars": {"greeting": "{{ partition.key }}"}})
    assert platform.run(defs, "marts/settings", partition_key="2024-01-02").success
    assert platform.sql("select greeting from marts.settings") == [("2024-01-02",)]


@pytest.mark.e2e
def test_a_full_refresh_rebuilds_incremental_models_and_a_plain_run_does_not(platform: Platform) -> None:
    platform.sql(RAW)
    defs = platform.load(full_refresh_schedule={"cron": "@weekly"})

    def builders() -> set[str]:
        return {row[0] for row in platform.sql("select distinct built_by from marts.daily_orders")}

    assert platform.run(defs, *STAGING, "marts/daily_orders").success
    first = builders()
    assert platform.run(defs, *STAGING, "marts/daily_orders").success
    assert builders() == first
    job = with_raw(defs).resolve_job_def("dbt_transform_full_refresh_job")
    assert job.execute_in_process().success
    assert not builders() & first
