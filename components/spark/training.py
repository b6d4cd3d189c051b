"""The component that trains a model on Spark from a researcher's script."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..governance.policy import policy_for
from ..partitions import TimePartition
from .attributes import (
    DependsOn,
    Environment,
    Experiment,
    ModelSettings,
    Notifications,
    ProfileName,
    Resources,
    SecretNames,
    SizeName,
    SparkEngine,
    SparkRemoteEnv,
    TrainingData,
)
from .baseline import CHECK, check_record
from .jobs import Compute
from .notifications import find_routes
from .scripts import find_scripts
from .training_run import TrainingRun
from .training_scaffolder import SparkModelTrainingScaffolder


def _resolved_model(context: dg.ResolutionContext, value: Any) -> ModelSettings:
    return ModelSettings.resolve_from_model(context, value)


@dg.scaffold_with(SparkModelTrainingScaffolder)
@dataclass
class SparkModelTrainingComponent(StrictComponent):
    """A model trained on Spark by a researcher's own script, tracked, compared and kept within its caps.

    The script defines ``train(context)``. The asset is ``models/<model_name>``; a training that passes the time or the
    cost it may take is ended, and what it logged until then is kept in MLflow.

    .. code-block:: yaml

        type: components.SparkModelTrainingComponent
        attributes:
          model_name: transformer_v3_experiment
          team: nlp_research
          compute_size: large
          data:
            source: s3://company-data/training/2024_q3
            validation_split: 0.2
          model:
            architecture: transformer
            parameters: {layers: 24, hidden_size: 1024}
          experiment:
            tags: [nlp]
            metrics_to_track: [loss, accuracy]
            comparison_baseline: transformer_v2_production
          resources:
            max_runtime_hours: 8
            max_cost_usd: 1000
            priority: high
    """

    model_name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the model: second part of the asset key, and name of its MLflow runs.",
            examples=["transformer_v3_experiment"],
            json_schema_extra={"pattern": r"^[A-Za-z]\w*$"},
        ),
    ]
    team: Annotated[
        str,
        dg.Resolver.default(
            description="Team that owns it and pays for it; also the MLflow experiment.",
            examples=["nlp_research"],
            json_schema_extra={"pattern": r"^[A-Za-z]\w*$"},
        ),
    ]
    compute_size: SizeName
    data: Annotated[TrainingData, dg.Resolver.default(description="What it learns from.")]
    # Dagster keeps the name model of a Resolvable for itself; in YAML it is free.
    settings: Annotated[
        ModelSettings,
        dg.Resolver(
            _resolved_model,
            model_field_name="model",
            model_field_type=ModelSettings.model(),
            description="The model, in the words of the script.",
        ),
    ] = field(default_factory=ModelSettings)
    experiment: Annotated[Experiment, dg.Resolver.default(description="What is tracked and compared.")] = field(
        default_factory=Experiment
    )
    resources: Annotated[Resources, dg.Resolver.default(description="Caps and priority.")] = field(
        default_factory=Resources
    )
    notifications: Annotated[Notifications, dg.Resolver.default(description="Who is told how it ended.")] = field(
        default_factory=Notifications
    )
    entry_point: Annotated[
        str,
        dg.Resolver.default(
            description="Python file beside this one that defines train(context).",
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*\.py$"},
        ),
    ] = "train.py"
    compute_profile: ProfileName = None
    spark_engine: SparkEngine = None
    spark_remote_env: SparkRemoteEnv = "SPARK_REMOTE"
    secrets: SecretNames = field(default_factory=list)
    environment: Environment = field(default_factory=dict)
    depends_on: DependsOn = field(default_factory=list)
    partition: Annotated[
        TimePartition | None, dg.Resolver.default(description="Time partitions, as context.partition.")
    ] = None
    schedule: Annotated[
        str | None,
        dg.Resolver.default(
            description="When it is trained, as a cron expression in UTC.",
            examples=["0 6 * * 1"],
            json_schema_extra={"format": "cron"},
        ),
    ] = None
    description: Annotated[str | None, dg.Resolver.default(description="What the model is, and what it is for.")] = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.schedule and self.partition:
            raise ValueError("schedule: a partitioned training has no schedule of its own; use ScheduledJobComponent")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset, the job ``train_<model_name>`` with its priority, and the schedule.

        Raises:
            DagsterInvalidDefinitionError: the size, a route, the script or a function in it does not exist.
        """
        folder = context.path if context.path.is_dir() else context.path.parent
        where = str(folder / "defs.yaml")
        policy = policy_for(context.project_root)
        owners = self.owners or [f"team:{self.team}"]
        Compute.of(self, policy, owners, where)
        routes = find_routes(self.notifications, policy, where)
        scripts = find_scripts(folder, context.project_root, self.entry_point, "train", self.data.preprocessing)
        baseline = self.experiment.comparison_baseline
        if baseline:
            check_record(baseline, folder)
        key = dg.AssetKey(["models", self.model_name])

        @dg.asset(
            key=key,
            description=self.description or self._description(),
            deps=[dg.AssetKey.from_user_string(upstream) for upstream in self.depends_on],
            owners=owners,
            group_name=self.group or self.team,
            tags={**self._experiment_tags(), "team": self.team, **self.tags},
            kinds={"spark", "mlflow"},
            metadata={"architecture": self.settings.architecture or "", "parameters": self.settings.parameters},
            code_version=scripts.version,
            partitions_def=self.partition.definition() if self.partition else None,
            check_specs=[dg.AssetCheckSpec(CHECK, asset=key, description=f"At least as good as {baseline}.")]
            if baseline
            else None,
            op_tags=self.resources.run_tags,
        )
        def spark_model(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            compute = Compute.of(self, policy, owners, where)
            return TrainingRun(self, context, policy, compute, scripts, routes, folder, project_root).materialize()

        project_root = context.project_root
        run_tags = {**self.resources.run_tags, "team": self.team}
        job = dg.define_asset_job(f"train_{self.model_name}", [key], tags=run_tags, description=self._description())
        schedule = dg.ScheduleDefinition(job=job, cron_schedule=self.schedule) if self.schedule else None
        return dg.Definitions(assets=[spark_model], jobs=[job], schedules=[schedule] if schedule else None)

    def _description(self) -> str:
        kind = f", a {self.settings.architecture}," if self.settings.architecture else ""
        return f"The model {self.model_name}{kind} trained by {self.team} on {self.data.source}."

    def _experiment_tags(self) -> dict[str, str]:
        from ..compute.metadata import tag_value

        return {tag_value(tag): "" for tag in self.experiment.tags if tag_value(tag)}
