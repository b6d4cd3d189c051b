import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.spark import SparkModelTrainingComponent, SparkTransformComponent
from components.spark.training_scaffolder import SAMPLE_PACKAGE
from tests.components.compute.fake_kubernetes import FakeKubernetes
from tests.components.spark.lab import metadata_of, scaffolded
from tests.fakes.databricks import FakeWorkspace

SERVER = """
import sys
from pysail.spark import SparkConnectServer
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
print(server.listening_address[1], flush=True)
sys.stdin.read()
server.stop()
"""
UDF = """
import os

def pids(batches):
    import pandas as pd

    for batch in batches:
        yield pd.DataFrame({"pid": [os.getpid()], "total": [doubled(batch["y"].sum())]})

def doubled(value):
    return 2 * value

def train(context):
    made = context.training.mapInPandas(pids, "pid long, total double").toPandas()
    context.log_metric("elsewhere", os.getpid() not in set(made["pid"]))
    context.log_metric("total", made["total"].sum() + context.validation.selectExpr("2 * sum(y)").collect()[0][0])
"""

HALF = """
def half(data):
    return data.where("id % 2 = 0")

def train(context):
    context.log_metric("n", context.training.count() + context.validation.count())
    context.save_model(b"model")
"""


@pytest.fixture(scope="module")
def cluster():
    """A Spark Connect server in a process of its own; its address."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield f"sc://127.0.0.1:{process.stdout.readline().decode().strip()}"
        process.stdin.close()


def test_a_spark_connect_server_does_the_work_when_its_variable_is_set(lab, cluster, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", cluster)
    lab.training(UDF)
    metadata = lab.materialize()
    assert metadata["metric/elsewhere"] == 1
    assert metadata["metric/total"] == 2 * sum(2 * (i % 7) for i in range(1_000))
    assert metadata["spark"].startswith("connect ")


def test_the_variable_of_the_server_may_be_named(lab, cluster, monkeypatch):
    monkeypatch.setenv("RESEARCH_SPARK", cluster)
    lab.transform(sql="SELECT 1 AS n", spark_engine="connect", spark_remote_env="RESEARCH_SPARK")
    assert lab.materialize()["spark"].startswith("connect ")
    assert lab.read("data/sums") == [{"n": 1}]


def test_on_a_cluster_the_script_takes_the_session_that_is_there(lab, cluster, tmp_path):
    runner = Path(__file__).parents[3] / "components/spark/runner"
    for file in runner.glob("spark_job*.py"):
        shutil.copy(file, tmp_path)
    source = {"path": str(lab.root / "data/points"), "written": "points", "format": None, "options": {}}
    output = {"path": str(tmp_path / "made"), "format": "delta", "partition": None}
    config = {
        **{"job": "transform", "functions": {}, "secrets": [], "partition": None, "parameters": {}},
        **{"engine": "platform", "spark_remote_env": "SPARK_REMOTE", "size": {}},
        **{"inputs": {"points": {**source, "on_this_machine": False}}, "sql": "SELECT count(*) AS n FROM points"},
        **{"output": output, "expectations": []},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    environment = {**os.environ, "SPARK_REMOTE": cluster}  # as the serverless compute of Databricks sets it
    done = subprocess.run([sys.executable, "spark_job.py"], cwd=tmp_path, env=environment, capture_output=True)
    result = json.loads((tmp_path / "result.json").read_text())
    assert (done.returncode, result["rows"], result["spark"].split()[0]) == (0, 1, "platform")
    assert (tmp_path / "made/_delta_log").is_dir()


def test_what_is_written_wins_over_the_variable(lab, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://127.0.0.1:9")
    lab.training(UDF, spark_engine="sail")
    assert lab.materialize()["metric/elsewhere"] == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sc://127.0.0.1:9/;token=hidden-token", "the Spark Connect server that SPARK_REMOTE names does not answer"),
        ("127.0.0.1:9", "SPARK_REMOTE is not set to the address of a server (sc://host:port)"),
        ("", "SPARK_REMOTE is not set to the address of a server (sc://host:port)"),
    ],
)
def test_a_server_that_is_not_there_is_named_at_once_and_its_token_is_not(lab, monkeypatch, address, expected):
    monkeypatch.setenv("SPARK_REMOTE", address)
    lab.training(spark_engine="connect")
    failure = lab.failure()
    assert expected in failure.description
    assert "hidden-token" not in failure.description
    assert failure.metadata["run_seconds"].value < 20


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A command that takes docker's arguments and starts the container as a process without our library's path."""
    command = tmp_path / "docker"
    fake = Path(__file__).parents[1] / "compute" / "fake_docker.py"
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{fake}' \"$@\"\n")
    command.chmod(0o755)
    monkeypatch.setenv("DOCKER_FAKE_STATE", str(tmp_path))
    return {"runs_on": "container", "image": "research:1", "command": str(command)}


def test_the_same_training_runs_in_a_container(lab, docker, monkeypatch):
    lab.policy(compute_profiles={"box": docker})
    monkeypatch.setenv("COMPUTE_PROFILE", "box")
    lab.training(data={"source": str(lab.root / "data/points"), "preprocessing": "half"}, script=HALF)
    metadata = lab.materialize()
    assert metadata["compute_profile"] == "box"
    assert metadata["metric/n"] == 500
    assert metadata["model_files"] == "model.bin"
    assert metadata["spark"].startswith("sail ")


@pytest.fixture
def pods(tmp_path, monkeypatch):
    """A Kubernetes API server that runs the containers of its pods as processes."""
    fake = FakeKubernetes(tmp_path / "nodes")
    (tmp_path / "kubeconfig").write_text(json.dumps(fake.kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr("components.compute.kubernetes.POLL_SECONDS", 0.1)
    yield fake
    fake.close()


def test_the_same_training_runs_on_kubernetes(lab, pods):
    lab.policy(compute_profiles={"pods": {"runs_on": "kubernetes", "image": "research:1", "namespace": "research"}})
    lab.training(
        compute_profile="pods",
        data={"source": str(lab.root / "data/points"), "preprocessing": "half"},
        script=HALF,
    )
    metadata = lab.materialize()
    assert metadata["compute_profile"] == "pods"
    assert (metadata["metric/n"], metadata["model_files"]) == (500, "model.bin")
    assert lab.mlflow_runs()[0].data.metrics == {"n": 500}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A Databricks workspace that speaks the REST API and runs what is submitted."""
    fake = FakeWorkspace(tmp_path / "workspace")
    monkeypatch.setenv("DATABRICKS_HOST", fake.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", "made-up")
    monkeypatch.setattr("components.compute.databricks.POLL_SECONDS", 0.1)
    yield fake
    fake.close()


def test_the_same_training_runs_on_databricks_with_the_session_of_the_cluster(lab, workspace, cluster):
    lab.policy(compute_profiles={"lakehouse": {"runs_on": "databricks"}})
    lab.training(
        compute_profile="lakehouse",
        environment={"SPARK_REMOTE": cluster},  # the serverless compute of Databricks sets it itself
        data={"source": str(lab.root / "data/points"), "preprocessing": "half"},
        script=HALF,
    )
    metadata = lab.materialize()
    assert metadata["spark"].startswith("platform ")
    assert (metadata["metric/n"], metadata["model_files"]) == (500, "model.bin")
    assert metadata["run_url"].startswith(workspace.address)
    assert lab.mlflow_runs()[0].data.metrics == {"n": 500}


def test_the_training_that_the_scaffolder_writes_runs_and_learns(lab):
    attributes = scaffolded(SparkModelTrainingComponent, lab.defs / "late", team="research")
    metadata = lab.materialize()
    assert attributes["experiment"]["metrics_to_track"] == ["loss", "accuracy"]
    assert metadata["training_rows"] + metadata["validation_rows"] > 16_000
    assert metadata["metric/accuracy"] > 0.85  # 76 percent of the flights are in time
    assert metadata["metric/loss"] < 0.45
    assert metadata["model_files"] == "weights.npy"


def test_the_transform_that_the_scaffolder_writes_runs(lab):
    scaffolded(SparkTransformComponent, lab.defs / "delays")
    result = lab.run()
    assert metadata_of(result)["dagster/row_count"] == len(lab.read("data/route_delays")) > 200
    assert len(result.get_asset_check_evaluations()) == 2


@pytest.mark.parametrize("component", [SparkModelTrainingComponent, SparkTransformComponent])
def test_the_scaffolder_starts_from_data_of_ones_own(lab, component):
    scaffolded(component, lab.defs / "own", source="data/points")
    assert lab.materialize()["compute_size"] == "small"


def test_an_example_that_cannot_be_made_leaves_nothing(lab, monkeypatch):
    monkeypatch.setattr("components.spark.training_scaffolder.find_spec", lambda name: None)
    for component in (SparkModelTrainingComponent, SparkTransformComponent):
        with pytest.raises(Exception, match=f"needs the package {SAMPLE_PACKAGE}"):
            scaffolded(component, lab.defs / "late")
    assert not (lab.defs / "late").exists()


def test_importing_the_family_imports_no_engine():
    code = (
        "import json, sys, components.spark as s; s.SparkModelTrainingComponent; s.SparkTransformComponent;"
        "print(json.dumps([name for name in ('pyspark', 'pysail', 'mlflow', 'pandas', 'pyarrow', 'numpy', 'duckdb')"
        " if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert json.loads(done.stdout) == []


def test_the_runner_needs_nothing_of_the_library():
    for file in (Path(__file__).parents[3] / "components/spark/runner").glob("spark_job*.py"):
        assert "from ." not in file.read_text()
        assert "import components" not in file.read_text()
