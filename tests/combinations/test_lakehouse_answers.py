"""The lakehouse starter with answers of its own: its own tests run everything, in the schemas of one team."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deltalake import DeltaTable

from tests.combinations.test_combinations import own_tests
from tests.rendering import answer_sets, render

ANSWERS = answer_sets()["databricks-clusters"]


@pytest.mark.e2e
def test_a_lakehouse_in_a_teams_own_schemas_of_a_shared_catalog_makes_every_table_there(template: Path, tmp_path: Path):
    project = render(template, tmp_path / "project", ANSWERS)

    assert own_tests(project, "--basetemp", str(tmp_path / "kept")) == 4

    command = [sys.executable, "-m", "flight_lakehouse.components.databricks.workspace", "bundle"]
    subprocess.run(command, cwd=project, env={**os.environ, "PYTHONPATH": "src"}, check=True)
    [pipeline] = yaml.safe_load((project / "databricks.yml").read_text())["resources"]["pipelines"].values()
    assert (pipeline["catalog"], pipeline["schema"]) == ("analytics", "flights_silver")
    assert pipeline["configuration"] == {"flights.landing": "/Volumes/analytics/flights_landing/files"}
    [tables] = tmp_path.glob("kept/lakehouse0/tables")
    made = {path.parent.relative_to(tables).as_posix() for path in tables.rglob("_delta_log")}
    catalog, schema = ANSWERS["catalog"].split(".")
    assert {name.rpartition("/")[0] for name in made} == {
        f"{catalog}/{schema}_{layer}" for layer in ("bronze", "silver", "gold", "ml")
    }
    assert DeltaTable(tables / catalog / f"{schema}_gold" / "carrier_scorecard").to_pyarrow_dataset().count_rows() == 16
