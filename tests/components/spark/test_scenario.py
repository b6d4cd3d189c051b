"""The full YAML of the research team, as the interview wrote it, run against a server that speaks S3."""

import boto3
import pyarrow.parquet as pq
import pytest
import yaml
from moto.server import ThreadedMotoServer
from pyarrow import csv, fs

from components.spark import SparkModelTrainingComponent
from tests.components.spark.lab import POLICY, checks_of, metadata_of

# Only type: differs: the interview's is research.SparkModelTraining.
ATTRIBUTES = """
  # Required fields (enforced by schema)
  model_name: "transformer_v3_experiment"
  team: "nlp_research"
  compute_size: "large"

  # Data configuration
  data:
    source: "s3://company-data/training/2024_q3"
    preprocessing: "standard_nlp_pipeline"
    validation_split: 0.2

  # Model configuration
  model:
    architecture: "transformer"
    parameters:
      layers: 24
      hidden_size: 1024
      attention_heads: 16
    checkpoint: "s3://models/checkpoints/base_model_v2"

  # Experiment tracking
  experiment:
    tags: ["production", "q3_objective", "nlp"]
    metrics_to_track: ["loss", "accuracy", "f1_score"]
    comparison_baseline: "transformer_v2_production"

  # Resource governance
  resources:
    max_runtime_hours: 8
    max_cost_usd: 1000
    priority: "high"

  # Monitoring and alerting
  notifications:
    slack_channel: "#nlp-experiments"
    on_failure: ["email:team-lead@company.com"]
    on_completion: ["slack:#nlp-experiments"]
"""
ROUTES = {
    "slack:#nlp-experiments": {"url_env": "NLP_CHANNEL_URL"},
    "email:team-lead@company.com": {"url_env": "TEAM_LEAD_URL"},
}
PIPELINE = """
def standard_nlp_pipeline(data):
    return data.selectExpr("lower(text) AS text", "label")
"""
TRAIN = '''
"""Counts which words speak for a label: small, but a classifier, and it starts from the checkpoint."""

import json
from collections import Counter


def train(context):
    votes = Counter(json.loads(context.read_checkpoint()))
    for row in context.training.collect():
        for word in row["text"].split():
            votes[word] += 1 if row["label"] else -1
    right = hits = said = 0
    rows = context.validation.collect()
    for row in rows:
        guess = sum(votes[word] for word in row["text"].split()) > 0
        right += guess == row["label"]
        hits += guess and row["label"]
        said += guess + row["label"]
    context.log_metric("accuracy", right / len(rows))
    context.log_metric("loss", 1 - right / len(rows))
    context.log_metric("f1_score", 2 * hits / said)
    context.log_metric("layers", context.parameters["layers"])
    context.save_model(json.dumps(votes).encode(), "votes.json")
'''


@pytest.fixture
def s3(monkeypatch):
    """A server that speaks S3, with the company's data and its checkpoint."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "an-access-key",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key-8815",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT": endpoint,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    for bucket in ("company-data", "models"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="models", Key="checkpoints/base_model_v2", Body=b'{"good": 1}')
    files = fs.S3FileSystem(endpoint_override=endpoint, region="us-east-1")
    texts = [f"{'GOOD fine' if n % 2 else 'bad awful'} word{n}" for n in range(200)]
    lines = "text,label\n" + "\n".join(f"{text},{str(bool(n % 2)).lower()}" for n, text in enumerate(texts))
    import io

    pq.write_table(
        csv.read_csv(io.BytesIO(lines.encode())), "company-data/training/2024_q3/part.parquet", filesystem=files
    )
    yield client
    server.stop()


def test_the_interviews_yaml_trains_tracks_compares_and_reports(lab, s3):
    (lab.root / "preprocessing").mkdir()
    (lab.root / "preprocessing/standard_nlp_pipeline.py").write_text(PIPELINE)
    lab.policy(alert_routes=ROUTES)
    folder = lab.add(SparkModelTrainingComponent, "training", {}, train=TRAIN)
    kind = f"type: {SparkModelTrainingComponent.__module__}.SparkModelTrainingComponent"
    (folder / "defs.yaml").write_text(f"{kind}\n\nattributes:\n{ATTRIBUTES}")
    (folder / "baselines").mkdir()
    (folder / "baselines/transformer_v2_production.json").write_text('{"loss": 0.3, "accuracy": 0.7, "f1_score": 0.7}')
    result = lab.run()
    metadata = metadata_of(result)
    assert metadata["metric/accuracy"] == 1
    assert "metric/layers" not in metadata
    assert metadata["compute_size"] == "large"
    assert metadata["cost_usd"] == pytest.approx(metadata["run_seconds"] * 72 / 3600, rel=0.05)
    [check] = checks_of(result).values()
    assert check.description == "holds against transformer_v2_production in loss, accuracy, f1_score"
    [run] = lab.mlflow_runs()
    assert run.data.params["attention_heads"] == "16"
    assert run.data.params["checkpoint"] == "s3://models/checkpoints/base_model_v2"
    assert run.data.tags["q3_objective"] == "true"


def test_a_model_may_be_saved_to_object_storage(lab, s3):
    lab.policy(alert_routes=ROUTES)
    lab.training(model={"save_to": "s3://models/trained/"})
    uri = lab.materialize()["model_uri"]
    assert uri.startswith("s3://models/trained/mean_model/")
    stored = s3.get_object(Bucket="models", Key=f"{uri.removeprefix('s3://models/')}/mean.txt")
    assert float(stored["Body"].read()) == pytest.approx(6, rel=0.05)


def test_a_transform_writes_a_delta_table_to_object_storage(lab, s3):
    lab.transform(
        inputs={"texts": {"source": "s3://company-data/training/2024_q3"}},
        sql="SELECT label, count(*) AS n FROM texts GROUP BY label",
        output={"path": "s3://company-data/counts", "format": "delta"},
        expectations=[{"rule": "unique", "columns": ["label"]}],
    )
    for _ in range(2):
        assert lab.materialize()["dagster/row_count"] == 2
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket="company-data", Prefix="counts/")["Contents"]]
    assert len([key for key in listed if key.startswith("counts/_delta_log/") and key.endswith(".json")]) == 2
    lab.transform(
        inputs={"counts": {"source": "s3://company-data/counts"}}, sql="SELECT n FROM counts", expectations=[]
    )
    assert lab.materialize()["dagster/row_count"] == 2
    assert [row["n"] for row in lab.read("data/sums")] == [100, 100]


def test_the_platforms_sizes_are_the_only_ones(lab):
    lab.policy(alert_routes=ROUTES, compute_sizes=POLICY["compute_sizes"])
    attributes = {**yaml.safe_load(ATTRIBUTES), "compute_size": "gigantic"}
    folder = lab.add(SparkModelTrainingComponent, "training", attributes, train=TRAIN)
    assert (
        f"{folder / 'defs.yaml'}: compute_size: 'gigantic' is not approved by policy.yaml; expected one of: "
        "small (2 threads, 4 GB, $0.50 an hour); large (2 threads, 16 GB, 2 nodes, $72.00 an hour)"
    ) in lab.load_error()
