"""The component that scores rows with the model that is in use."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import Field

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent, StrictModel
from ..warehouse.engines.base import WarehouseError
from ..warehouse.sql_table import SqlPartition
from .attributes import DependsOn, Key, RegisteredModel, Severity
from .data import DataSource, Place, Rows, place_of, scratch_folder, window_of
from .drift import Drift
from .example_chain import ChainParams, scaffold_chain
from .model_store import Loaded, load_model, version_by_alias
from .predictions import put_into_file, put_into_table
from .tracking import Tracking, TrackingError, tracking
from .training_steps.prepare import DataError, check_columns

_ADDED = ["prediction", "probability", "model_version", "mlflow_run_id", "dagster_run_id", "scored_at"]
_CHECK = "feature_drift"


class DriftCheck(StrictModel):
    """When features that moved away from the training data are told."""

    threshold: Annotated[
        float,
        dg.Resolver.default(
            description="Population stability index above which a feature has moved; 0.2 is customary.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 0.2
    minimum_rows: Annotated[
        int,
        dg.Resolver.default(
            description="Rows below which chance decides, and nothing is told.", json_schema_extra={"minimum": 1}
        ),
    ] = 100
    severity: Annotated[
        Severity, dg.Resolver.default(description="error stops what is downstream, warn only tells.")
    ] = "warn"
    features: Annotated[
        list[str], dg.Resolver.default(description="Features that are looked at; all of them when left out.")
    ] = Field(default_factory=list)


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
                return self._score(context, place)
            except TrackingError as error:
                raise error.as_failure(self.key) from None
            except WarehouseError as error:
                raise dg.Failure(description=f"{self.key}: {error}") from None
            except DataError as error:
                raise dg.Failure(description=f"{self.key}: {error}", allow_retries=False) from None

        return dg.Definitions(assets=[batch_inference])

    def _score(self, context: dg.AssetExecutionContext, place: Place) -> dg.MaterializeResult:
        mlflow = tracking(place.project_root)
        version, loaded = self._model(mlflow)
        rows = self.data.opened(
            context, place, window_of(context, self.partition), self.partition.column if self.partition else ""
        )
        self._check_columns(rows, loaded, str(version.version))
        drift = Drift({name: loaded.profile[name] for name in self.drift.features or loaded.features})
        marks = {
            "model_version": int(version.version),
            "mlflow_run_id": version.run_id,
            "dagster_run_id": context.run.run_id,
            "scored_at": datetime.now(UTC).replace(tzinfo=None),  # engines keep times in UTC
        }
        with scratch_folder() as folder:
            count = self._write_chunks(rows, loaded, drift, marks, folder)
            target = self._put(context, place, folder)
        context.log.info(f"{count:,} rows scored by {self.registered_model} version {version.version}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": count,
                "output": target,
                "registered_model": self.registered_model,
                "model_version": int(version.version),
                "mlflow_run_id": version.run_id,
                "mlflow": mlflow.address,
            },
            check_results=[self._check_result(drift)],
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

    def _write_chunks(self, rows: Rows, loaded: Loaded, drift: Drift, marks: dict[str, Any], folder: Path) -> int:
        partition = [self.partition.column] if self.partition else []
        kept = list(dict.fromkeys([*self.id_columns, *partition]))
        columns = list(dict.fromkeys([*kept, *loaded.features]))
        count, number = 0, 0
        for number, frame in enumerate(rows.chunks(columns, self.chunk_rows), start=1):
            predicted = _predicted(frame, kept, loaded, marks)
            drift.add(loaded.prepared(frame))
            predicted.to_parquet(folder / f"{number:06}.parquet", index=False)
            count += len(frame)
        if number == 0:  # an empty table has its columns too
            self._write_empty(kept, loaded, marks, folder)
        return count

    def _write_empty(self, kept: list[str], loaded: Loaded, marks: dict[str, Any], folder: Path) -> None:
        import pandas as pd

        made = {name: pd.Series(dtype="object") for name in kept}
        made["prediction"] = pd.Series(dtype="float64" if loaded.task == "regression" else "object")
        frame = pd.DataFrame(made).assign(**marks)
        frame.to_parquet(folder / "000000.parquet", index=False)

    def _put(self, context: dg.AssetExecutionContext, place: Place, folder: Path) -> str:
        window = window_of(context, self.partition)
        if self.output_path:
            target = place.project_root / self.output_path
            if self.partition:
                name = context.partition_key.replace(":", "-")
                target = target.with_suffix("") / f"{self.partition.column}={name}.parquet"
            put_into_file(folder, target)
            return target.relative_to(place.project_root).as_posix()
        engine = context.resources.warehouse.engine
        schema, table = self.key.split("/")
        inside = None
        if self.partition and window:
            start, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (window.start, window.end))
            column = engine.quote(self.partition.column)
            inside = f"{column} >= '{start}' AND {column} < '{end}'"
        put_into_table(engine, folder, schema, table, inside)
        return str(engine.qualify(schema, table))

    def _check_result(self, drift: Drift) -> dg.AssetCheckResult:
        indexes = drift.indexes()
        moved = {name: index for name, index in indexes.items() if index > self.drift.threshold}
        summary = ", ".join(f"{name} ({index:.2f})" for name, index in moved.items()) or "no feature has moved"
        enough = drift.rows >= self.drift.minimum_rows
        if not enough:
            summary = f"{drift.rows:,} rows are too few to tell; minimum_rows is {self.drift.minimum_rows:,}"
        severe = self.drift.severity == "error"
        return dg.AssetCheckResult(
            asset_key=dg.AssetKey.from_user_string(self.key),
            check_name=_CHECK,
            passed=not (enough and moved),
            severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
            description=summary,
            metadata={"stability_index": {name: round(index, 4) for name, index in indexes.items()}},
        )


def _predicted(frame: Any, kept: list[str], loaded: Loaded, marks: dict[str, Any]) -> Any:
    made = frame[kept].copy()
    made["prediction"] = loaded.predict(frame)
    if loaded.task == "classification":
        made["probability"] = loaded.shares(frame).max(axis=1)
    return made.assign(**marks)
