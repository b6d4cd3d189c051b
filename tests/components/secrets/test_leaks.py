"""Secrets of every store reach the code that needs them, and nothing that a run writes anywhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import boto3
import pytest
from moto.server import ThreadedMotoServer

from components.notebooks import NotebookRunnerComponent
from components.orchestration import AlertRoutesComponent, TelemetryComponent
from components.spark import SparkModelTrainingComponent
from components.warehouse.component import WarehouseComponent
from components.warehouse.sql_table import SqlTableComponent
from tests.components.secrets.planted import PlantedProject
from tests.components.secrets.vault_server import running_vault

pytestmark = pytest.mark.e2e

SECRET = "pl4nt'ed \"s/ecr\\et+käse&9"  # made up; has what JSON, SQL, URLs and HTML escape
TOKEN = "hvs.a-made-up-token-of-vault"
NOTEBOOK = """\
import base64, json, os, sys
from urllib.parse import quote
token = os.environ["API_KEY"]
print("length", len(token))
print(token, repr(token), json.dumps(token), quote(token), base64.b64encode(token.encode()).decode())
print(token, file=sys.stderr)
raise ValueError(token)
"""
TRAINING = """\
import os


def train(context):
    key = os.environ["API_KEY"]
    print("length", len(key), key, repr(key), flush=True)
    context.log_metric("length", len(key))
    context.save_model(b"weights")
"""


def notebook(source: str) -> str:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
    kernel = {"name": "python3", "display_name": "python3", "language": "python"}
    return json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4})


@pytest.fixture
def secrets_manager() -> Iterator[str]:
    """AWS Secrets Manager as moto serves it over HTTP; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_the_search_finds_what_it_looks_for(tmp_path: Path):
    project = PlantedProject(tmp_path, {"store": "environment"}, {})
    for name, text in {"a": SECRET, "b": repr(SECRET), "c": quote(SECRET), "d": json.dumps(SECRET)}.items():
        (project.root / name).write_text(text)

    assert {leak.split(":")[0] for leak in project.leaks(SECRET)} == {f"project/{name}" for name in "abcd"}


def test_a_secret_of_vault_is_in_nothing_that_a_failing_notebook_leaves(tmp_path: Path):
    with running_vault(TOKEN) as vault:
        vault.put("secret/science", API_KEY=SECRET)
        project = PlantedProject(
            tmp_path, {"store": "vault", "path": "science"}, {"VAULT_ADDR": vault.url, "VAULT_TOKEN": TOKEN}
        )
        attributes = {
            "key": "research/study",
            "description": "A study.",
            "notebook": "study.ipynb",
            "compute_size": "small",
            "owners": ["team:data"],
            "secrets": ["API_KEY"],
        }
        project.add(NotebookRunnerComponent, attributes, study__ipynb=notebook(NOTEBOOK))
        said = project.dagster("asset", "materialize", "--select", "*")

    assert "ValueError" in said
    assert len(vault.requests) == 1
    (rendered,) = (project.root / "data" / "notebooks").rglob("*.ipynb")
    assert f"length {len(SECRET)}" in rendered.read_text()
    assert list((tmp_path / "home").rglob("*.db"))
    assert project.leaks(SECRET, TOKEN) == []


def test_a_secret_of_aws_is_in_nothing_that_a_training_leaves(tmp_path: Path, secrets_manager: str):
    access = {"AWS_ACCESS_KEY_ID": "AKIATESTING", "AWS_SECRET_ACCESS_KEY": "made-up-key-of-aws"}
    client = boto3.client(
        "secretsmanager",
        region_name="eu-central-1",
        endpoint_url=secrets_manager,
        aws_access_key_id=access["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=access["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_secret(Name="data/API_KEY", SecretString=SECRET)
    store = {"store": "aws_secrets_manager", "prefix": "data/", "region": "eu-central-1"}
    project = PlantedProject(tmp_path, store, {**access, "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_manager})
    (project.root / "data").mkdir()
    (project.root / "data" / "points.csv").write_text("id,x\n1,2\n2,3\n3,4\n4,5\n")
    attributes = {
        "model_name": "mean_model",
        "team": "data",
        "compute_size": "small",
        "data": {"source": "data/points.csv", "validation_split": 0.25},
        "secrets": ["API_KEY"],
    }
    project.add(SparkModelTrainingComponent, attributes, train__py=TRAINING)
    said = project.dagster("asset", "materialize", "--select", "*")

    assert f"length {len(SECRET)} ***" in said
    assert (project.root / "data" / "mlflow.db").exists()
    assert project.leaks(SECRET, access["AWS_SECRET_ACCESS_KEY"]) == []


def test_secrets_of_the_environment_are_in_nothing_that_failing_services_leave(tmp_path: Path):
    password, webhook, header = "pw-made/up?1", "T0KENmadeup", "key-made-up-of-datadog"
    environment = {
        "WAREHOUSE_TARGET": "production",
        "PGHOST": "127.0.0.1",
        "PGPORT": "1",
        "PGUSER": "loader",
        "PGPASSWORD": password,
        "PGDATABASE": "shop",
        "DATA_ALERTS_URL": f"json://user:{webhook}@127.0.0.1:1/{webhook}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://user:{header}@127.0.0.1:1",
        "OTEL_EXPORTER_OTLP_HEADERS": f"dd-api-key={header}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    project = PlantedProject(tmp_path, {"store": "environment"}, environment)
    project.add(WarehouseComponent, {"engine": "postgres"})
    table = {"key": "marts/orders", "description": "Orders.", "sql": "select 1 as id", "owners": ["team:data"]}
    project.add(SqlTableComponent, table)
    project.add(AlertRoutesComponent, {})
    project.add(TelemetryComponent, {})

    state = json.dumps({"position": 0, "unsent": []})
    said = project.tick(alert_routes_runs=state, telemetry_metrics='{"position": 0}')

    assert "marts/orders" in said
    assert "1 runs ended, 1 to be told again" in said
    assert "the OpenTelemetry collector http://127.0.0.1:1 did not take metrics" in said
    assert project.leaks(password, webhook, header) == []
