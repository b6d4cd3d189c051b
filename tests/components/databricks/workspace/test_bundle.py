"""A bundle is made from the definitions, accepted by the bundle's own schema, and kept in step with them."""

from pathlib import Path

import pytest
import yaml
from databricks.bundles.jobs import Job
from databricks.bundles.pipelines import Pipeline

from components.databricks.pipeline.component import DeclarativePipelineComponent
from components.databricks.workspace import command
from components.databricks.workspace.catalog import UnityCatalogComponent
from components.databricks.workspace.jobs import DatabricksJobComponent
from tests.components.warehouse.project import Project
from tests.fakes.databricks import FakeWorkspace

pytestmark = pytest.mark.slot("databricks", "bundles", "fake")
SQL = "CREATE OR REFRESH MATERIALIZED VIEW silver.flights AS SELECT 1 AS id\n"


@pytest.fixture
def platform(governed: Project) -> Project:
    """A project with a job and a pipeline."""
    governed.file("scripts/load.py", "print('loaded')\n")
    tasks = [
        {"key": "load", "script": {"file": "scripts/load.py"}, "compute": {"size": "small"}},
        {"key": "report", "depends_on": ["load"], "notebook": {"path": "/Workspace/Shared/report"}},
    ]
    job = {"name": "sales", "owners": ["team:data"], "tasks": tasks, "parameters": {"day": "2026-01-31"}}
    governed.add(DatabricksJobComponent, "job", job)
    pipeline = {"name": "flights", "files": ["flights.sql"], "default_schema": "silver", "owners": ["team:data"]}
    folder = governed.add(DeclarativePipelineComponent, "pipeline", {**pipeline, "catalog": "acme"})
    (folder / "flights.sql").write_text(SQL)
    return governed


def run(project: Project, *arguments: str) -> int:
    return command.main([*arguments, "--project", str(project.root)])


def bundle(project: Project) -> dict:
    assert run(project, "bundle") == command.FINE
    return yaml.safe_load((project.root / "databricks.yml").read_text())


def test_the_bundle_has_every_job_and_pipeline_and_its_schema_takes_them(platform: Project, fake: FakeWorkspace):
    made = bundle(platform)
    job, pipeline = made["resources"]["jobs"]["sales"], made["resources"]["pipelines"]["flights"]
    assert Job.from_dict(job).name == "sales"
    assert Pipeline.from_dict(pipeline).catalog == "acme"
    assert job["tasks"][0]["spark_python_task"]["python_file"] == "./scripts/load.py"
    assert job["tasks"][1]["notebook_task"]["notebook_path"] == "/Workspace/Shared/report"
    assert (platform.root / pipeline["libraries"][0]["file"]["path"]).read_text() == SQL
    assert made["targets"]["dev"] == {"mode": "development", "default": True}
    assert fake.requests == []  # it is made without a workspace


def test_a_bundle_that_is_in_step_passes_its_check_and_another_is_shown_as_a_difference(platform: Project, capsys):
    bundle(platform)
    assert run(platform, "bundle", "--check") == command.FINE
    capsys.readouterr()
    job = {"name": "sales", "owners": ["team:data"], "tasks": [{"key": "load", "script": {"file": "scripts/load.py"}}]}
    platform.add(DatabricksJobComponent, "job", job)
    assert run(platform, "bundle", "--check") == command.DIFFERENT
    said = capsys.readouterr()
    assert "notebook_path: /Workspace/Shared/report\n" in said.out
    assert "run the command bundle without --check" in said.err


def test_a_missing_bundle_fails_its_check(platform: Project):
    assert run(platform, "bundle", "--check") == command.DIFFERENT
    assert not (platform.root / "databricks.yml").exists()


def test_the_same_definitions_give_the_same_bundle(platform: Project):
    bundle(platform)
    before = Path(platform.root / "databricks.yml").read_bytes()
    bundle(platform)
    assert Path(platform.root / "databricks.yml").read_bytes() == before


def test_compute_that_is_not_approved_makes_no_bundle(platform: Project, capsys):
    job = {"name": "sales", "owners": ["team:data"], "compute": {"size": "wide"}}
    platform.add(DatabricksJobComponent, "job", {**job, "tasks": [{"key": "a", "notebook": {"path": "/Workspace/a"}}]})
    assert run(platform, "bundle") == command.REFUSED
    assert "policy.yaml approves at most 4" in capsys.readouterr().err


def test_tags_and_grants_are_planned_and_applied_by_the_command(governed: Project, fake: FakeWorkspace, capsys):
    fake.catalog.add("acme.gold")
    fake.sql.run("CREATE TABLE acme.gold.flights AS SELECT 1 AS id")
    gold = {"classification": "internal", "tables": {"flights": {"description": "Flights."}}}
    governed.add(UnityCatalogComponent, "catalog", {"catalog": "acme", "schemas": {"gold": gold}})
    assert run(governed, "access") == command.DIFFERENT
    assert "grant SELECT on table acme.gold.flights to analysts" in capsys.readouterr().out
    assert run(governed, "access", "--apply") == command.FINE
    assert run(governed, "access") == command.FINE
    assert fake.catalog.grants[("table", "acme.gold.flights")] == {"analysts": {"SELECT"}}
