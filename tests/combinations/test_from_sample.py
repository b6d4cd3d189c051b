"""From the sample to one's own, part by part: the YAML is right and the platform loads after each command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.combinations.loading import forget, loaded
from tests.combinations.test_combinations import mistakes
from tests.rendering import render


def git(project: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)


def replace(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/from_sample.py", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env={**os.environ})


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A committed project beside a dbt project of one's own, with a file that landed."""
    made = render(template, tmp_path / "project")
    git(made, "init", "-q")
    git(made, "add", "-A")
    git(made, "commit", "-qm", "start")
    (made / "data" / "landing").mkdir(parents=True)
    (made / "data" / "landing" / "orders.csv").write_text("order_id,amount\n1,20\n2,30\n")
    shop = tmp_path / "shop"
    (shop / "models").mkdir(parents=True)
    (shop / "dbt_project.yml").write_text("name: shop\nprofile: warehouse\nmodels: {shop: {+schema: marts}}\n")
    (shop / "models" / "sales.sql").write_text("select sum(amount) as amount from {{ source('raw', 'orders') }}\n")
    (shop / "models" / "shop.yml").write_text(
        "sources: [{name: raw, schema: raw, tables: [{name: orders}]}]\n"
        "models: [{name: sales, description: One row of sales.}]\n"
    )
    return made


@pytest.mark.e2e
def test_every_part_is_replaced_by_one_command_and_the_platform_loads_after_each(
    project: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")
    monkeypatch.setenv("WAREHOUSE_TARGET", "local")
    expected = {
        ("source", "data/landing"): {"raw/orders", "raw/flights", "marts/fct_flights", "dashboards/flights"},
        ("dashboard", "raw/orders"): {"raw/orders", "raw/flights", "marts/fct_flights", "dashboards/orders"},
        ("dbt", "../shop"): {"raw/orders", "marts/sales", "dashboards/orders"},
    }
    gone = {"dashboards/flights", "activation/delay_watchlist"}
    for command, keys in expected.items():
        done = replace(project, *command)
        assert done.returncode == 0, done.stderr
        assert mistakes(project) == []
        definitions = loaded(project, monkeypatch)
        there = {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()}
        assert keys <= there
        assert not (there & gone) or command[0] == "source"
    assert {key.split("/")[0] for key in there} == {"raw", "marts", "dashboards"}
    assert not (project / "transform").exists()
    forget()


def test_work_that_git_has_not_is_never_removed(project: Path):
    edited = next(project.glob("src/*/defs/dashboards/flights/defs.yaml"))
    edited.write_text(edited.read_text() + "# mine\n")
    done = replace(project, "dashboard", "raw/orders")
    assert done.returncode != 0
    assert "has changes that git has not: commit first" in done.stderr
    assert edited.read_text().endswith("# mine\n")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["source", "data/nothing"], "data/nothing holds no file that ends in .csv"),
        (["dashboard", "orders"], "'orders' is no table: write schema/table"),
        (["dbt", "../nothing"], "../nothing holds no dbt_project.yml"),
        (["coffee", "now"], "uv run python tools/from_sample.py source data/landing"),
    ],
)
def test_what_cannot_be_replaced_is_named(project: Path, command: list[str], told: str):
    before = sorted(project.rglob("*.yaml"))
    done = replace(project, *command)
    assert done.returncode != 0
    assert told in done.stderr
    assert sorted(project.rglob("*.yaml")) == before
