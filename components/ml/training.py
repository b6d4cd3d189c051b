"""The component that trains a model and tracks it in MLflow."""

import base64
from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.engines.base import WarehouseError
from ..warehouse.sql_table import SqlPartition
from .algorithms import Algorithm, check_parameters, task_of
from .attributes import (
    KEY_PATTERN,
    ComputeProfileName,
    ComputeSizeName,
    DependsOn,
    Experiment,
    Key,
    MaxCost,
    MaxRuntime,
    Preprocessing,
    Search,
    Split,
)
from .data import DataSource, Place, place_of, scratch_folder, window_of
from .example import training_attributes, write_wine
from .job import Compute, Finished, compute_for, cost_tags, in_the_workspace, train_in_job
from .model_store import log_training
from .tracking import TrackingError, context_tags, tracking
from .training_steps.metrics import CLASSIFICATION, REGRESSION
from .training_steps.prepare import DataError, check_columns
from .yaml_files import read_model


class TrainingParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="ml/wine_model", description="Asset key, group/name", pattern=KEY_PATTERN)


class TrainingScaffolder(dg.Scaffolder[TrainingParams]):
    """Writes a training on real data that runs as it is."""

    @classmethod
    def get_scaffold_params(cls) -> type[TrainingParams]:
        """The asset key."""
        return TrainingParams

    def scaffold(self, request: dg.ScaffoldRequest[TrainingParams]) -> None:
        """Write ``defs.yaml`` and the data beside it."""
        write_wine(request.target_path)
        dg.scaffold_component(request, training_attributes(request.params.key))


@dg.scaffold_with(TrainingScaffolder)
@dataclass
class ModelTrainingComponent(StrictComponent):
    """A model trained with scikit-learn or XGBoost, tracked in MLflow.

    Training runs as a job on approved compute. The same data, seed and parameters give the same model.

    .. code-block:: yaml

        type: components.ModelTrainingComponent
        attributes:
          key: ml/wine_model
          description: Tells the cultivar of a wine from its measurements.
          data:
            path: wine.csv
          features: [alcohol, flavanoids, proline]
          target: cultivar
          algorithm: random_forest_classifier
          parameters: {max_depth: 6}
          search:
            method: grid
            metric: accuracy
            parameters: {n_estimators: [20, 50]}
            cross_validation: 3
          split: {method: stratified, test_size: 0.25}
          preprocessing: {impute: median, scale: true}
          max_runtime_minutes: 10
          owners: ["team:data-science"]
          group: ml
    """

    key: Key
    description: Description
    data: Annotated[DataSource, dg.Resolver.default(description="Rows to learn from.")]
    features: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that the model sees.", examples=[["alcohol"]], json_schema_extra={"minItems": 1}
        ),
    ]
    target: Annotated[str, dg.Resolver.default(description="Column that it learns to tell.", examples=["cultivar"])]
    algorithm: Annotated[Algorithm, dg.Resolver.default(description="An approved algorithm.")]
    parameters: Annotated[
        dict[str, str | int | float | bool | None],
        dg.Resolver.default(description="Parameters of the algorithm.", examples=[{"max_depth": 6}]),
    ] = field(default_factory=dict)
    search: Annotated[
        Search | None, dg.Resolver.default(description="Search for the best parameters by cross-validation.")
    ] = None
    hyperparameters: Annotated[
        str | None,
        dg.Resolver.default(
            description="YAML file beside this one with the keys of search, instead of it.",
            examples=["hparam_search.yaml"],
            json_schema_extra={"pattern": r"\.ya?ml$"},
        ),
    ] = None
    split: Annotated[Split, dg.Resolver.default(description="Rows that are held out.")] = field(default_factory=Split)
    preprocessing: Annotated[
        Preprocessing, dg.Resolver.default(description="What happens to features first; part of the model.")
    ] = field(default_factory=Preprocessing)
    seed: Annotated[
        int, dg.Resolver.default(description="Seed of every random choice.", json_schema_extra={"minimum": 0})
    ] = 42
    slices: Annotated[
        list[str],
        dg.Resolver.default(
            description="Further columns kept with the held-out rows, so that a gate can look at parts of them.",
            examples=[["origin"]],
        ),
    ] = field(default_factory=list)
    held_out_rows: Annotated[
        int,
        dg.Resolver.default(
            description="Most held-out rows that are kept with the run, for the gate; 0 keeps none.",
            json_schema_extra={"minimum": 0},
        ),
    ] = 20_000
    experiment: Experiment = None
    partition: Annotated[
        SqlPartition | None,
        dg.Resolver.default(description="Time partitions; a run learns from the rows of its period."),
    ] = None
    compute_size: ComputeSizeName = None
    compute_profile: ComputeProfileName = None
    max_runtime_minutes: MaxRuntime = None
    max_cost_usd: MaxCost = None
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where attributes contradict each other."""
        if self.target in self.features:
            raise ValueError(f"features: {self.target!r} is the target too; a model that sees it learns nothing else")
        if repeated := sorted({name for name in self.features if self.features.count(name) > 1}):
            raise ValueError(f"features: {', '.join(repeated)} is named twice")
        if unknown := [name for name in self.preprocessing.one_hot if name not in self.features]:
            raise ValueError(f"preprocessing.one_hot: {', '.join(unknown)} is not one of the features")
        if self.search and self.hyperparameters:
            raise ValueError("expected one of search and hyperparameters, not both")
        if task_of(self.algorithm) == "regression" and self.split.method == "stratified":
            raise ValueError(f"split.method: stratified needs classes, but {self.algorithm} predicts numbers")
        check_parameters(self.algorithm, list(self.parameters), "parameters")
        if self.search:
            self._check_search(self.search)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        place = place_of(context)
        search = self.search or self._search_of(place)
        where = f"{place.file}: {self.key}"
        limits = (self.max_runtime_minutes, self.max_cost_usd)
        compute = compute_for(place, where, self.owners, self.compute_size, self.compute_profile, *limits)

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            deps=[*self.data.upstream, *map(dg.AssetKey.from_user_string, self.depends_on)],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"mlflow", "xgboost" if self.algorithm.startswith("xgboost") else "scikitlearn"},
            op_tags=cost_tags(compute, self.owners),
            partitions_def=self.partition.definition() if self.partition else None,
            required_resource_keys=self.data.resources,
        )
        def model_training(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._train(context, place, compute, search)
            except TrackingError as error:
                raise error.as_failure(self.key) from None
            except WarehouseError as error:
                raise dg.Failure(description=f"{self.key}: {error}") from None
            except DataError as error:
                raise dg.Failure(description=f"{self.key}: {error}", allow_retries=False) from None

        return dg.Definitions(assets=[model_training])

    def _search_of(self, place: Place) -> Search | None:
        if self.hyperparameters is None:
            return None
        file = place.folder / self.hyperparameters
        search = read_model(file, Search, f"{place.file}: hyperparameters")
        try:
            self._check_search(search)
        except ValueError as error:
            raise dg.DagsterInvalidDefinitionError(f"{file}: {error}") from None
        return search

    def _check_search(self, search: Search) -> None:
        check_parameters(self.algorithm, list(search.parameters), "search.parameters")
        valid = REGRESSION if task_of(self.algorithm) == "regression" else CLASSIFICATION
        if search.metric not in valid:
            raise ValueError(f"search.metric: {search.metric!r} is not for {self.algorithm}; use {', '.join(valid)}")

    def _train(
        self, context: dg.AssetExecutionContext, place: Place, compute: Compute, search: Search | None
    ) -> dg.MaterializeResult:
        mlflow = tracking(place.project_root)
        experiment = self.experiment or self.key
        tags = context_tags(context, self.owners, place.project_root) | cost_tags(compute, self.owners)
        request = self._request(search)
        with scratch_folder() as folder, mlflow.run(experiment, f"{self.key} {context.run.run_id[:8]}", tags) as run:
            data = folder / "data.parquet"
            rows = self.data.opened(context, place, window_of(context, self.partition), self._time_column())
            columns = self._columns()
            check_columns([column.name for column in rows.columns()], columns)
            every = list(dict.fromkeys(name for names in columns.values() for name in names))
            if self.data.path is None and in_the_workspace(compute, context.resources.warehouse.engine):
                request |= {"relation": rows.relation, "columns": every}
                finished = train_in_job(context, self.key, compute, request, None, self.owners, folder)
            else:
                context.log.info(f"{rows.export(every, data):,} rows of {rows.origin}")
                finished = train_in_job(context, self.key, compute, request, data, self.owners, folder)
            model_uri = log_training(mlflow, request, finished)
            mlflow.client.set_tag(run.info.run_id, "model_uri", model_uri)
        return dg.MaterializeResult(
            metadata={
                "mlflow_run_id": run.info.run_id,
                "model_uri": model_uri,
                "mlflow": mlflow.address,
                "experiment": mlflow.experiment_name(experiment),
                **_metadata(finished),
            }
        )

    def _columns(self) -> dict[str, list[str]]:
        time_column = [self.split.time_column] if self.split.time_column else []
        wanted = {"features": self.features, "target": [self.target], "split.time_column": time_column}
        return {**wanted, "split.by": self.split.by, "slices": self.slices}

    def _time_column(self) -> str:
        return self.partition.column if self.partition else ""

    def _request(self, search: Search | None) -> dict[str, Any]:
        return {
            "task": task_of(self.algorithm),
            "algorithm": self.algorithm,
            "features": self.features,
            "target": self.target,
            "parameters": self.parameters,
            "search": search.model_dump() if search else None,
            "split": self.split.model_dump(),
            "preprocessing": self.preprocessing.model_dump(),
            "seed": self.seed,
            "slices": self.slices,
            "held_out_rows": self.held_out_rows,
        }


def _metadata(finished: Finished) -> dict[str, Any]:
    report = finished.report
    shown = {name: dg.MetadataValue.md(_image(name, svg)) for name, svg in report["charts"].items()}
    trials = {"trials": dg.MetadataValue.json(report["trials"])} if report["trials"] else {}
    return {
        **{name: dg.MetadataValue.float(round(value, 6)) for name, value in report["metrics"].items()},
        **{f"rows_{name}": count for name, count in report["rows"].items()},
        "parameters": dg.MetadataValue.json(report["parameters"]),
        **trials,
        **shown,
        **finished.metadata,
    }


def _image(name: str, svg: str) -> str:
    return f"![{name}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
