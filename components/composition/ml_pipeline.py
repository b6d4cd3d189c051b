"""The machine-learning pipeline: from data that is checked to predictions, in one YAML."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel
from pydantic import Field as ParameterField

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..ml.attributes import RegisteredModel
from ..ml.data import DataSource
from ..ml.data_validation import EXAMPLE_RULES
from ..ml.example import FEATURES, FILE, TARGET, write_wine
from .steps import NAME_PATTERN, Shared, Step, as_written, build, check_names, load_step, name_of

EXAMPLE_TESTS = """# What a candidate has to reach before it becomes the champion.
thresholds:
  - metric: accuracy
    minimum: 0.85
    max_regression: 0.02
"""
EXAMPLE_SEARCH = """# Combinations that are tried by cross-validation on the rows to train on.
method: grid
metric: accuracy
cross_validation: 3
parameters:
  n_estimators: [20, 50]
  max_depth: [4, 8]
"""


class MLPipelineParams(BaseModel):
    """What the scaffolder asks."""

    name: str = ParameterField(default="wine", description="Name of the pipeline and its model", pattern=NAME_PATTERN)


class MLPipelineScaffolder(dg.Scaffolder[MLPipelineParams]):
    """Writes a whole pipeline on real data that runs as it is."""

    @classmethod
    def get_scaffold_params(cls) -> type[MLPipelineParams]:
        """The name."""
        return MLPipelineParams

    def scaffold(self, request: dg.ScaffoldRequest[MLPipelineParams]) -> None:
        """Write ``defs.yaml``, its rules, tests and search, and the data beside them."""
        write_wine(request.target_path)
        _write_new(request.target_path / "ml_data_quality_rules.yaml", EXAMPLE_RULES)
        _write_new(request.target_path / "model_test_suite.yaml", EXAMPLE_TESTS)
        _write_new(request.target_path / "hparam_search.yaml", EXAMPLE_SEARCH)
        name = request.params.name
        training = {"algorithm": "random_forest_classifier", "hyperparameters": "hparam_search.yaml"}
        training["split"] = {"method": "stratified", "test_size": 0.25}  # type: ignore[assignment]
        inference = {"id_columns": ["wine"], "output_path": f"data/{name}_predictions.parquet"}
        attributes = {
            "name": name,
            "data": {"path": FILE},
            "features": FEATURES,
            "target": TARGET,
            "registered_model": name,
            "group": "ml",
            "components": [
                {"type": "DataValidationComponent", "attributes": {"rules": "ml_data_quality_rules.yaml"}},
                {"type": "ModelTrainingComponent", "attributes": training},
                {"type": "ModelValidationComponent", "attributes": {"tests": "model_test_suite.yaml"}},
                {"type": "ModelRegistryComponent"},
                {"type": "BatchInferenceComponent", "attributes": inference},
            ],
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(MLPipelineScaffolder)
@dataclass
class MLPipelineComponent(StrictComponent):
    """A machine-learning pipeline: components in order, each given what the pipeline knows.

    Data, features, target, keys and the registered model are written once; each component waits for the one before.
    A broken rule or a candidate that does not pass stops what follows. Other components, such as notebooks, may
    stand between them.

    .. code-block:: yaml

        type: components.MLPipelineComponent
        attributes:
          name: wine
          data:
            path: wine.csv
          features: [alcohol, flavanoids, proline]
          target: cultivar
          registered_model: wine
          owners: ["team:data-science"]
          group: ml
          components:
            - type: DataValidationComponent
              attributes:
                rules: ml_data_quality_rules.yaml
            - type: ModelTrainingComponent
              attributes:
                algorithm: xgboost_classifier
                hyperparameters: hparam_search.yaml
            - type: ModelValidationComponent
              attributes:
                tests: model_test_suite.yaml
            - type: ModelRegistryComponent
            - type: BatchInferenceComponent
              attributes:
                id_columns: [wine]
    """

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the pipeline: first part of its asset keys.",
            examples=["wine"],
            json_schema_extra={"pattern": NAME_PATTERN},
        ),
    ]
    data: Annotated[DataSource, dg.Resolver.default(description="Rows that are checked and learned from.")]
    features: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that the model sees.", examples=[["alcohol"]], json_schema_extra={"minItems": 1}
        ),
    ]
    target: Annotated[str, dg.Resolver.default(description="Column that it learns to tell.", examples=["cultivar"])]
    components: Annotated[
        Any,  # a list of Step; Dagster wants a type that it resolves itself
        dg.Resolver(
            as_written,
            model_field_type=list[Step],
            description="The components, in order; each waits for the one before unless it says after.",
            examples=[[{"type": "ModelTrainingComponent", "attributes": {"algorithm": "random_forest_classifier"}}]],
            json_schema_extra={"minItems": 1},
        ),
    ]
    registered_model: Annotated[
        RegisteredModel | None,
        dg.Resolver.default(description="Registered model in MLflow; the pipeline's name when left out."),
    ] = None
    scoring_data: Annotated[
        DataSource | None, dg.Resolver.default(description="Rows that are scored; data when left out.")
    ] = None
    variables: Annotated[
        dict[str, Any],
        dg.Resolver.default(description="Values that attributes of components use as {{ variables.name }}."),
    ] = field(default_factory=dict)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of all components."""
        where = str(context.path if context.path.suffix else context.path / "defs.yaml")
        check_names(self.components, where, "components")
        shared = Shared(self.owners, self.group, self.tags, self.variables)
        loaded = []
        known: dict[str, str] = {}
        before: list[str] = []
        for index, step in enumerate(self.components):
            after = step.after or before
            made = load_step(step, self._given(step, known), shared, context, ("components", index), after)
            kind = type(made.component).__name__
            if kind in ("ModelTrainingComponent", "ModelValidationComponent"):
                known[kind] = getattr(made.component, "key", "")
            loaded.append(made)
            before = [made.name]
        return build(loaded, shared)

    def _given(self, step: Step, known: dict[str, str]) -> dict[str, Any]:
        """Attributes that follow from the pipeline's own, where a component has them."""
        kind = step.type.rpartition(".")[2]
        key, description = _ASSETS.get(kind, (name_of(step), f"Step {name_of(step)} of the pipeline {self.name}."))
        scored = self.scoring_data if kind == "BatchInferenceComponent" else None
        given: dict[str, Any] = {"key": f"{self.name}/{key}", "description": description.format(self.name)}
        if kind not in _ASSETS:
            return given
        given["registered_model"] = self.registered_model or self.name
        given["training"] = known.get("ModelTrainingComponent")
        given["validation"] = known.get("ModelValidationComponent")
        given["features"], given["target"] = self.features, self.target
        if kind != "ModelValidationComponent":  # which judges on the rows that the training held out
            given["data"] = (scored or self.data).model_dump(exclude_none=True)
        return given


_ASSETS = {
    "DataValidationComponent": ("data_checks", "Data of the pipeline {}, held against its rules."),
    "ModelTrainingComponent": ("trained", "The latest candidate for the model {}."),
    "ModelValidationComponent": ("gate", "Whether the latest candidate for the model {} may be promoted."),
    "ModelRegistryComponent": ("registered", "The model {} that is in use."),
    "BatchInferenceComponent": ("predictions", "What the model {} that is in use says about each row."),
}


def _write_new(file: Path, text: str) -> None:
    if not file.exists():
        file.write_text(text, encoding="utf-8")
