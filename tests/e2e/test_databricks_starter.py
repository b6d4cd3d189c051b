"""The lakehouse starter with default answers, as a newcomer runs it: no workspace, no account, no Java."""

import json
import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from deltalake import DeltaTable

from tests.e2e.conftest import Project, installed, sync
from tests.fakes.databricks import TOKEN, FakeWorkspace
from tests.fakes.databricks.pipelines import Made, Script


@pytest.fixture(scope="module")
def lakehouse(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Installed and materialised once."""
    folder = tmp_path_factory.mktemp("lakehouse") / "data-platform"
    project = installed(template, folder, {"kind": "databricks"})
    project.launch()
    return project


def table(project: Project, name: str) -> DeltaTable:
    return DeltaTable(project.path / "data" / "lakehouse" / "tables" / "main" / name)


def test_spark_with_its_java_parts_is_no_package_of_its_lock(lakehouse: Project):
    locked = tomllib.loads((lakehouse.path / "uv.lock").read_text())["package"]
    assert {"pyspark", "pyspark-client"} & {package["name"] for package in locked} == {"pyspark-client"}


@pytest.mark.slot("databricks", "pipelines", "embedded")
@pytest.mark.slot("databricks", "streaming", "embedded")
def test_every_layer_is_made_of_the_whole_sample(lakehouse: Project):
    rows = {
        name: table(lakehouse, name).to_pyarrow_dataset().count_rows()
        for name in ("bronze/flights", "bronze/weather", "bronze/airlines", "silver/flights", "gold/carrier_delays")
    }
    assert rows == {
        "bronze/flights": 336_776,
        "bronze/weather": 26_115,
        "bronze/airlines": 16,
        "silver/flights": 336_776,
        "gold/carrier_delays": 16,
    }


@pytest.mark.slot("databricks", "batch-inference", "embedded")
@pytest.mark.slot("databricks", "mlflow-tracking", "embedded")
@pytest.mark.slot("databricks", "mlflow-evaluation", "embedded")
@pytest.mark.slot("databricks", "model-registry", "embedded")
def test_a_model_is_tracked_judged_registered_and_used(lakehouse: Project):
    with sqlite3.connect(lakehouse.path / "data" / "mlflow.db") as database:
        [(area,)] = database.execute("SELECT value FROM metrics WHERE key = 'test_roc_auc'").fetchall()
        aliases = database.execute("SELECT name, alias, version FROM registered_model_aliases").fetchall()
    predictions = table(lakehouse, "ml/delay_predictions").to_pyarrow_table()

    assert area > 0.68
    assert ("main.ml.delays", "champion", 1) in [(name, alias, int(version)) for name, alias, version in aliases]
    assert predictions.num_rows == 26_107
    assert set(predictions["model_version"].to_pylist()) == {1}


def test_a_second_run_takes_no_file_twice(lakehouse: Project):
    lakehouse.launch('key:"bronze/flights"')

    assert table(lakehouse, "bronze/flights").to_pyarrow_dataset().count_rows() == 336_776


def test_checking_yaml_and_definitions_finds_nothing_wrong(lakehouse: Project):
    assert "valid" in lakehouse.run("dg", "check", "yaml").stdout.lower()
    assert "successfully" in lakehouse.run("dg", "check", "defs").stdout.lower()


def test_definitions_load_although_no_workspace_answers(lakehouse: Project):
    done = lakehouse.run("dg", "check", "defs", DATABRICKS_HOST="https://127.0.0.1:1", DATABRICKS_TOKEN="dapi-none")
    assert "successfully" in done.stdout.lower()


def test_every_asset_and_expectation_is_listed_with_what_the_policy_asks_for(lakehouse: Project):
    listed = json.loads(lakehouse.run("dg", "list", "defs", "--json").stdout)
    required = ("group_name", "kinds", "description", "owners", "tags")
    assert [asset["asset_key"] for asset in listed["assets"] if not all(asset[name] for name in required)] == []
    assert len(listed["assets"]) == 15


def test_the_projects_own_tests_and_lint_pass(lakehouse: Project):
    assert " passed" in lakehouse.run("pytest").stdout
    lakehouse.run("ruff", "check", ".")
    lakehouse.run("ruff", "format", "--check", ".")


PIPELINE = ("bronze/weather", "bronze/airlines", "silver/flights", "gold/carrier_delays", "gold/daily_airport_delays")


@pytest.fixture
def workspace(lakehouse: Project, tmp_path: Path) -> Iterator[FakeWorkspace]:
    """A workspace whose pipeline makes the tables that it made on this machine; of December, every tenth flight."""
    made = FakeWorkspace(tmp_path / "workspace")
    rows = {"acme.bronze.flights": Made(table(lakehouse, "bronze/flights").to_pyarrow_dataset().count_rows())}
    for schema in ("bronze", "silver", "gold"):
        made.catalog.add(f"acme.{schema}")
    for name in (*PIPELINE, "gold/flight_features"):
        found = table(lakehouse, name).to_pyarrow_table()
        kept = "month < 12 OR hash(flight_id) % 10 = 0" if name == "gold/flight_features" else "true"
        full = f"acme.{name.replace('/', '.')}"
        made.sql.database.register("found", found)
        made.sql.database.execute(f"CREATE TABLE {full} AS FROM found WHERE {kept}")
        made.sql.database.unregister("found")
        rows[full] = Made(found.num_rows)
    made.pipelines.scripts = [Script(rows)]
    yield made
    made.close()


@pytest.mark.slot("databricks", "batch-inference", "fake")
@pytest.mark.slot("databricks", "mlflow-tracking", "fake")
@pytest.mark.slot("databricks", "model-registry", "fake")
@pytest.mark.slot("databricks", "pipelines", "fake")
def test_three_variables_make_everything_in_the_workspace(template: Path, tmp_path: Path, workspace: FakeWorkspace):
    project = installed(template, tmp_path / "data-platform", {"kind": "databricks", "catalog": "acme"})

    project.launch(
        DATABRICKS_HOST=workspace.address,
        DATABRICKS_TOKEN=TOKEN,
        DATABRICKS_HTTP_PATH="/sql/1.0/warehouses/abc123",
        COMPUTE_PROFILE="workspace",
    )

    landed = workspace.files.place("/Volumes/acme/landing/files/flights")
    assert len(list(landed.glob("*.csv"))) == 12
    assert [pipeline["name"] for pipeline in workspace.pipelines.pipelines.values()] == ["flights"]
    assert workspace.sql.run("SELECT count(*) FROM acme.gold.carrier_scorecard") == [(16,)]
    assert workspace.tracking.experiments == {"/Shared/ml.delay_model"}
    assert workspace.models.models["acme.ml.delays"]["aliases"] == {"champion": "1"}
    [(rows, versions)] = workspace.sql.run(
        "SELECT count(*), max(model_version) FROM acme.ml.delay_predictions AS p "
        "JOIN acme.gold.flight_features AS f ON p.flight_id = f.flight_id"
    )
    assert rows > 2_000
    assert int(versions) == 1
    names = [run["asked"]["run_name"].rsplit("-", 2)[0] for run in workspace.jobs.runs.values()]
    assert names == ["ml-delay-model", "ml-delay-predictions"]
    assert not (project.path / "data" / "lakehouse" / "tables").exists(), "nothing is made on this machine"
    assert not (project.path / "data" / "mlflow.db").exists()


@pytest.mark.slot("databricks", "jobs", "fake")
def test_jobs_that_the_workspace_has_already_are_assets_by_dagsters_own_component(
    template: Path, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("jobs")
    project = installed(template, folder / "data-platform", {"kind": "databricks"})
    name = "data_platform.components.DatabricksWorkspaceComponent"
    assert name not in project.run("dg", "list", "components").stdout

    sync(project.path, "--extra", "stock")
    assert name in project.run("dg", "list", "components", COLUMNS="300").stdout

    workspace = FakeWorkspace(folder / "workspace")
    try:
        task = {"task_key": "vacuum", "notebook_task": {"notebook_path": "/Shared/vacuum"}}
        workspace.jobs.jobs = {1001: {"name": "Cleaning", "tasks": [task]}}
        project.run("dg", "scaffold", "defs", name, "cleaning")
        defs = project.path / "src" / "data_platform" / "defs" / "cleaning" / "defs.yaml"
        written = yaml.safe_load(defs.read_text())
        written["attributes"] |= {"host": workspace.address, "owners": ["team:data"], "tags": {"domain": "flights"}}
        defs.write_text(yaml.safe_dump(written))
        project.run("dg", "utils", "refresh-defs-state", DATABRICKS_TOKEN=TOKEN)
        project.launch("key:databricks/cleaning_vacuum", DATABRICKS_TOKEN=TOKEN)
        assert [run["keys"] for run in workspace.jobs.runs.values()] == [["vacuum"]]
    finally:
        workspace.close()
