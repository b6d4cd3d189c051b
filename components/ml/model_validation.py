"""The gate between training and registry: a candidate passes, or nothing after it runs."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.engines.base import WarehouseError
from .attributes import DependsOn, Experiment, Key, RegisteredModel, TrainingKey
from .data import DataSource, Place, place_of, scratch_folder
from .example_chain import ChainParams, scaffold_chain
from .model_store import Candidate, Loaded, held_out_rows, latest_candidate, load_model, version_by_alias
from .thresholds import Threshold, ThresholdsFile, Verdict, check_metrics, check_names, judge
from .tracking import Tracking, TrackingError, tracking
from .training_steps.metrics import scores
from .training_steps.prepare import DataError, check_columns, read
from .yaml_files import read_model


class ModelValidationScaffolder(dg.Scaffolder[ChainParams]):
    """Writes a gate, and the training that it judges unless one is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[ChainParams]:
        """Asset key and training."""
        return ChainParams

    def scaffold(self, request: dg.ScaffoldRequest[ChainParams]) -> None:
        """Write ``defs.yaml``, and real data beside it."""
        scaffold_chain(request, "ModelValidationComponent")


@dg.scaffold_with(ModelValidationScaffolder)
@dataclass
class ModelValidationComponent(StrictComponent):
    """A gate: the latest candidate of a training against fixed demands and the champion.

    Each demand is an asset check; a broken one fails the step, so that the registry after it does not run. Candidate
    and champion are judged on the same rows: those that the training held out, or those of ``data``.

    .. code-block:: yaml

        type: components.ModelValidationComponent
        attributes:
          key: ml/wine_gate
          description: Whether the latest wine model may be promoted.
          training: ml/wine_model
          registered_model: wine
          thresholds:
            - metric: accuracy
              minimum: 0.85
              max_regression: 0.02
          owners: ["team:data-science"]
          group: ml
    """

    key: Key
    description: Description
    training: TrainingKey
    thresholds: Annotated[
        list[Threshold],
        dg.Resolver.default(
            description="Demands on the candidate.", examples=[[{"metric": "accuracy", "minimum": 0.9}]]
        ),
    ] = field(default_factory=list)
    tests: Annotated[
        str | None,
        dg.Resolver.default(
            description="YAML file beside this one with the key thresholds, instead of it.",
            examples=["model_test_suite.yaml"],
            json_schema_extra={"pattern": r"\.ya?ml$"},
        ),
    ] = None
    registered_model: Annotated[
        RegisteredModel | None,
        dg.Resolver.default(description="Registered model whose alias is the baseline; for max_regression."),
    ] = None
    baseline_alias: Annotated[str, dg.Resolver.default(description="Alias of the baseline.")] = "champion"
    data: Annotated[
        DataSource | None,
        dg.Resolver.default(description="Rows to judge on, instead of those held out by the training."),
    ] = None
    experiment: Experiment = None
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where there is nothing, or too much, to judge by."""
        if bool(self.thresholds) == (self.tests is not None):
            raise ValueError(f"expected one of thresholds and tests, not {'both' if self.tests else 'neither'}")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset and its checks."""
        place = place_of(context)
        where = f"{place.file}: tests"
        thresholds = self.thresholds
        if self.tests:
            thresholds = read_model(place.folder / self.tests, ThresholdsFile, where).thresholds
            where = str(place.folder / self.tests)
        check_names(thresholds, where)
        if any(threshold.max_regression is not None for threshold in thresholds) and not self.registered_model:
            raise dg.DagsterInvalidDefinitionError(f"{where}: max_regression needs registered_model in {place.file}")
        asset_key = dg.AssetKey.from_user_string(self.key)

        @dg.asset(
            key=asset_key,
            description=self.description,
            deps=[
                *(dg.AssetKey.from_user_string(key) for key in [self.training, *self.depends_on]),
                *(self.data.upstream if self.data else []),
            ],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"mlflow", "quality"},
            check_specs=[
                dg.AssetCheckSpec(
                    item.check_name, asset=asset_key, description=item.words, blocking=item.severity == "error"
                )
                for item in thresholds
            ],
            required_resource_keys=self.data.resources if self.data else set(),
        )
        def model_validation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._validate(context, place, thresholds, asset_key)
            except TrackingError as error:
                raise error.as_failure(self.key) from None
            except (DataError, WarehouseError) as error:
                raise dg.Failure(description=f"{self.key}: {error}", allow_retries=False) from None

        return dg.Definitions(assets=[model_validation])

    def _validate(
        self, context: dg.AssetExecutionContext, place: Place, thresholds: list[Threshold], key: dg.AssetKey
    ) -> dg.MaterializeResult:
        mlflow = tracking(place.project_root)
        candidate = latest_candidate(mlflow, self.training, self.experiment, self.key)
        if fault := check_metrics(thresholds, candidate.task):
            raise dg.Failure(description=f"{self.key}: {fault}", allow_retries=False)
        rows = self._rows(context, place, mlflow, candidate, thresholds)
        loaded = load_model(mlflow, candidate.model_uri, candidate.run_id)
        overall = _scores(loaded, rows, candidate.target)
        baseline, against = self._baseline(mlflow, rows, candidate)

        def by_slice(column: str, minimum_rows: int) -> dict[str, dict[str, float]]:
            parts = {str(value): part for value, part in rows.groupby(column) if len(part) >= minimum_rows}
            return {value: _scores(loaded, part, candidate.target) for value, part in parts.items()}

        verdicts = [judge(threshold, overall, baseline, by_slice) for threshold in thresholds]
        passed = all(verdict.passed for verdict in verdicts if verdict.threshold.severity == "error")
        mlflow.client.set_tag(candidate.run_id, gate_tag(self.key), "passed" if passed else "failed")
        return dg.MaterializeResult(
            metadata={
                "passed": passed,
                "candidate_run_id": candidate.run_id,
                "model_uri": candidate.model_uri,
                "baseline": against,
                "rows": len(rows),
                "report": dg.MetadataValue.md(_report(verdicts)),
                **{name: dg.MetadataValue.float(round(value, 6)) for name, value in overall.items()},
            },
            check_results=[verdict.check_result(key) for verdict in verdicts],
        )

    def _rows(
        self, context: Any, place: Place, mlflow: Tracking, candidate: Candidate, thresholds: list[Threshold]
    ) -> Any:
        slices = [threshold.slice for threshold in thresholds if threshold.slice]
        wanted = {"features": candidate.features, "target": [candidate.target], "thresholds.slice": slices}
        with scratch_folder() as folder:
            if self.data:
                source = self.data.opened(context, place)
                check_columns([column.name for column in source.columns()], wanted)
                every = list(dict.fromkeys(name for names in wanted.values() for name in names))
                source.export(every, folder / "data.parquet")
                rows = read(folder / "data.parquet")
            else:
                rows = held_out_rows(mlflow, candidate.run_id, folder)
                if rows is None:
                    raise DataError(
                        f"the run of {self.training} kept no held-out rows; set held_out_rows there or data here"
                    )
        check_columns(list(rows.columns), wanted)
        if rows.empty:
            raise DataError("there are no rows to judge the model on")
        return rows

    def _baseline(self, mlflow: Tracking, rows: Any, candidate: Candidate) -> tuple[dict[str, float] | None, str]:
        if not self.registered_model:
            return None, "none"
        version = version_by_alias(mlflow, self.registered_model, self.baseline_alias)
        if version is None:
            return None, f"{self.registered_model} has no {self.baseline_alias} yet"
        name = f"{self.registered_model} version {version.version}"
        if version.run_id == candidate.run_id:
            return None, f"{name} is the candidate itself"
        loaded = load_model(mlflow, f"models:/{self.registered_model}/{version.version}", version.run_id)
        if missing := [feature for feature in loaded.features if feature not in rows.columns]:
            raise DataError(
                f"{name} needs {', '.join(missing)}, which the rows lack; name data that has the features of both"
            )
        return _scores(loaded, rows, candidate.target), name


def gate_tag(gate: str) -> str:
    """Tag of a candidate's run that says whether it passed a gate."""
    return f"validation.{gate}"


def _scores(loaded: Loaded, rows: Any, target: str) -> dict[str, float]:
    truth = rows[target].tolist()
    shares = loaded.shares(rows) if loaded.task == "classification" else None
    classes = loaded.labels if loaded.task == "classification" else None
    return scores(loaded.task, truth, list(loaded.predict(rows)), shares, classes)


def _report(verdicts: list[Verdict]) -> str:
    lines = ["| demand | severity | kept | found |", "| --- | --- | --- | --- |"]
    for verdict in verdicts:
        kept = "yes" if verdict.passed else "no"
        lines.append(f"| {verdict.threshold.words} | {verdict.threshold.severity} | {kept} | {verdict.summary} |")
    return "\n".join(lines)
