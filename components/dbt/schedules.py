"""Partitions, and the jobs and schedules that build them."""

from collections.abc import Callable

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from .attributes import Partitions, Schedule
from .faults import Where

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
FULL_REFRESH = "full_refresh"


def partitions_of(given: Partitions, where: Where) -> dg.TimeWindowPartitionsDefinition:
    """The partitions that the YAML describes.

    Raises:
        DbtProjectError: a date is not valid.
    """
    kinds: dict[str, Callable[..., dg.TimeWindowPartitionsDefinition]] = {
        "hourly": dg.HourlyPartitionsDefinition,
        "daily": dg.DailyPartitionsDefinition,
        "weekly": dg.WeeklyPartitionsDefinition,
        "monthly": dg.MonthlyPartitionsDefinition,
    }
    example = "2024-01-31-00:00" if given.type == "hourly" else "2024-01-31"
    dates: dict[str, str | None] = {}
    for name, value in (("start_date", given.start_date), ("end_date", given.end_date)):
        if value is None:
            dates[name] = None
            continue
        dates[name] = f"{value}-00:00" if given.type == "hourly" and len(value) == 10 else value
        try:
            kinds[given.type](start_date=dates[name], timezone=given.timezone)
        except Exception:
            raise where.fault(f"partitions.{name}", value, f"is no date such as {example}") from None
    if given.end_date and given.end_date <= given.start_date:
        raise where.fault("partitions.end_date", given.end_date, f"is not after start_date {given.start_date}")
    return kinds[given.type](**dates, timezone=given.timezone)


def scheduled(
    name: str,
    schedule: Schedule,
    job: UnresolvedAssetJobDefinition,
    partitions: dg.TimeWindowPartitionsDefinition | None,
    *,
    every_partition: bool = False,
) -> dg.ScheduleDefinition:
    """A schedule of a job: of its newest complete partition, or of all of them as one run.

    Args:
        name: Name of the schedule.
        schedule: When.
        job: What.
        partitions: Of the job's assets, if any.
        every_partition: One run over all partitions; a full refresh of one window would drop every other window.
    """

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if partitions is None:
            return dg.RunRequest()
        with dg.partition_loading_context(context.scheduled_execution_time):
            first, last = partitions.get_first_partition_key(), partitions.get_last_partition_key()
        if first is None or last is None:
            return dg.SkipReason("No partition is complete yet")
        if every_partition:
            return dg.RunRequest(tags={_RANGE_START: first, _RANGE_END: last})
        return dg.RunRequest(partition_key=last)

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        default_status=dg.DefaultScheduleStatus[schedule.status.upper()],
        execution_fn=request,
    )
