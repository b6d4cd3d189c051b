"""The component that runs a Jupyter notebook as an asset."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ..attributes import AssetKeys, AssetKeyText, Description, Group, Owners, Tags
from ..base import StrictComponent
from .attributes import (
    INSIDE,
    PLACEHOLDERS,
    VARIABLE,
    NotebookExperiment,
    NotebookPartition,
    NotebookSchedule,
    uses_partition,
)
from .scaffolder import NotebookScaffolder

AUTOMATIC = ("partition_key", "partition_start", "partition_end", "run_context")


@dg.scaffold_with(NotebookScaffolder)
@dataclass
class NotebookRunnerComponent(StrictComponent):
    """A Jupyter notebook that runs with approved compute; what it shows is kept, also when it fails.

    Values of the YAML replace those of the cell tagged ``parameters``. A notebook that declares ``run_context``,
    ``partition_key``, ``partition_start`` or ``partition_end`` there gets them too. What it displays as
    ``application/vnd.dagster.metadata+json`` becomes metadata of the asset.

    .. code-block:: yaml

        type: components.NotebookRunnerComponent
        attributes:
          key: research/customer_segments
          description: Groups of customers that buy alike.
          notebook: customer_segments.ipynb
          compute_size: small
          parameters:
            segments: 4
            day: "{{ partition.key }}"
          partition:
            by: daily
            start: "2026-01-01"
          schedule:
            cron: "0 2 * * *"
            timezone: Europe/Berlin
          max_runtime_minutes: 30
          max_cost_usd: 2.5
          experiment:
            id: segments
            tags: [customers]
          owners: ["team:research"]
          group: research
    """

    key: AssetKeyText
    description: Description
    notebook: Annotated[
        str,
        dg.Resolver.default(
            description="The notebook, beside this file.",
            examples=["customer_segments.ipynb"],
            json_schema_extra={"pattern": r"\.ipynb$"},
        ),
    ]
    compute_size: Annotated[
        str,
        dg.Resolver.default(
            description="Resources, by a name that policy.yaml approves.",
            examples=["small"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    parameters: Annotated[
        dict[str, Any],
        dg.Resolver.default(
            description="Values for the cell tagged parameters; text may use {{ partition.key }}, .start and .end.",
            examples=[{"segments": 4}],
        ),
    ] = field(default_factory=dict)
    compute_profile: Annotated[
        str | None,
        dg.Resolver.default(
            description="Where it runs, by a name of policy.yaml; the variable COMPUTE_PROFILE goes before it.",
            examples=["local"],
        ),
    ] = None
    max_runtime_minutes: Annotated[
        float | None,
        dg.Resolver.default(
            description="Minutes after which a run is ended.", json_schema_extra={"exclusiveMinimum": 0}
        ),
    ] = None
    max_cost_usd: Annotated[
        float | None,
        dg.Resolver.default(
            description="US dollars at which a run is ended; each retry has them anew.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = None
    experiment: Annotated[
        NotebookExperiment | None, dg.Resolver.default(description="The experiment that its runs belong to.")
    ] = None
    secrets: Annotated[
        list[Annotated[str, VARIABLE]],
        dg.Resolver.default(
            description="Names of secrets; the notebook finds each in the environment variable of its name.",
            examples=[["CRM_TOKEN"]],
        ),
    ] = field(default_factory=list)
    environment: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="Environment variables that are no secret.", examples=[{"AWS_REGION": "eu-central-1"}]
        ),
    ] = field(default_factory=dict)
    files: Annotated[
        list[Annotated[str, INSIDE]],
        dg.Resolver.default(
            description="Files that the notebook needs, beside this one; patterns such as data/*.csv too.",
            examples=[["helpers.py"]],
        ),
    ] = field(default_factory=list)
    outputs: Annotated[
        list[Annotated[str, INSIDE]],
        dg.Resolver.default(
            description="Files that the notebook writes, kept in data/notebooks beside its rendering.",
            examples=[["segments.csv"]],
        ),
    ] = field(default_factory=list)
    kernel: Annotated[
        str | None, dg.Resolver.default(description="Jupyter kernel; the notebook's own when left out.")
    ] = None
    partition: Annotated[
        NotebookPartition | None, dg.Resolver.default(description="Time partitions, one run of the notebook for each.")
    ] = None
    schedule: Annotated[NotebookSchedule | None, dg.Resolver.default(description="When it runs by itself.")] = None
    retries: Annotated[
        int,
        dg.Resolver.default(
            description="How often a failed run is repeated; one that reached a cap is not.",
            json_schema_extra={"minimum": 0, "maximum": 10},
        ),
    ] = 0
    keep: Annotated[
        int,
        dg.Resolver.default(description="How many rendered notebooks stay.", json_schema_extra={"minimum": 1}),
    ] = 20
    upstream: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    @classmethod
    def get_additional_scope(cls) -> dict[str, Any]:
        """``partition`` in parameters, which stays a template until the notebook runs."""
        return {"partition": PLACEHOLDERS}

    def __post_init__(self) -> None:
        if not self.partition and (names := [name for name, value in self.parameters.items() if uses_partition(value)]):
            raise ValueError(f"parameters.{names[0]}: uses the partition, but there is no partition in this file")
        if taken := [name for name in self.parameters if name in AUTOMATIC]:
            raise ValueError(
                f"parameters.{taken[0]}: is given by the component; declare it in the notebook and leave it out here"
            )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset, and its job and schedule where one is asked for."""
        from .plan import plan_of
        from .scheduling import scheduled

        plan = plan_of(self, context)

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            deps=[dg.AssetKey.from_user_string(key) for key in self.upstream],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"jupyter", plan.notebook.language.lower()},
            op_tags=plan.tags,
            metadata={"notebook_source": dg.MetadataValue.path(plan.source), "compute_size": self.compute_size},
            code_version=plan.notebook.version,
            partitions_def=self.partition.definition() if self.partition else None,
            retry_policy=dg.RetryPolicy(max_retries=self.retries, delay=10) if self.retries else None,
        )
        def notebook(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            from .execution import run_notebook

            return run_notebook(self, plan, context)

        jobs, schedules = scheduled(self) if self.schedule else ([], [])
        return dg.Definitions(assets=[notebook], jobs=jobs, schedules=schedules)
