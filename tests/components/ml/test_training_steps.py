"""What a training job does with its data, in this process: faults, determinism, and what is approved."""

import json

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from components.ml.algorithms import ALGORITHMS, PARAMETERS, task_of
from components.ml.attributes import Metric
from components.ml.training_steps.estimators import ESTIMATORS, estimator
from components.ml.training_steps.fit import train
from components.ml.training_steps.metrics import CLASSIFICATION, REGRESSION
from components.ml.training_steps.prepare import DataError, split_rows

REQUEST = {
    "task": "classification",
    "algorithm": "logistic_regression",
    "features": ["mean radius", "mean texture"],
    "target": "target",
    "parameters": {},
    "search": None,
    "split": {"method": "random", "test_size": 0.25, "time_column": None},
    "preprocessing": {"impute": None, "scale": False, "one_hot": []},
    "seed": 7,
    "slices": [],
    "held_out_rows": 1_000,
    "threads": 1,
}


@pytest.fixture(scope="module")
def cancer() -> pd.DataFrame:
    """Tumours: 569 real ones."""
    return load_breast_cancer(as_frame=True).frame


def trained(frame, tmp_path, **changes):
    frame.to_parquet(tmp_path / "data.parquet", index=False)
    return train({**REQUEST, **changes}, tmp_path / "data.parquet")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_learns_and_repeats_itself_for_the_same_seed(cancer, tmp_path, algorithm):
    frame, task = cancer, task_of(algorithm)
    changes = {"algorithm": algorithm, "task": task, "preprocessing": {**REQUEST["preprocessing"], "scale": True}}
    rounds = "n_estimators" if "n_estimators" in PARAMETERS[algorithm] else "max_iter"
    if algorithm not in ("logistic_regression", "linear_regression", "ridge_regression"):
        changes["parameters"] = {rounds: 20}
    if task == "regression":
        frame = load_diabetes(as_frame=True).frame
        changes["features"] = ["bmi", "bp", "s5"]
    first, second = (trained(frame, tmp_path, **changes) for _ in range(2))
    assert first.report["metrics"] == second.report["metrics"]
    metrics = first.report["metrics"]
    assert metrics["test_r2"] > 0.2 if task == "regression" else metrics["test_accuracy"] > 0.8
    assert {name.removeprefix("test_") for name in metrics if name.startswith("test_")} == set(
        REGRESSION if task == "regression" else CLASSIFICATION
    )
    assert len(first.held_out) == round(len(frame) * 0.25 + 0.49)
    json.dumps(first.report)  # it goes into a file


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_parameters_that_are_approved_are_those_of_the_real_estimator(algorithm):
    assert PARAMETERS[algorithm] <= set(estimator(algorithm, {}, seed=1, threads=1).get_params())
    assert set(ESTIMATORS) == set(ALGORITHMS)


def test_the_metrics_that_the_yaml_takes_are_those_that_are_measured():
    assert set(Metric.__args__) == {*CLASSIFICATION, *REGRESSION}


@pytest.mark.parametrize(
    ("change", "request_change", "expected"),
    [
        (lambda f: f.head(0), {}, "the data has no rows"),
        (lambda f: f.assign(target=f["target"].where(f.index > 11)), {}, "12 of 569 rows have no 'target'; leave them"),
        (lambda f: f.assign(target=1), {}, "every row has the same 'target', 1; there is nothing to learn"),
        (lambda f: f.assign(**{"mean radius": "wide"}), {}, "'mean radius' holds text such as 'wide'; name it in"),
        (lambda f: f.assign(**{"mean radius": None}), {}, "'mean radius' has no value in any row; leave it out"),
        (lambda f: f.drop(columns="mean radius"), {}, "features: the data has no column 'mean radius'; it has: "),
        (
            lambda f: f.assign(**{"mean radius": f["mean radius"].where(f.index > 2)}),
            {},
            "values are missing in mean radius (3); set preprocessing.impute to median or mean",
        ),
        (
            lambda f: f.assign(target=["rare"] + ["often", "more"] * 284),
            {"split": {"method": "stratified", "test_size": 0.25, "time_column": None}},
            "stratified needs two rows of each class",
        ),
        (
            lambda f: f.assign(target=[f"class {number}" for number in f.index]),
            {},
            "is in the held-out rows only; use split.method stratified",
        ),
        (
            lambda f: f.assign(target="text"),
            {"task": "regression", "algorithm": "ridge_regression"},
            "ridge_regression needs numbers, but 'target' holds",
        ),
        (lambda f: f, {"parameters": {"solver": "fastest"}}, "logistic_regression refuses the data or its parameters"),
    ],
)
def test_data_that_cannot_be_learned_from_is_named_with_what_to_change(
    cancer, tmp_path, change, request_change, expected
):
    with pytest.raises(DataError) as caught:
        trained(change(cancer), tmp_path, **request_change)
    assert expected in str(caught.value)


@pytest.mark.parametrize("split", ["random", "stratified", "time"])
def test_the_order_in_which_an_engine_gives_the_rows_changes_no_figure(cancer, tmp_path, split):
    frame = cancer.assign(
        day=[number // 40 for number in range(len(cancer))], clinic=["north", "south", None] * 189 + ["north"] * 2
    )
    changes = {
        "algorithm": "gradient_boosting_classifier",
        "parameters": {"max_iter": 10},
        "split": {"method": split, "test_size": 0.25, "time_column": "day" if split == "time" else None},
        "slices": ["day", "clinic"],
    }
    first = trained(frame, tmp_path, **changes)
    second = trained(frame.sample(frac=1, random_state=3), tmp_path, **changes)

    assert second.report["metrics"] == first.report["metrics"]
    assert second.held_out.reset_index(drop=True).equals(first.held_out.reset_index(drop=True))


def test_a_row_that_was_held_out_stays_so_when_rows_and_features_are_added(cancer, tmp_path):
    frame = cancer.assign(patient=[f"patient {number // 2}" for number in cancer.index])
    split = {"method": "stratified", "test_size": 0.25, "time_column": None, "by": ["patient"]}
    early = trained(frame.head(500), tmp_path, split=split, slices=["patient"]).held_out["patient"]
    late = trained(frame, tmp_path, split=split, slices=["patient"], features=["mean radius", "mean area"])
    learned = set(frame["patient"]) - set(late.held_out["patient"])

    assert len(set(early) & learned) < 0.05 * len(early)
    assert len(set(early)) > 50


def test_the_only_row_of_a_class_is_learned_from(cancer):
    frame = cancer.assign(patient=cancer.index, target=["rare", *["common"] * 300, *["other"] * 268])
    split = {"method": "stratified", "test_size": 0.25, "time_column": None, "by": ["patient"]}
    made = split_rows(frame, {**REQUEST, "split": split})

    assert "rare" in set(made.train["target"])
    assert set(made.test["target"]) == {"common", "other"}


def test_a_split_by_time_holds_out_the_latest_rows(cancer, tmp_path):
    frame = cancer.assign(day=pd.date_range("2024-01-01", periods=len(cancer))[::-1])
    split = {"method": "time", "test_size": 0.1, "time_column": "day"}
    made = trained(frame, tmp_path, split=split, slices=["day"])
    assert made.held_out["day"].min() > frame.sort_values("day")["day"].iloc[-len(made.held_out) - 1]


def test_a_category_that_training_never_saw_can_be_scored(cancer, tmp_path):
    frame = cancer.assign(clinic=["north", "south", None] * 189 + ["north"] * 2)
    preprocessing = {"impute": None, "scale": False, "one_hot": ["clinic"]}
    made = trained(frame, tmp_path, features=["clinic", "mean radius"], preprocessing=preprocessing)
    rows = pd.DataFrame({"clinic": ["east"], "mean radius": [12.0]})
    assert made.pipeline.predict(rows)[0] in (0, 1)
    assert made.report["profile"]["clinic"]["shares"].keys() == {"north", "south", "missing"}
