"""The component for a job of the workspace whose tasks are assets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel, Field

from ...attributes import AssetKeys, Group, Owners, Tags
from ...base import StrictComponent
from ...governance.policy import policy_for
from .compute import JobCompute
from .job_attributes import KEY_PATTERN, Task
from .job_settings import job_settings
from .target import has_workspace


class DatabricksJobParams(BaseModel):
    """What the scaffolder asks."""

    name: str = Field(default="nightly", description="Name of the job", pattern=KEY_PATTERN)


class DatabricksJobScaffolder(dg.Scaffolder[DatabricksJobParams]):
    """Writes a script and the job that runs it."""

    @classmethod
    def get_scaffold_params(cls) -> type[DatabricksJobParams]:
        """The job's name."""
        return DatabricksJobParams

    def scaffold(self, request: dg.ScaffoldRequest[DatabricksJobParams]) -> None:
        """Write ``defs.yaml`` and ``hello.py``."""
        script = 'import sys\n\nprint("hello from", sys.argv[1])\n'
        (request.target_path / "hello.py").write_text(script, encoding="utf-8")
        # Files are named from the project's root, where a bundle starts too.
        place = _below(request, request.target_path / "hello.py")
        task = {"key": "hello", "description": "Says hello.", "script": {"file": place, "arguments": ["Databricks"]}}
        dg.scaffold_component(request, {"name": request.params.name, "tasks": [task], "max_runtime_minutes": 30})


@dg.scaffold_with(DatabricksJobScaffolder)
@dataclass(kw_only=True)
class DatabricksJobComponent(StrictComponent):
    """A Lakeflow job: its tasks are assets, of which any may be chosen, on compute that policy.yaml approves.

    The job is made or changed to what is written here, started once, and followed to its end; it is cancelled with the
    run, and a run that was killed finds it again. Notebooks and scripts below the project are uploaded. Every type of
    task, and every field, of the Jobs API can stand in ``settings``.

    .. code-block:: yaml

        type: components.DatabricksJobComponent
        attributes:
          name: nightly_sales
          tasks:
            - key: extract
              description: Orders of the day.
              notebook: {path: /Workspace/Shared/extract, parameters: {region: emea}}
            - key: report
              description: The report of the day.
              depends_on: [extract]
              settings:
                sql_task: {warehouse_id: 1234567890abcdef, file: {path: /Workspace/Shared/report.sql}}
          parameters: {day: "2026-01-31"}
          compute: {size: small, runtime: 16.4.x-scala2.12}
          max_runtime_minutes: 90
          owners: ["team:data"]
          tags: {domain: sales}
    """

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the job, and first part of the asset keys.",
            examples=["nightly_sales"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    tasks: Annotated[list[Task], dg.Resolver.default(description="Its tasks.", json_schema_extra={"minItems": 1})]
    parameters: Annotated[
        dict[str, str],
        dg.Resolver.default(description="Job parameters and their values; a run may give others in its configuration."),
    ] = field(default_factory=dict)
    compute: Annotated[
        JobCompute,
        dg.Resolver.default(description="Where tasks run that do not say it; serverless when empty."),
    ] = field(default_factory=JobCompute)
    dependencies: Annotated[
        list[str], dg.Resolver.default(description="Packages of the tasks' environment.", examples=[["polars>=1"]])
    ] = field(default_factory=list)
    deployed_by: Annotated[
        Literal["dagster", "bundle"],
        dg.Resolver.default(
            description="dagster: a run makes the job, or changes it. bundle: it is there, and is only run."
        ),
    ] = "dagster"
    pipes_volume: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of a volume for the messages of Dagster Pipes.",
            examples=["/Volumes/main/ops/pipes"],
            json_schema_extra={"pattern": r"^/Volumes/[^/]+/[^/]+/[^/]+"},
        ),
    ] = None
    max_runtime_minutes: Annotated[
        float,
        dg.Resolver.default(
            description="Minutes after which a run is cancelled.", json_schema_extra={"exclusiveMinimum": 0}
        ),
    ] = 24 * 60
    depends_on: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = [task.key for task in self.tasks]
        for task in self.tasks:
            if keys.count(task.key) > 1:
                raise ValueError(f"tasks: two tasks have the key {task.key!r}; rename one of them")
            if unknown := sorted(set(task.depends_on) - set(keys)):
                raise ValueError(f"tasks.{task.key}.depends_on: {unknown[0]!r} is no task; expected one of {keys}")
            kinds = [kind for kind in ("notebook", "script") if getattr(task, kind)]
            kinds += [kind for kind in task.settings if kind.endswith("_task")]
            if len(kinds) != 1:
                found = ", ".join(kinds) or "nothing"
                raise ValueError(
                    f"tasks.{task.key}: expected one of notebook, script and a *_task in settings; got {found}"
                )
            if task.script and task.script.pipes and not self.pipes_volume:
                raise ValueError(f"tasks.{task.key}.script.pipes needs pipes_volume, such as /Volumes/main/ops/pipes")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One step whose assets are the tasks."""
        from .job_run import run_step

        root, where = context.project_root, f"{context.component_path.file_path.name}: job {self.name}"
        job_settings(self, policy_for(root), str, where)  # refuses here what the policy does not approve
        keys = {task.key: self.asset_key(task) for task in self.tasks}
        specs = [self._spec(task, keys) for task in self.tasks]

        @dg.multi_asset(
            name=f"run_{self.name}",
            specs=specs,
            can_subset=True,
            config_schema={"parameters": dg.Field(dg.Permissive(), default_value={}, description="Job parameters.")},
        )
        def run(context: dg.AssetExecutionContext) -> Iterator[Any]:
            if has_workspace(context, f"job {self.name}"):
                yield from run_step(context, self, keys, root, where)

        return dg.Definitions(assets=[run])

    def asset_key(self, task: Task) -> dg.AssetKey:
        """The key of a task's asset."""
        return dg.AssetKey.from_user_string(task.asset) if task.asset else dg.AssetKey([self.name, task.key])

    def _spec(self, task: Task, keys: dict[str, dg.AssetKey]) -> dg.AssetSpec:
        kind = "notebook" if task.notebook else "python" if task.script else next(iter(task.settings))
        outside = [dg.AssetKey.from_user_string(key) for key in self.depends_on] if not task.depends_on else []
        return dg.AssetSpec(
            keys[task.key],
            description=task.description or f"Task {task.key} of the job {self.name}.",
            deps=[*(keys[before] for before in task.depends_on), *outside],
            owners=self.owners,
            group_name=self.group or "databricks",
            tags=self.tags,
            kinds={"databricks", kind.removesuffix("_task")},
            skippable=True,
        )


def _below(request: Any, file: Path) -> str:
    root = request.project_root
    return file.relative_to(root).as_posix() if root and file.is_relative_to(root) else file.as_posix()
