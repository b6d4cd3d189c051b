import json

import dagster as dg
import pytest

from components.spark.attributes import Experiment
from components.spark.baseline import Baseline, is_lower_better, verdict
from tests.components.spark.lab import checks_of

TRACKED = {"metrics_to_track": ["loss", "accuracy"], "comparison_baseline": "old_model"}
LOG = """
def train(context):
    context.log_metric("loss", context.parameters["loss"])
    context.log_metric("accuracy", context.parameters["accuracy"])
"""


def trained(lab, loss, accuracy, name="new_model", **experiment):
    parameters = {"loss": loss, "accuracy": accuracy}
    lab.training(LOG, model_name=name, model={"parameters": parameters}, experiment={**TRACKED, **experiment})
    [check] = checks_of(lab.run()).values()
    return check


def test_a_model_is_compared_with_the_last_accepted_one_of_that_name(lab):
    first = trained(lab, 0.5, 0.8, name="old_model")
    assert (first.passed, first.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert first.description == (
        "old_model has no accepted run in MLflow, and there is no baselines/old_model.json: nothing to compare with"
    )
    better = trained(lab, 0.4, 0.8)
    assert (better.passed, better.description) == (True, "holds against old_model in loss, accuracy")
    worse = trained(lab, 0.6, 0.9, name="old_model")
    assert (worse.passed, worse.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert worse.description == "worse than old_model in loss"
    assert "| loss | 0.6 | 0.5 | lower | worse |" in worse.metadata["comparison"].value
    assert "| accuracy | 0.9 | 0.8 | higher | holds |" in worse.metadata["comparison"].value
    # The worse one is nobody's baseline: the next is held against the first again.
    assert trained(lab, 0.55, 0.9).description == "worse than old_model in loss"


def test_a_record_beside_the_yaml_is_a_baseline(lab):
    folder = lab.training(LOG, model={"parameters": {"loss": 0.5, "accuracy": 0.7}}, experiment=TRACKED)
    (folder / "baselines").mkdir()
    (folder / "baselines/old_model.json").write_text(json.dumps({"accuracy": 0.9}))
    [check] = checks_of(lab.run()).values()
    assert check.description == "worse than old_model in accuracy"
    assert check.metadata["baseline"].value == "baselines/old_model.json"


def test_a_record_without_numbers_is_named_when_it_loads(lab):
    folder = lab.training(LOG, experiment=TRACKED)
    (folder / "baselines").mkdir()
    (folder / "baselines/old_model.json").write_text('{"accuracy": "good"}')
    assert 'old_model.json: expected numbers by metric, such as {"loss": 0.31}' in lab.load_error()


@pytest.mark.parametrize(("tolerance", "passed"), [(0.0, False), (0.05, False), (0.11, True)])
def test_a_tolerance_is_a_share_of_the_baseline(tolerance, passed):
    experiment = Experiment(comparison_baseline="old", tolerance=tolerance)
    result = verdict(experiment, {"loss": 1.1, "f1_score": 0.9}, Baseline({"loss": 1.0, "f1_score": 0.9}, "a record"))
    assert result.passed is passed


@pytest.mark.parametrize(
    ("metric", "lower"),
    [("loss", True), ("val_loss", True), ("rmse", True), ("test_mae", True), ("accuracy", False), ("maest", False)],
)
def test_the_name_of_a_metric_says_which_way_is_better(metric, lower):
    assert is_lower_better(metric, Experiment()) is lower
    assert is_lower_better(metric, Experiment(lower_is_better=["accuracy"])) is (metric == "accuracy")
