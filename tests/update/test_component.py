"""A component that joined a package is updated by itself, and what was written in it stays."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rendering import copy_template, render
from tests.update.worlds import commit, git

NAMES = {"sales-report": "SalesReportComponent", "row-count": "RowCountComponent"}
CLASS = "src/acme_components/own/sales_report_component.py"
TEMPLATE_CLASS = "templates/component/src/[= package =]/own/[= component_module =].py.jinja"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A template with two releases, and a package with two components of the first, committed."""
    template = copy_template(tmp_path_factory.mktemp("template") / "repository")
    git(template, "init", "--quiet", "--initial-branch=main")
    commit(template, "one")
    git(template, "tag", "v1.0.0")
    package = tmp_path_factory.mktemp("package") / "acme"
    answers = {"kind": "component-package", "families": ["notebooks"]}
    render(template, package, answers, vcs_ref="v1.0.0")
    for name, makes in zip(NAMES, ("python", "check"), strict=True):
        file = f".copier-answers.component-{name}.yml"
        render(template, package, {"kind": "component", "makes": makes}, answers_file=file, vcs_ref="v1.0.0")
    git(package, "init", "--quiet", "--initial-branch=main")

    changed = template / TEMPLATE_CLASS
    changed.write_text(
        changed.read_text().replace("A table of rows that Python makes, written as CSV.", "Rows as CSV.")
    )
    commit(template, "two")
    git(template, "tag", "v2.0.0")

    mine = package / CLASS
    mine.write_text(mine.read_text().replace('"square": number**2', '"cube": number**3'))
    (package / "examples" / "sales_report_component" / "use" / "defs.yaml").unlink()
    commit(package, "start")
    return template, package


@pytest.fixture
def package(world: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(world[1], tmp_path / "acme"))


def update(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/update.py", *arguments]
    return subprocess.run(command, cwd=package, capture_output=True, text=True)


def test_one_component_is_updated_and_edits_stay(package: Path):
    done = update(package, "--answers-file", ".copier-answers.component-sales-report.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    text = (package / CLASS).read_text()
    assert "Rows as CSV." in text
    assert '"cube": number**3' in text
    changed = set(git(package, "diff", "--name-only", "HEAD").splitlines())
    assert changed == {CLASS, ".copier-answers.component-sales-report.yml"}


def test_a_seeded_example_that_was_deleted_stays_away(package: Path):
    update(package, "--answers-file", ".copier-answers.component-sales-report.yml")
    assert not (package / "examples" / "sales_report_component" / "use" / "defs.yaml").exists()


def test_copiers_own_update_works_too(package: Path):
    command = [sys.executable, "-m", "copier", "update", "--defaults", "--quiet"]
    command += ["-a", ".copier-answers.component-sales-report.yml"]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = (package / CLASS).read_text()
    assert "Rows as CSV." in text
    assert '"cube": number**3' in text


def test_a_check_changes_nothing(package: Path):
    done = update(package, "--check", "--answers-file", ".copier-answers.component-sales-report.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert CLASS in done.stdout
    assert git(package, "status", "--porcelain") == ""


def test_an_answers_file_that_is_not_there_is_named(package: Path):
    done = update(package, "--answers-file", ".copier-answers.component-nothing.yml")
    assert done.returncode == 2
    assert ".copier-answers.component-nothing.yml" in done.stderr


def test_an_answer_of_another_kind_is_refused(package: Path):
    done = update(package, "--answers-file", ".copier-answers.component-row-count.yml", "--data", "kind=modern-data")
    assert done.returncode == 2
    assert "stays so" in done.stderr
