import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.warehouse.settings import subprocess_environment
from tests.components.warehouse.project import payload


def profiles(engine: str) -> str:
    return payload("profiles.yml.jinja", warehouse=engine)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_the_profile_has_a_local_and_a_production_output(engine):
    outputs = yaml.safe_load(profiles(engine))["warehouse"]["outputs"]
    assert {name: output["type"] for name, output in outputs.items()} == {"local": "duckdb", "production": engine}
    assert not [line for line in profiles(engine).splitlines() if not line.strip()]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("target", "engine"),
    [
        ("local", "duckdb"),
        ("production", "duckdb"),
        pytest.param("production", "postgres", marks=pytest.mark.postgres),
    ],
)
def test_dbt_reads_and_writes_the_warehouse_in_force(project, request, monkeypatch, engine, target):
    if engine == "postgres":
        request.getfixturevalue("postgres_database")
    monkeypatch.setenv("WAREHOUSE_TARGET", target)
    monkeypatch.setenv("WAREHOUSE_PRODUCTION_FILE", "production.duckdb")
    monkeypatch.setenv("DBT_QUERY_TAG", "nightly")
    monkeypatch.setenv("DBT_THREADS", "2")
    warehouse = project.warehouse.model_copy(update={"production_engine": engine})
    warehouse.execute("CREATE SCHEMA raw", "CREATE TABLE raw.orders AS SELECT 41 AS id")

    project.file("profiles.yml", profiles(engine))
    project.file("transform/dbt_project.yml", "name: sample\nprofile: warehouse\n")
    tag = "current_setting('application_name')" if warehouse.engine.name == "postgres" else "'nightly'"
    project.file(
        "transform/models/next.sql",
        f"{{{{ config(materialized='table') }}}} select id + 1 as id, {tag} as tag from raw.orders",
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "run", "--profiles-dir", str(project.root), "--no-use-colors"],
        cwd=project.root / "transform",
        env={**os.environ, **subprocess_environment(project.root), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Concurrency: 2 threads" in done.stdout
    assert warehouse.query("SELECT id, tag FROM next").rows == [(42, "nightly")]
