"""Scoring: chunks, partitions, what drifted, and models that do not fit."""

import dagster as dg
import pytest

from components.ml import BatchInferenceComponent, ModelTrainingComponent
from components.ml.drift import Drift
from components.ml.training_steps.profile import profile
from tests.components.ml.chain import SCORING, TRAINING, add_chain, run


@pytest.fixture
def championed(trained):
    """A project with a champion, and wines in the warehouse, two of them a day."""
    wines = trained
    add_chain(wines)
    assert len(run(wines, "ml/wine_gate", "ml/wine_registered")[0]) == 2
    source = wines.root / "data" / "wine.csv"
    numbered = f"SELECT *, row_number() OVER (ORDER BY wine) AS number FROM read_csv('{source}')"
    days = (
        f"SELECT *, TIMESTAMP '2024-01-01' + INTERVAL 12 HOUR * CAST(number AS integer) AS seen FROM ({numbered}) AS n"
    )
    wines.warehouse.execute("CREATE SCHEMA IF NOT EXISTS raw", f"CREATE TABLE raw.wines AS {days}")
    return wines


def test_scoring_writes_a_file_in_chunks_and_a_second_run_writes_the_same(championed):
    import pandas as pd

    path = "data/out/predictions.parquet"
    championed.add(BatchInferenceComponent, "predictions", {**SCORING, "output_path": path, "chunk_rows": 50})
    metadata = championed.materialize("ml/wine_predictions")["ml/wine_predictions"]
    first = pd.read_parquet(championed.root / path)
    championed.materialize("ml/wine_predictions")
    second = pd.read_parquet(championed.root / path)
    assert (metadata["dagster/row_count"], metadata["output"], len(second)) == (178, path, 178)
    same = ["wine", "prediction", "probability", "model_version", "mlflow_run_id"]
    assert first[same].equals(second[same])
    truth = pd.read_csv(championed.root / "data" / "wine.csv").set_index("wine")["cultivar"]
    assert (second.set_index("wine")["prediction"] == truth).mean() > 0.9
    assert [file.name for file in (championed.root / "data" / "out").iterdir()] == ["predictions.parquet"]


def test_a_partition_replaces_its_own_rows_only(championed):
    partition = {"by": "monthly", "start": "2024-01-01", "column": "seen"}
    attributes = {**SCORING, "data": {"table": "raw/wines"}, "partition": partition, "chunk_rows": 7}
    championed.add(BatchInferenceComponent, "predictions", attributes)
    for month in ("2024-01-01", "2024-02-01", "2024-01-01"):
        championed.materialize("ml/wine_predictions", partition=month)
    counts = championed.rows("SELECT month(seen), count(*), count(DISTINCT wine) FROM ml.wine_predictions GROUP BY 1")
    there = championed.rows(
        "SELECT month(seen), count(*), count(*) FROM raw.wines WHERE seen < '2024-03-01' GROUP BY 1"
    )
    assert sorted(counts) == sorted(there)


def test_an_empty_table_gives_an_empty_table(championed):
    championed.warehouse.execute("DELETE FROM raw.wines")
    championed.add(BatchInferenceComponent, "predictions", {**SCORING, "data": {"table": "raw/wines"}})
    metadata = championed.materialize("ml/wine_predictions")["ml/wine_predictions"]
    assert metadata["dagster/row_count"] == 0
    assert championed.rows("SELECT count(prediction), count(*) FROM ml.wine_predictions") == [(0, 0)]


def test_features_that_moved_are_told_by_the_check(championed):
    championed.add(BatchInferenceComponent, "predictions", {**SCORING, "data": {"table": "raw/wines"}})
    _, checks = run(championed, "ml/wine_predictions")
    assert checks["feature_drift"].passed
    championed.warehouse.execute("UPDATE raw.wines SET alcohol = alcohol + 3")
    _, checks = run(championed, "ml/wine_predictions")
    found = checks["feature_drift"]
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert found.description.startswith("alcohol (")
    assert found.metadata["stability_index"].value["alcohol"] > 1 > found.metadata["stability_index"].value["hue"]


def test_a_table_that_does_not_fit_the_model_is_named_with_the_columns(championed):
    championed.warehouse.execute("ALTER TABLE raw.wines RENAME COLUMN hue TO colour")
    championed.add(BatchInferenceComponent, "predictions", {**SCORING, "data": {"table": "raw/wines"}})
    message = championed.failure("ml/wine_predictions")
    assert "raw/wines: features of wine version 1: the data has no column 'hue'; it has: wine, alcohol" in message
    championed.warehouse.execute("ALTER TABLE raw.wines ADD COLUMN hue VARCHAR DEFAULT 'red'")
    assert "the model knows 'hue' as a number, but it holds text" in championed.failure("ml/wine_predictions")


def test_a_model_without_the_alias_is_named_with_the_next_step(wines):
    wines.add(BatchInferenceComponent, "predictions", SCORING)
    message = wines.failure("ml/wine_predictions")
    assert "the registered model 'wine' has no alias 'champion' at sqlite:" in message
    assert "materialise the asset that registers it first" in message


@pytest.mark.postgres
def test_predictions_reach_a_postgres_table_and_a_partition_replaces_its_rows(trained, postgres_database):
    values = "'W1' AS wine, 13.5 AS alcohol, 2.9 AS flavanoids, 1065.0 AS proline, 1.04 AS hue"
    wine = f"SELECT {values}, timestamp '2024-01-03' AS seen"
    trained.warehouse.execute("CREATE SCHEMA raw", f"CREATE TABLE raw.wines AS {wine}")
    trained.warehouse.execute("INSERT INTO raw.wines SELECT 'O''Hara', 13, 0.5, 600, 0.6, timestamp '2024-02-03'")
    partition = {"by": "monthly", "start": "2024-01-01", "column": "seen"}
    add_chain(trained, scoring={"data": {"table": "raw/wines"}})
    run(trained, "ml/wine_gate", "ml/wine_registered")
    attributes = {**SCORING, "data": {"table": "raw/wines"}, "partition": partition}
    trained.add(BatchInferenceComponent, "predictions", attributes)
    for month in ("2024-01-01", "2024-02-01", "2024-01-01"):
        trained.materialize("ml/wine_predictions", partition=month)
    found = trained.rows("SELECT wine, prediction, model_version FROM ml.wine_predictions ORDER BY seen")
    assert found == [("W1", "cultivar_0", 1), ("O'Hara", "cultivar_2", 1)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id_columns": ["prediction"]}, "id_columns: prediction is a column that scoring adds"),
        ({"output_path": "../x.parquet"}, "output_path: '../x.parquet' leads out of the project"),
        ({"output_path": "x.csv"}, "output_path: 'x.csv' does not match"),
        ({"chunk_rows": 0}, "chunk_rows: 0 is not valid; expected at least 1"),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(project, change, expected):
    project.add(BatchInferenceComponent, "predictions", SCORING | change)
    assert expected in project.load_error()


def test_a_categorical_and_a_missing_feature_drift_too():
    import pandas as pd

    before = pd.DataFrame({"origin": ["JFK", "EWR"] * 50, "delay": [1.0, 2.0] * 50})
    drift = Drift(profile(before, ["origin", "delay"]))
    drift.add(before.head(50))
    drift.add(before.tail(50))
    assert max(drift.indexes().values()) == pytest.approx(0)
    other = Drift(profile(before, ["origin", "delay"]))
    other.add(pd.DataFrame({"origin": ["LGA"] * 100, "delay": [None] * 100}))
    assert min(other.indexes().values()) > 2


def test_memory_stays_bounded_however_many_rows_are_scored(championed):
    """The model sees chunks of the asked size, whatever the table's."""
    championed.warehouse.execute("INSERT INTO raw.wines SELECT w.* FROM raw.wines AS w, range(20)")
    seen = []
    from components.ml.loaded import Loaded

    known = Loaded.predict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loaded, "predict", lambda self, frame: (seen.append(len(frame)), known(self, frame))[1])
        attributes = {**SCORING, "data": {"table": "raw/wines"}, "chunk_rows": 1_000}
        championed.add(BatchInferenceComponent, "predictions", attributes)
        championed.materialize("ml/wine_predictions")
    assert sum(seen) == 178 * 21
    assert max(seen) == 1_000


def test_the_training_of_the_chain_is_a_component_of_its_own(project):
    project.add(ModelTrainingComponent, "model", TRAINING)
    assert project.spec("ml/wine_model").kinds == {"mlflow", "scikitlearn"}
