"""From training to predictions: gate, registry, roll-back and scoring."""

import pytest
from dagster.components.component_scaffolding import scaffold_object

from components.ml import ModelRegistryComponent, ModelValidationComponent
from components.ml.tracking import tracking
from tests.components.ml.chain import GATE, REGISTRY, TRAINING, add_chain, alias, run
from tests.components.warehouse.project import scaffolded

PROMOTION = ("ml/wine_gate", "ml/wine_registered")


def test_a_candidate_that_passes_is_promoted_and_scores_and_a_second_run_promotes_nothing_new(trained):
    wines = trained
    add_chain(wines)
    made, checks = run(wines, *PROMOTION, "ml/wine_predictions")
    assert list(made) == ["ml/wine_gate", "ml/wine_registered", "ml/wine_predictions"]
    assert checks["accuracy"].passed
    assert made["ml/wine_gate"]["baseline"] == "wine has no champion yet"
    assert made["ml/wine_registered"]["version"] == 1
    rows = wines.rows("SELECT wine, prediction, probability, model_version, mlflow_run_id FROM ml.wine_predictions")
    assert len(rows) == 178
    assert {(row[3], row[4]) for row in rows} == {(1, made["ml/wine_gate"]["candidate_run_id"])}
    version = tracking(wines.root).client.get_model_version("wine", "1")
    assert version.tags["owners"] == "team:data"
    assert version.tags["classification"] == "internal"
    assert version.tags["validation"] == "ml/wine_gate"
    assert len(version.tags["policy"]) >= 12

    again, _ = run(wines, "ml/wine_registered")
    assert (again["ml/wine_registered"]["version"], alias(wines), alias(wines, "previous")) == (1, "1", None)


def test_the_next_champion_leaves_the_one_before_as_previous_and_a_version_number_rolls_back(trained):
    wines = trained
    add_chain(wines)
    run(wines, *PROMOTION)
    made, _ = run(wines, "ml/wine_model", *PROMOTION)
    assert made["ml/wine_gate"]["baseline"] == "wine version 1"
    assert (alias(wines), alias(wines, "previous")) == ("2", "1")

    wines.add(ModelRegistryComponent, "registered", {**REGISTRY, "champion_version": 1})
    made, _ = run(wines, "ml/wine_registered")
    assert made["ml/wine_registered"]["rolled_back"] is True
    assert (alias(wines), alias(wines, "previous")) == ("1", "2")

    wines.add(ModelRegistryComponent, "registered", {**REGISTRY, "champion_version": 7})
    assert "champion_version: wine has no version 7; it has: 1, 2" in wines.failure("ml/wine_registered")


def test_a_candidate_that_is_worse_than_the_champion_stops_the_promotion(trained):
    wines = trained
    add_chain(wines)
    run(wines, *PROMOTION)
    add_chain(
        wines,
        training={"features": ["hue", "alcohol", "proline", "flavanoids"], "parameters": {"C": 1e-6}},
        gate={"thresholds": [{"metric": "accuracy", "max_regression": 0.01}]},
    )
    made, checks = run(wines)
    assert list(made) == ["ml/wine_model", "ml/wine_gate"]
    failed = checks["accuracy_regression"]
    assert not failed.passed
    assert "worse than the baseline's" in failed.description
    assert alias(wines) == "1"
    assert "did not pass ml/wine_gate; the champion stays" in wines.failure("ml/wine_registered")


def test_a_slice_that_is_too_weak_fails_the_gate_although_the_whole_is_good(trained):
    thresholds = [{"metric": "accuracy", "minimum": 0.5}, {"metric": "accuracy", "slice": "cultivar", "minimum": 0.999}]
    add_chain(trained, gate={"thresholds": thresholds})
    made, checks = run(trained, *PROMOTION)
    assert checks["accuracy"].passed
    assert not checks["accuracy_by_cultivar"].passed
    assert "not kept for cultivar_" in checks["accuracy_by_cultivar"].description
    assert "ml/wine_registered" not in made


def test_the_tests_of_a_gate_can_stand_in_a_file_and_judge_other_rows(trained):
    add_chain(trained)
    gate = {key: value for key, value in GATE.items() if key != "thresholds"}
    attributes = {**gate, "tests": "tests.yaml", "data": {"path": "data/wine.csv"}}
    folder = trained.add(ModelValidationComponent, "gate", attributes)
    (folder / "tests.yaml").write_text(
        "thresholds:\n- {metric: roc_auc, minimum: 0.9}\n- {metric: log_loss, maximum: 1}\n"
    )
    made, checks = run(trained, "ml/wine_gate")
    assert made["ml/wine_gate"]["rows"] == 178
    assert {name: found.passed for name, found in checks.items()} == {"roc_auc": True, "log_loss": True}


def test_a_gate_and_a_registry_without_a_candidate_name_what_to_materialise(wines):
    add_chain(wines)
    for key in ("ml/wine_gate", "ml/wine_registered"):
        message = wines.failure(key)
        assert f"{key}: there is no finished run of ml/wine_model in the MLflow experiment 'ml/wine_model'" in message
        assert "materialise ml/wine_model first" in message


def test_a_candidate_that_no_gate_has_judged_is_not_promoted(trained):
    add_chain(trained)
    assert "was not judged by ml/wine_gate; the champion stays" in trained.failure("ml/wine_registered")


def test_a_metric_of_another_task_is_named_with_those_that_there_are(trained):
    add_chain(trained, gate={"thresholds": [{"metric": "rmse", "maximum": 1}]})
    assert "ml/wine_gate: rmse is no metric of classification; use accuracy" in trained.failure("ml/wine_gate")


def test_a_training_that_kept_no_rows_needs_a_gate_with_data(wines):
    add_chain(wines, training={"held_out_rows": 0})
    run(wines, "ml/wine_model")
    assert "kept no held-out rows; set held_out_rows there or data here" in wines.failure("ml/wine_gate")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"thresholds": [{"metric": "rmse", "minimum": 1}]}, "rmse is better when lower: use maximum, not minimum"),
        ({"thresholds": [{"metric": "accuracy"}]}, "expected minimum, maximum or max_regression"),
        ({"thresholds": [{"metric": "accuracy", "minimum": 1}] * 2}, "accuracy is there twice"),
        ({"thresholds": []}, "expected one of thresholds and tests, not neither"),
        ({"registered_model": None}, "max_regression needs registered_model"),
        ({"training": "wine"}, "training: 'wine' does not match"),
    ],
)
def test_a_mistake_in_a_gate_is_named_when_it_loads(project, change, expected):
    project.add(ModelValidationComponent, "gate", GATE | change)
    assert expected in project.load_error()


def test_a_registry_whose_aliases_are_one_is_refused_when_it_loads(project):
    project.add(ModelRegistryComponent, "registered", {**REGISTRY, "previous_alias": "champion"})
    assert "previous_alias: 'champion' is the alias of the champion too" in project.load_error()


def test_the_registry_scaffolder_writes_all_that_comes_before_it(project):
    folder = project._sandbox.defs_folder_path / "made"
    kind = f"{ModelRegistryComponent.__module__}.{ModelRegistryComponent.__name__}"
    scaffold_object(folder, kind, "{}", "yaml", folder)  # writes three documents
    made, checks = run(project)
    assert list(made) == ["ml/wine_model", "ml/wine_gate", "ml/wine_registered"]
    assert checks["accuracy"].passed


def test_the_gate_scaffolder_writes_only_the_gate_for_a_training_that_is_there(project):
    folder = project._sandbox.defs_folder_path / "made"
    attributes = scaffolded(ModelValidationComponent, folder, training=TRAINING["key"])
    assert attributes["training"] == "ml/wine_model"
    assert [file.name for file in folder.iterdir()] == ["defs.yaml"]
