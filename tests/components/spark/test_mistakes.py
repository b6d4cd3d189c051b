import re
import textwrap
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from components.spark import SparkModelTrainingComponent, SparkTransformComponent
from tests.components.spark.lab import TRAINING


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": {"paramters": {}}}, "did you mean 'parameters'?"),
        ({"model": "transformer"}, "model: 'transformer' is not valid; expected the keys architecture, parameters"),
        ({"modle_name": "x"}, "did you mean 'model_name'?"),
        ({"settings": {}}, "unknown key"),
        ({"resources": {"priority": "urgent"}}, "expected one of low, normal, high"),
        ({"resources": {"max_cost_usd": "a lot"}}, "max_cost_usd: 'a lot' is not valid; expected float"),
        ({"resources": {"max_cost_usd": 0}}, "max_cost_usd: 0.0 is not valid; expected more than 0"),
        ({"data": {"source": "data/points", "validation_split": 2}}, "validation_split: 2.0 is not valid; expected at"),
        ({"data": {"source": ""}}, "source: '' does not match"),
        ({"schedule": "0 25 * * *"}, "expected minute"),
        ({"team": "nlp research"}, "team: 'nlp research' does not match"),
        ({"spark_engine": "java"}, "expected one of sail, jvm, connect"),
        (
            {"compute_size": "huge"},
            "compute_size: 'huge' is not approved by policy.yaml; expected one of: small (2 thr",
        ),
        ({"compute_profile": "moon"}, "compute_profile: 'moon' is no compute profile of policy.yaml; expected one of"),
        ({"entry_point": "main.py"}, "entry_point: 'main.py' does not exist; Python files there: train.py"),
        ({"data": {"source": "x", "preprocessing": "clean"}}, "data.preprocessing: 'clean' is neither a function of"),
        (
            {"schedule": "0 6 * * *", "partition": {"by": "daily", "start": "2013-01-01"}},
            "a partitioned training has no schedule of its own; use ScheduledJobComponent",
        ),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(lab, change, expected):
    lab.training(**change)
    assert expected in lab.load_error()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("def train(context:\n    pass\n", "train.py:1: this is not Python: "),
        ("def trian(context):\n    pass\n", "there is no function train; expected def train(context). It has: trian"),
    ],
)
def test_a_mistake_in_the_script_is_named_when_it_loads(lab, script, expected):
    lab.training(script)
    assert expected in lab.load_error()


@pytest.mark.parametrize("name", ["model_name", "team", "compute_size", "data"])
def test_a_required_attribute_that_is_missing_is_named(lab, name):
    lab.add(SparkModelTrainingComponent, "training", {key: TRAINING[key] for key in TRAINING if key != name})
    assert f"{name}" in lab.load_error()
    assert "Field required" in lab.load_error()


@pytest.mark.parametrize("source", ["data/points", "s3://bucket/points"])
def test_data_of_this_project_cannot_be_read_elsewhere(lab, source):
    lab.policy(compute_profiles={"box": {"runs_on": "container", "image": "spark", "command": "no-such-command"}})
    lab.training(compute_profile="box", data={"source": source})
    message = lab.failure().description
    assert ("'data/points' lies in this project, but the compute profile 'box' runs elsewhere" in message) is (
        source == "data/points"
    )


def test_apache_spark_that_is_not_installed_is_named(lab):
    lab.training(spark_engine="jvm")
    assert "spark_engine: jvm needs Apache Spark itself: the package pyspark instead of" in lab.failure().description


PAGE = Path(__file__).parents[3] / "docs/how-to/spark-training.md"


def examples():
    """The YAML of both docstrings and of the researcher's page."""
    texts = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for component in (SparkModelTrainingComponent, SparkTransformComponent):
        texts.append(textwrap.dedent(component.__doc__.split("code-block:: yaml")[1]))
    return [example for example in map(yaml.safe_load, texts) if "type" in example]


def schema_mistakes(example):
    component = {"SparkModelTrainingComponent": SparkModelTrainingComponent}.get(
        example["type"].split(".")[1], SparkTransformComponent
    )
    validator = Draft202012Validator(component.get_model_cls().model_json_schema())
    return [error.message for error in validator.iter_errors(example["attributes"])]


def test_every_example_fits_the_schema_and_none_with_an_unknown_key_does():
    assert len(examples()) == 4
    for example in examples():
        assert schema_mistakes(example) == []
        attributes = {**example["attributes"], "colour": 1}
        assert "'colour'" in " ".join(schema_mistakes({**example, "attributes": attributes}))


@pytest.mark.parametrize("group", ["data", "model", "experiment", "resources", "notifications"])
def test_the_schema_names_an_unknown_key_of_every_group(group):
    example = examples()[0]
    attributes = {**example["attributes"], group: {**example["attributes"][group], "colour": 1}}
    assert "'colour'" in " ".join(schema_mistakes({**example, "attributes": attributes}))
