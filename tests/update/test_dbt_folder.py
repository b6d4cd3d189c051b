"""The folder of dbt_project.yml, which earlier releases asked for by itself, stays where a project has answered it."""

from pathlib import Path

import pytest
import yaml

from tests.payload.variants import GIT
from tests.update.releases import template_of_releases
from tests.update.test_matrix import FROM, made, updated

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template_of_releases(tmp_path_factory.mktemp("releases") / "dagwright")


@pytest.mark.parametrize("folder", ["transform/dbt", "."])
def test_an_answer_of_an_earlier_release_still_names_the_folder(template: Path, tmp_path: Path, folder: str):
    answers = {"kind": "modern-data", "dbt_project": GIT, "dbt_subfolder": folder}
    project = made(template, tmp_path / "project", FROM[0], answers)
    updated(project, answers)
    [file] = project.path.glob("src/*/defs/transform/defs.yaml")
    named = yaml.safe_load(file.read_text())["attributes"]["project"]
    assert (named["git"], named["subfolder"]) == (GIT, folder)
    kept = yaml.safe_load(project.read(".copier-answers.yml"))
    assert kept["dbt_project"] == GIT
    assert kept.get("dbt_subfolder", ".") == folder
    assert kept["sources"] == kept["tools"] == []
