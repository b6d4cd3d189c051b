"""The job and the schedule of a notebook that runs by itself."""

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from .component import NotebookRunnerComponent

_MAX_RUNTIME = "dagster/max_runtime"
_SLACK_SECONDS = 600


def scheduled(component: "NotebookRunnerComponent") -> tuple[list[Any], list[Any]]:
    """The jobs and schedules of a component that has a schedule; they are named after the asset."""
    schedule = component.schedule
    if schedule is None:
        return [], []
    name = "_".join(part for part in component.key.replace("-", "_").split("/"))
    partitions = component.partition.definition() if component.partition else None
    job = dg.define_asset_job(
        f"{name}_job",
        selection=dg.AssetSelection.assets(dg.AssetKey.from_user_string(component.key)),
        description=component.description,
        owners=component.owners or None,
        partitions_def=partitions,
        run_tags=_limit(component),
    )

    @dg.schedule(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        default_status=dg.DefaultScheduleStatus(schedule.default_status.upper()),
        owners=component.owners or None,
    )
    def start(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        time = context.scheduled_execution_time
        if partitions is None:
            return dg.RunRequest(run_key=time.isoformat())
        keys = partitions.get_partition_keys(current_time=time)
        if not keys:
            return dg.SkipReason(f"no partition is complete before {time:%Y-%m-%d %H:%M}")
        return dg.RunRequest(run_key=f"{time.isoformat()} {keys[-1]}", partition_key=keys[-1])

    return [job], [start]


def _limit(component: "NotebookRunnerComponent") -> dict[str, str]:
    """The limit of Dagster's own run monitoring: for the day on which the process that holds the cap is gone."""
    if component.max_runtime_minutes is None:
        return {}
    return {_MAX_RUNTIME: str(int(component.max_runtime_minutes * 60) * (1 + component.retries) + _SLACK_SECONDS)}
