"""The component that runs a selection of assets on a schedule."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import Owners, Tags
from ..base import StrictComponent
from ..schedules import Cron, Timezone
from .selection import NonEmptySelection

MAX_RUNTIME = "dagster/max_runtime"


class ScheduledJobParams(BaseModel):
    """What the scaffolder asks."""

    job_name: str = Field(default="daily_refresh", pattern=r"^[A-Za-z_]\w*$", description="Name of the job")
    selection: str = Field(default="*", description="The assets, in Dagster's selection syntax")
    cron: str = Field(default="0 6 * * *", description="When it runs, as a cron expression")
    timezone: str = Field(default="UTC", description="Time zone of the cron expression")


class ScheduledJobScaffolder(dg.Scaffolder[ScheduledJobParams]):
    """Writes a daily job."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScheduledJobParams]:
        """Name, selection, cron expression and time zone."""
        return ScheduledJobParams

    def scaffold(self, request: dg.ScaffoldRequest[ScheduledJobParams]) -> None:
        """Write ``defs.yaml``."""
        description = f"Runs {request.params.selection} on a schedule: say who needs it by when."
        attributes = {**request.params.model_dump(), "description": description, "max_runtime_minutes": 120}
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(ScheduledJobScaffolder)
@dataclass
class ScheduledJobComponent(StrictComponent):
    """A job over a selection of assets, and the schedule that starts it.

    Partitioned assets run for their last complete partition, or for every partition where these are not points in time.

    .. code-block:: yaml

        type: components.ScheduledJobComponent
        attributes:
          job_name: morning_refresh
          selection: "group:marts+"
          cron: "0 6 * * *"
          timezone: Europe/Berlin
          max_runtime_minutes: 60
    """

    job_name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the job; its schedule is called the same with _schedule added.",
            examples=["morning_refresh"],
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"},
        ),
    ]
    selection: Annotated[
        str,
        dg.Resolver.default(
            description="The assets, in Dagster's selection syntax; a selection of no asset is an error.",
            examples=["*", "group:marts", "+key:marts/orders", "tag:tier=critical"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    cron: Cron
    timezone: Timezone = "UTC"
    description: Annotated[str | None, dg.Resolver.default(description="What the job is for.")] = None
    tags: Tags = field(default_factory=dict)
    max_runtime_minutes: Annotated[
        int | None,
        dg.Resolver.default(
            description="Minutes after which a run is stopped and counts as failed.", json_schema_extra={"minimum": 1}
        ),
    ] = None
    default_status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether the schedule is on until somebody switches it in the web UI."),
    ] = "stopped"
    owners: Owners = field(default_factory=list)

    def __post_init__(self) -> None:
        _check_selection(self.selection)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The job and its schedule."""
        job = dg.define_asset_job(
            self.job_name,
            selection=NonEmptySelection(
                child=dg.AssetSelection.from_string(self.selection), used_by=f"{_file(context)}: job {self.job_name}"
            ),
            description=self.description,
            tags=self.tags,
            run_tags={**self.tags, **self._limit()},
            owners=self.owners or None,
        )

        @dg.schedule(
            name=f"{self.job_name}_schedule",
            job=job,
            cron_schedule=self.cron,
            execution_timezone=self.timezone,
            description=self.description,
            tags=self.tags,
            default_status=dg.DefaultScheduleStatus(self.default_status.upper()),
            owners=self.owners or None,
        )
        def start(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
            return list(self._requests(context))

        return dg.Definitions(jobs=[job], schedules=[start])

    def _limit(self) -> dict[str, str]:
        return {MAX_RUNTIME: str(self.max_runtime_minutes * 60)} if self.max_runtime_minutes else {}

    def _requests(self, context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        time = context.scheduled_execution_time
        partitions = context.repository_def.get_job(self.job_name).partitions_def if context.repository_def else None
        if partitions is None:
            yield dg.RunRequest(run_key=time.isoformat())
            return
        by_time = isinstance(partitions, dg.TimeWindowPartitionsDefinition)
        is_fixed = by_time or isinstance(partitions, dg.StaticPartitionsDefinition)
        keys = partitions.get_partition_keys(
            current_time=time, dynamic_partitions_store=None if is_fixed else context.instance
        )
        for key in keys[-1:] if by_time else keys:
            yield dg.RunRequest(run_key=f"{time.isoformat()} {key}", partition_key=key)


def _file(context: dg.ComponentLoadContext) -> str:
    """The YAML file, as people know it: from the project's root."""
    path: Any = context.component_path.file_path
    file = path if path.suffix else path / "defs.yaml"
    return file.relative_to(context.project_root).as_posix() if file.is_relative_to(context.project_root) else file.name


def _check_selection(selection: str) -> None:
    from dagster._core.definitions.asset_selection import DagsterInvalidAssetSelectionError

    try:
        dg.AssetSelection.from_string(selection)
    except DagsterInvalidAssetSelectionError:
        raise ValueError(
            f"selection: {selection!r} is not valid; expected Dagster's selection syntax, for instance "
            "'*', 'group:marts', '+key:marts/orders' or 'tag:tier=critical and not kind:html'"
        ) from None
