"""The whole pipeline from one YAML, and what stops it."""

import itertools

import dagster as dg
import pytest
import yaml

from components.composition import MLPipelineComponent
from components.ml.example import FEATURES
from components.ml.tracking import tracking
from tests.components.composition.test_composite import PLAIN
from tests.components.ml.chain import run
from tests.components.warehouse.project import scaffolded

PIPELINE = {
    "name": "wine",
    "data": {"path": "data/wine.csv"},
    "features": FEATURES,
    "target": "cultivar",
    "owners": ["team:data-science"],
    "group": "ml",
    "tags": {"classification": "internal"},
    "components": [
        {"type": "components.ml.DataValidationComponent", "attributes": {"rules": "ml_data_quality_rules.yaml"}},
        {"type": PLAIN, "name": "features", "attributes": {"name": "{{ variables.step }}"}},
        {
            "type": "ModelTrainingComponent",
            "attributes": {"algorithm": "xgboost_classifier", "parameters": {"n_estimators": 10}},
        },
        {"type": "ModelValidationComponent", "attributes": {"tests": "model_test_suite.yaml"}},
        {"type": "ModelRegistryComponent"},
        {"type": "BatchInferenceComponent", "attributes": {"id_columns": ["wine"]}},
    ],
    "variables": {"step": "engineered"},
}
ALL = [
    *("wine/data_checks", "plain/engineered", "plain/engineered_second", "wine/trained", "wine/gate"),
    *("wine/registered", "wine/predictions"),
]


def add(project, rule=None, **changes):
    folder = project.add(MLPipelineComponent, "wine", {**PIPELINE, **changes})
    rules = [rule or {"check": "unique", "columns": ["wine"]}]
    (folder / "ml_data_quality_rules.yaml").write_text(yaml.safe_dump({"rules": rules}))
    (folder / "model_test_suite.yaml").write_text("thresholds:\n- {metric: accuracy, minimum: 0.8}\n")
    return folder


def test_one_yaml_leads_from_data_to_predictions(wines):
    add(wines)
    made, checks = run(wines)
    assert list(made) == ALL
    assert {name: found.passed for name, found in checks.items()} == {
        **{"unique_wine": True, "accuracy": True, "feature_drift": True},
    }
    rows = wines.rows("SELECT prediction, count(*) FROM wine.predictions GROUP BY 1")
    assert sum(count for _, count in rows) == 178
    version = tracking(wines.root).client.get_model_version_by_alias("wine", "champion")
    assert version.run_id == made["wine/trained"]["mlflow_run_id"]
    assert version.tags["classification"] == "internal"


def test_every_asset_waits_for_the_one_before_and_has_owner_group_and_tags(wines):
    add(wines)
    specs = [wines.spec(key) for key in ALL]
    upstream = {spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps} for spec in specs}
    for before, after in itertools.pairwise(ALL):
        assert before in upstream[after]
    assert {spec.group_name for spec in specs} == {"ml"}
    assert {tuple(spec.owners) for spec in specs} == {("team:data-science",), ("team:other",)}
    assert {spec.tags["classification"] for spec in specs} == {"internal"}
    assert all(spec.description for spec in specs if spec.key.path[0] == "wine")


def test_a_broken_rule_stops_the_whole_pipeline(wines):
    add(wines, rule={"check": "range", "columns": ["alcohol"], "minimum": 12})
    made, checks = run(wines)
    assert list(made) == ["wine/data_checks"]
    assert checks["range_alcohol"].severity == dg.AssetCheckSeverity.ERROR


def test_a_pipeline_names_what_it_is_not_told(wines):
    folder = add(wines, registered_model="prod.wines", scoring_data={"table": "raw/new_wines"})
    deps = {dep.asset_key.to_user_string() for dep in wines.spec("wine/predictions").deps}
    assert deps == {"raw/new_wines", "wine/registered"}
    (folder / "model_test_suite.yaml").write_text("thresholds:\n- {metric: accuracy, max_regression: 0.1}\n")
    assert wines.spec("wine/gate").key.path == ["wine", "gate"]  # max_regression has the model that it needs


@pytest.mark.parametrize(
    ("index", "attributes", "expected"),
    [
        (2, {"algorithm": "xgboost"}, "components.2 (ModelTrainingComponent): algorithm: "),
        (2, {"algorithm": "xgboost"}, "'xgboost' is not valid; expected one of logistic_regression"),
        (
            2,
            {"algorithm": "ridge_regression", "parameters": {"alhpa": 1}},
            "no parameter 'alhpa'; did you mean 'alpha'?",
        ),
        (0, {"rules": "absent.yaml"}, "'absent.yaml' does not exist"),
        (5, {}, "components.5 (BatchInferenceComponent): id_columns: Field required"),
    ],
)
def test_a_mistake_in_a_component_is_named_with_its_place(wines, index, attributes, expected):
    components = [dict(step) for step in PIPELINE["components"]]
    components[index] |= {"attributes": attributes}
    add(wines, components=components)
    assert expected in wines.load_error()


def test_the_scaffolder_writes_a_pipeline_that_runs_as_it_is(project):
    folder = project._sandbox.defs_folder_path / "pipeline"
    attributes = scaffolded(MLPipelineComponent, folder)
    assert [step["type"] for step in attributes["components"]] == [
        *("DataValidationComponent", "ModelTrainingComponent", "ModelValidationComponent"),
        *("ModelRegistryComponent", "BatchInferenceComponent"),
    ]
    made, _ = run(project)
    assert list(made) == ["wine/data_checks", "wine/trained", "wine/gate", "wine/registered", "wine/predictions"]
    assert len(made["wine/trained"]["trials"]) == 4
    assert (project.root / "data" / "wine_predictions.parquet").is_file()
