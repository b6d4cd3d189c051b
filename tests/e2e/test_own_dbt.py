"""A dbt project of one's own, from a folder and from a git repository, on the platform with no Python written."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Project, installed
from tests.e2e.own_dbt import commit, write_dbt_project


def defs_yaml(project: Project) -> Path:
    [path] = (project.path / "src").glob("*/defs/transform/defs.yaml")
    return path


@pytest.fixture(scope="module")
def from_folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("folder")
    write_dbt_project(folder / "shop_dbt")
    return installed(template, folder / "platform", {"dbt_project": "../shop_dbt"})


def test_a_folder_is_on_the_platform_in_a_few_lines_of_yaml(from_folder: Project):
    lines = [line for line in defs_yaml(from_folder).read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 8

    from_folder.launch()
    assert from_folder.query("select * from main.customers order by customer") == [("ann", 15), ("bob", 20)]


def test_its_models_and_tests_are_assets_and_checks(from_folder: Project):
    listed = from_folder.run("dg", "list", "defs").stdout
    assert "shop/stg_orders" in listed
    assert "shop/customers" in listed
    assert "unique_customers_customer" in listed


def test_the_projects_own_tests_pass_with_it(from_folder: Project):
    assert " passed" in from_folder.run("pytest").stdout


def test_a_model_without_a_description_is_named_by_the_policy(from_folder: Project):
    done = from_folder.run("dg", "check", "defs")
    said = done.stdout + done.stderr
    assert "shop/stg_orders" in said
    assert "description" in said
    assert "stg_orders.sql" in said


def test_a_repository_is_fetched_by_one_command_and_then_runs(template: Path, tmp_path: Path):
    repository = commit(write_dbt_project(tmp_path / "repository" / "transform").parent)
    answers = {"dbt_project": repository.as_uri(), "dbt_subfolder": "transform"}
    project = installed(template, tmp_path / "platform", answers)

    before = project.run("dg", "check", "defs", check=False)
    assert before.returncode != 0
    assert "dg utils refresh-defs-state" in before.stdout + before.stderr

    project.run("dg", "utils", "refresh-defs-state")
    project.launch()
    assert project.query("select count(*) from main.customers") == [(2,)]


def test_a_folder_without_a_dbt_project_is_one_clear_message(template: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    project = installed(template, tmp_path / "platform", {"dbt_project": "../empty"})
    done = project.run("dg", "check", "defs", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "dbt_project.yml" in said
    assert "defs.yaml" in said
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_repository_that_is_not_there_is_one_clear_message(template: Path, tmp_path: Path):
    project = installed(template, tmp_path / "platform", {"dbt_project": (tmp_path / "nowhere.git").as_uri()})
    done = project.run("dg", "utils", "refresh-defs-state", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "nowhere.git" in said
    assert [path.name for path in project.path.glob(".dbt_projects/*") if path.name != ".gitignore"] == []
