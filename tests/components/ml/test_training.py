"""Training as a job: what it leaves in Dagster and in MLflow."""

import base64
import json
import re

import pytest
import yaml

from components.ml import ModelTrainingComponent
from components.ml.example import FEATURES
from components.ml.model_store import latest_candidate, load_model
from components.ml.tracking import tracking
from tests.components.warehouse.project import scaffolded

WINE = {
    "key": "ml/wine_model",
    "description": "Tells the cultivar of a wine.",
    "data": {"path": "data/wine.csv"},
    "features": FEATURES,
    "target": "cultivar",
    "algorithm": "random_forest_classifier",
    "parameters": {"n_estimators": 10},
    "split": {"method": "stratified", "test_size": 0.25},
    "owners": ["team:data"],
}


def test_a_training_leaves_its_model_metrics_charts_and_cost(wines):
    wines.add(ModelTrainingComponent, "wine", {**WINE, "compute_size": "small", "slices": ["proline"]})
    metadata = wines.materialize()["ml/wine_model"]
    assert metadata["test_accuracy"] > 0.85
    assert (metadata["rows_train"], metadata["rows_test"]) == (133, 45)
    assert (metadata["compute_size"], metadata["compute_profile"]) == ("small", "local")
    assert 0 < metadata["cost_usd"] < 0.2 / 60
    encoded = re.search(r"base64,(.*)\)", metadata["confusion_matrix"]).group(1)
    assert "cultivar_2" in base64.b64decode(encoded).decode()

    found = tracking(wines.root)
    run = found.client.get_run(metadata["mlflow_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["n_estimators"] == "10"
    assert run.data.tags["dagster.asset_key"] == "ml/wine_model"
    assert run.data.tags["dagster.owners"] == "team:data"
    assert {"compute_size", "hourly_cost_usd", "cost_owner"} <= set(run.data.tags)
    kept = {file.path for file in found.client.list_artifacts(run.info.run_id)}
    assert kept == {"charts", "held_out.parquet", "profile.json"}
    candidate = latest_candidate(found, "ml/wine_model", None, "a test")
    assert (candidate.model_uri, candidate.features) == (metadata["model_uri"], FEATURES)


def test_a_search_for_xgboost_is_read_from_its_file_and_the_model_names_classes_as_the_data_does(wines):
    folder = wines.add(
        ModelTrainingComponent,
        "wine",
        {**WINE, "algorithm": "xgboost_classifier", "hyperparameters": "search.yaml", "preprocessing": {"scale": True}},
    )
    search = {"method": "random", "trials": 2, "metric": "log_loss", "cross_validation": 3}
    (folder / "search.yaml").write_text(yaml.safe_dump({**search, "parameters": {"max_depth": [2, 3, 4]}}))
    metadata = wines.materialize()["ml/wine_model"]
    trials = metadata["trials"]
    assert len(trials) == 2
    best = min(trials, key=lambda trial: trial["log_loss"])
    assert metadata["cross_validation_log_loss"] == pytest.approx(best["log_loss"], abs=1e-5)
    assert metadata["parameters"]["max_depth"] == best["parameters"]["max_depth"]

    import pandas as pd

    loaded = load_model(tracking(wines.root), metadata["model_uri"], metadata["mlflow_run_id"])
    rows = pd.read_csv(wines.root / "data" / "wine.csv")
    assert set(loaded.predict(rows)) == {"cultivar_0", "cultivar_1", "cultivar_2"}
    assert loaded.shares(rows).shape == (178, 3)


def test_a_training_from_the_warehouse_learns_from_the_rows_of_its_period(wines):
    days = "SELECT *, CAST('2024-01-01' AS timestamp) + INTERVAL (row_number() OVER () % 62) DAY AS bottled"
    source = wines.root / "data" / "wine.csv"
    wines.warehouse.execute("CREATE SCHEMA marts", f"CREATE TABLE marts.wines AS {days} FROM read_csv('{source}')")
    attributes = {
        **WINE,
        "data": {"table": "marts/wines"},
        "target": "proline",
        "features": ["alcohol", "hue", "cultivar"],
        "preprocessing": {"one_hot": ["cultivar"], "impute": "median"},
        "algorithm": "ridge_regression",
        "parameters": {},
        "split": {"method": "time", "time_column": "bottled"},
        "partition": {"by": "monthly", "start": "2024-01-01", "column": "bottled"},
    }
    wines.add(ModelTrainingComponent, "wine", attributes)
    assert [dep.asset_key.to_user_string() for dep in wines.spec("ml/wine_model").deps] == ["marts/wines"]
    metadata = wines.materialize("ml/wine_model", partition="2024-01-01")["ml/wine_model"]
    in_january = wines.rows("SELECT count(*) FROM marts.wines WHERE bottled < '2024-02-01'")[0][0]
    assert metadata["rows_train"] + metadata["rows_test"] == in_january < 178
    assert metadata["test_rmse"] > 0
    run = tracking(wines.root).client.get_run(metadata["mlflow_run_id"])
    assert run.data.tags["dagster.partition"] == "2024-01-01"


def test_a_training_that_takes_too_long_is_ended_and_its_run_marked_as_failed(wines):
    wines.add(ModelTrainingComponent, "wine", {**WINE, "max_runtime_minutes": 0.01})
    message = wines.failure()
    assert "ml/wine_model: training failed" in message
    assert "max_runtime" in message or "0.6" in message
    found = tracking(wines.root)
    runs = found.client.search_runs([found.experiment_id("ml/wine_model")])
    assert [run.info.status for run in runs] == ["FAILED"]


def test_data_that_cannot_be_learned_from_fails_once_with_its_reason(wines):
    (wines.root / "data" / "wine.csv").write_text("alcohol,cultivar\n12.5,a\n13.5,a\n")
    wines.add(ModelTrainingComponent, "wine", {**WINE, "features": ["alcohol"]})
    assert wines.failure() == (
        "ml/wine_model: target: every row has the same 'cultivar', 'a'; there is nothing to learn"
    )


def test_a_column_that_the_table_lacks_is_named_before_a_job_starts(wines):
    wines.add(ModelTrainingComponent, "wine", {**WINE, "target": "cultivator"})
    message = wines.failure()
    assert "ml/wine_model: target: the data has no column 'cultivator'; it has: wine, alcohol, " in message


def test_an_mlflow_server_that_is_down_stops_the_step_before_a_job_starts(wines, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    wines.add(ModelTrainingComponent, "wine", WINE)
    assert wines.failure().startswith("ml/wine_model: MLflow at http://127.0.0.1:9 does not answer.")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"features": ["alcohol", "cultivar"]}, "features: 'cultivar' is the target too"),
        ({"features": ["hue", "hue"]}, "features: hue is named twice"),
        ({"features": []}, "has too few items"),
        ({"algorithm": "lightgbm"}, "algorithm: 'lightgbm' is not valid; expected one of logistic_regression"),
        ({"parameters": {"n_estimator": 5}}, "has no parameter 'n_estimator'; did you mean 'n_estimators'? It takes "),
        (
            {"search": {"method": "grid", "metric": "rmse", "parameters": {"max_depth": [2]}}},
            "search.metric: 'rmse' is not for random_forest_classifier; use accuracy",
        ),
        ({"search": {"method": "grid", "metric": "f1", "parameters": {}}}, "expected at least one parameter"),
        ({"data": {"path": "a.csv", "table": "a/b"}}, "expected one of table, sql and path, not table and path"),
        ({"split": {"method": "time"}}, "method time needs time_column"),
        ({"preprocessing": {"one_hot": ["colour"]}}, "preprocessing.one_hot: colour is not one of the features"),
        ({"compute_size": "huge"}, "compute_size: 'huge' is not approved by policy.yaml; expected one of: small"),
        ({"compute_profile": "moon"}, "compute_profile: 'moon' is no compute profile"),
        ({"hyperparameters": "absent.yaml"}, "'absent.yaml' does not exist in "),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(wines, change, expected):
    wines.add(ModelTrainingComponent, "wine", {**WINE, **change})
    assert expected in wines.load_error()


def test_a_mistake_in_the_search_file_is_named_with_its_line(wines):
    folder = wines.add(ModelTrainingComponent, "wine", {**WINE, "hyperparameters": "search.yaml"})
    (folder / "search.yaml").write_text("method: grid\nmetric: accurracy\nparameters:\n  max_depth: [1]\n")
    assert f"{folder / 'search.yaml'}:2: metric: 'accurracy' is not valid; expected one of" in wines.load_error()


def test_the_scaffolder_writes_what_materialises(project):
    folder = project._sandbox.defs_folder_path / "made"
    attributes = scaffolded(ModelTrainingComponent, folder)
    assert attributes["data"] == {"path": "wine.csv"}
    assert len((folder / "wine.csv").read_text().splitlines()) == 179
    metadata = project.materialize("ml/wine_model")["ml/wine_model"]
    assert metadata["test_accuracy"] > 0.9
    assert json.dumps(metadata["parameters"]) == '{"n_estimators": 50, "max_depth": 6}'
