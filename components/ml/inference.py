"""The component that scores rows with the model that is in use."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.engines.base import WarehouseError
from ..warehouse.sql_table import SqlPartition
from .attributes import (
    ComputeProfileName,
    ComputeSizeName,
    DependsOn,
    DriftCheck,
    Key,
    MaxCost,
    MaxRuntime,
    RegisteredModel,
)
from .data import DataSource, Place, place_of, scratch_folder, window_of
from .example_chain import ChainParams, scaffold_chain
from .job import Compute, compute_for, cost_tags, in_the_workspace, score_in_job
from .loaded import Loaded
from .model_store import load_model, version_by_alias
from .predictions import put_into_file, put_into_table
from .rows import Rows
from .scoring import Scored, score
from .tracking import Tracking, TrackingError, tracking
from .training_steps.prepare import DataError, check_columns

_ADDED = ["prediction", "probability", "model_version", "mlflow_run_id", "dagster_run_id", "scored_at"]
_CHECK = "feature_drift"


class BatchInferenceScaffolder(dg.Scaffolder[ChainParams]):
    """Writes a scoring of real data, and the model that it needs unless a training is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[ChainParams]:
        """Name and training."""
        return ChainParams

    def scaffold(self, request: dg.ScaffoldRequest[ChainParams]) -> None:
        """Write ``defs.yaml``, and real data beside it."""
        scaffold_chain(request, "BatchInferenceComponent")


@dg.scaffold_with(BatchInferenceScaffolder)
@dataclass
class BatchInferenceComponent(StrictComponent):
    """Predictions of the champion for every row of a table or file.

    Rows are read, scored and written in chunks; readers see the old predictions until all new ones are there, and a
    run for a partition replaces its own rows only. Each row says which version of the model made it, and when.
    Tables of a Databricks workspace are scored there, as a task of it, where the compute profile is one of Databricks.

    .. code-block:: yaml

        type: components.BatchInferenceComponent
        attributes:
          key: ml/wine_predictions
          description: What the champion says about each wine.
          registered_model: wine
          data:
            path: wine.csv
          id_columns: [wine]
          output_path: data/wine_predictions.parquet
          drift: {threshold: 0.2, severity: warn}
          owners: ["team:data-science"]
          group: ml
    """

    key: Key
    description: Description
    registered_model: RegisteredModel
    data: Annotated[DataSource, dg.Resolver.default(description="Rows to score.")]
    id_columns: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that say which row a prediction is for.",
            examples=[["wine"]],
            json_schema_extra={"minItems": 1},
        ),
    ]
    alias: Annotated[str, dg.Resolver.default(description="Alias of the version that scores.")] = "champion"
    output_path: Annotated[
        str | None,
        dg.Resolver.default(
            description="Parquet file below the project's root; the warehouse table of the asset's key when left out.",
            examples=["data/wine_predictions.parquet"],
            json_schema_extra={"pattern": r"^[^/\\].*\.parquet$"},
        ),
    ] = None
    chunk_rows: Annotated[
        int, dg.Resolver.default(description="Rows that are in memory at a time.", json_schema_extra={"minimum": 1})
    ] = 50_000
    drift: Annotated[
        DriftCheck, dg.Resolver.default(description="The asset check feature_drift: the data against the training's.")
    ] = field(default_factory=DriftCheck)
    partition: Annotated[
        SqlPartition | None,
        dg.Resolver.default(description="Time partitions; a run scores and replaces the rows of its period."),
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
        """Raise ValueError where columns of the result would have one name."""
        if clash := [name for name in self.id_columns if name in _ADDED]:
            raise ValueError(f"id_columns: {', '.join(clash)} is a column that scoring adds")
        if self.output_path and ".." in Path(self.output_path).parts:
            raise ValueError(f"output_path: {self.output_path!r} leads out of the project")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset and its check."""
        place = place_of(context)
        asset_key = dg.AssetKey.from_user_string(self.key)
        where, limits = f"{place.file}: {self.key}", (self.max_runtime_minutes, self.max_cost_usd)
        compute = compute_for(place, where, self.owners, self.compute_size, self.compute_profile, *limits)
        table = {} if self.output_path else {"dagster/table_name": self.key.replace("/", ".")}

        @dg.asset(
            key=asset_key,
            description=self.description,
            deps=[*self.data.upstream, *map(dg.AssetKey.from_user_string, self.depends_on)],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"mlflow", "parquet" if self.output_path else "table"},
            metadata=table,
            op_tags=cost_tags(compute, self.owners),
            partitions_def=self.partition.definition() if self.partition else None,
            check_specs=[
                dg.AssetCheckSpec(
                    _CHECK,
                    asset=asset_key,
                    description=f"No feature has a population stability index above {self.drift.threshold:g}.",
                    blocking=self.drift.severity == "error",
                )
            ],
            required_resource_keys=self.data.resources | (set() if self.output_path else {"warehouse"}),
        )
        def batch_inference(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._score(context, place, compute)
            except TrackingError as error:
                raise error.as_failure(self.key) from None
            except WarehouseError as error:
                raise dg.Failure(description=f"{self.key}: {error}") from None
            except DataError as error:
                raise dg.Failure(description=f"{self.key}: {error}", allow_retries=False) from None

        return dg.Definitions(assets=[batch_inference])

    def _score(self, context: dg.AssetExecutionContext, place: Place, compute: Compute) -> dg.MaterializeResult:
        mlflow = tracking(place.project_root)
        version, loaded = self._model(mlflow)
        rows = self.data.opened(
            context, place, window_of(context, self.partition), self.partition.column if self.partition else ""
        )
        self._check_columns(rows, loaded, str(version.version))
        marks = {
            "model_version": int(version.version),
            "mlflow_run_id": version.run_id,
            "dagster_run_id": context.run.run_id,
            "scored_at": datetime.now(UTC).replace(tzinfo=None),  # engines keep times in UTC
        }
        partition = [self.partition.column] if self.partition else []
        asked: dict[str, Any] = {
            "kept": list(dict.fromkeys([*self.id_columns, *partition])),
            "watched": self.drift.features or loaded.features,
            "marks": marks,
            "chunk_rows": self.chunk_rows,
        }
        about: dict[str, Any] = {}
        with scratch_folder() as folder:
            if self._scores_there(context, compute):
                scored, about = self._score_there(context, compute, rows, loaded, asked, folder)
                target = str(context.resources.warehouse.engine.qualify(*self.key.split("/")))
            else:
                scored = score(rows, loaded, **asked, folder=folder)
                target = self._put(context, place, folder)
        context.log.info(f"{scored.rows:,} rows scored by {self.registered_model} version {version.version}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": scored.rows,
                "output": target,
                "registered_model": self.registered_model,
                "model_version": int(version.version),
                "mlflow_run_id": version.run_id,
                "mlflow": mlflow.address,
                **about,
            },
            check_results=[self._check_result(scored)],
        )

    def _model(self, mlflow: Tracking) -> tuple[Any, Loaded]:
        mlflow.activate()
        version = version_by_alias(mlflow, self.registered_model, self.alias)
        if version is None:
            raise dg.Failure(
                description=f"{self.key}: the registered model {self.registered_model!r} has no alias {self.alias!r} "
                f"at {mlflow.address}; materialise the asset that registers it first",
                allow_retries=False,
            )
        uri = f"models:/{self.registered_model}/{version.version}"
        return version, load_model(mlflow, uri, version.run_id)

    def _check_columns(self, rows: Rows, loaded: Loaded, version: str) -> None:
        partition = [self.partition.column] if self.partition else []
        present = [column.name for column in rows.columns()]
        try:
            check_columns(present, {"id_columns": self.id_columns, "partition.column": partition})
            check_columns(present, {f"features of {self.registered_model} version {version}": loaded.features})
            check_columns(loaded.features, {"drift.features": self.drift.features})
        except DataError as error:
            raise DataError(f"{rows.origin}: {error}") from None

    def _scores_there(self, context: dg.AssetExecutionContext, compute: Compute) -> bool:
        if self.data.path is not None or self.output_path:
            return False
        return in_the_workspace(compute, context.resources.warehouse.engine)

    def _score_there(
        self,
        context: dg.AssetExecutionContext,
        compute: Compute,
        rows: Rows,
        loaded: Loaded,
        asked: dict[str, Any],
        folder: Path,
    ) -> tuple[Scored, dict[str, Any]]:
        """Score as a task of the workspace, which reads and writes its tables."""
        import skops.io

        schema, table = self.key.split("/")
        request = {
            **asked,
            "marks": {**asked["marks"], "scored_at": asked["marks"]["scored_at"].isoformat()},
            "relation": rows.relation,
            "model": loaded.known,
            "schema": schema,
            "table": table,
            "inside": self._inside(context),
        }
        skops.io.dump(loaded.pipeline, folder / "model.skops")
        return score_in_job(context, self.key, compute, request, folder / "model.skops", self.owners, folder)

    def _inside(self, context: dg.AssetExecutionContext) -> str | None:
        """The condition of the rows that a run for a partition replaces."""
        window = window_of(context, self.partition)
        if not (self.partition and window):
            return None
        start, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (window.start, window.end))
        column = context.resources.warehouse.engine.quote(self.partition.column)
        return f"{column} >= '{start}' AND {column} < '{end}'"

    def _put(self, context: dg.AssetExecutionContext, place: Place, folder: Path) -> str:
        if self.output_path:
            target = place.project_root / self.output_path
            if self.partition:
                name = context.partition_key.replace(":", "-")
                target = target.with_suffix("") / f"{self.partition.column}={name}.parquet"
            put_into_file(folder, target)
            return target.relative_to(place.project_root).as_posix()
        engine = context.resources.warehouse.engine
        schema, table = self.key.split("/")
        put_into_table(engine, folder, schema, table, self._inside(context))
        return str(engine.qualify(schema, table))

    def _check_result(self, scored: Scored) -> dg.AssetCheckResult:
        indexes = scored.drift
        moved = {name: index for name, index in indexes.items() if index > self.drift.threshold}
        summary = ", ".join(f"{name} ({index:.2f})" for name, index in moved.items()) or "no feature has moved"
        enough = scored.rows >= self.drift.minimum_rows
        if not enough:
            summary = f"{scored.rows:,} rows are too few to tell; minimum_rows is {self.drift.minimum_rows:,}"
        severe = self.drift.severity == "error"
        return dg.AssetCheckResult(
            asset_key=dg.AssetKey.from_user_string(self.key),
            check_name=_CHECK,
            passed=not (enough and moved),
            severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
            description=summary,
            metadata={"stability_index": {name: round(index, 4) for name, index in indexes.items()}},
        )
