"""Projects that were not made by dagwright become ones that it updates, and keep every line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.update.releases import PRESENT, template_of_releases
from tests.update.worlds import HOOKS, Project, commit, figure, git, write

pytestmark = pytest.mark.e2e

CREATE = ["uvx", "--from", "create-dagster==1.13.27", "create-dagster", "project", "--no-uv-sync"]
ASSET = '''\
"""Our orders."""

import dagster as dg


@dg.asset(key=["sales", "orders"])
def orders() -> int:
    """How many orders there are."""
    return 7
'''
OURS = '    "dagster==1.13.27",\n    "rich>=13",  # our own dependency\n'


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template_of_releases(tmp_path_factory.mktemp("releases") / "dagwright")


@pytest.fixture(scope="module")
def by_create_dagster(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of create-dagster with an asset and a dependency of its own, in git."""
    folder = tmp_path_factory.mktemp("made")
    subprocess.run([*CREATE, "my-project"], cwd=folder, check=True, capture_output=True)
    project = Project(folder / "my-project")
    settings = project.read("pyproject.toml").decode()
    write(
        project.path,
        {
            "src/my_project/defs/sales/assets.py": ASSET,
            "pyproject.toml": settings.replace('    "dagster==1.13.27",\n', OURS),
            "README.md": "# Our project\n\nWritten by us.\n",
            "notes.bin": b"\0\1\2",
        },
    )
    git(project.path, "init", "--quiet")
    commit(project.path, "ours")
    return project


def adopt(project: Project, template: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(HOOKS / "adopt.py"), str(project.path), "--template", str(template)]
    command += ["--data", "kind=modern-data", "--data", "project_name=My Project", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(project: Project, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return subprocess.run(command, cwd=project.path, env=environment, capture_output=True, text=True, check=False)


def lines_of(content: bytes) -> set[bytes]:
    return {line for line in content.splitlines() if line.strip()}


@pytest.fixture(scope="module")
def adopted(
    by_create_dagster: Project, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, str]:
    project = by_create_dagster.copied_to(tmp_path_factory.mktemp("adopted") / "my-project")
    done = adopt(project, template)
    assert done.returncode == 1, done.stdout + done.stderr
    return project, done.stdout


def test_every_line_of_the_project_is_still_there(adopted: tuple[Project, str], by_create_dagster: Project):
    project, _ = adopted
    after = project.files()
    for name, content in by_create_dagster.files().items():
        assert lines_of(content) <= lines_of(after[name]), name
    assert after["notes.bin"] == b"\0\1\2"


def test_what_both_say_is_left_to_a_person_and_git_knows(adopted: tuple[Project, str]):
    project, said = adopted
    conflicts = git(project.path, "diff", "--name-only", "--diff-filter=U").split()
    assert conflicts == ["README.md", "pyproject.toml", "src/my_project/definitions.py"]
    assert said.split("For you to settle")[1].split("You are on")[0].split()[-3:] == conflicts
    assert "src/my_project/components/ (" in said
    assert git(project.path, "symbolic-ref", "--short", "HEAD") == f"adopt/dagwright-{PRESENT}"


def test_lists_of_ignored_files_hold_both_sides(adopted: tuple[Project, str], by_create_dagster: Project):
    project, _ = adopted
    ignored = project.read(".gitignore")
    assert b"<<<<<<<" not in ignored
    assert {b"/data/", b"/.dagster/"} | lines_of(by_create_dagster.read(".gitignore")) <= lines_of(ignored)


def test_the_printed_undo_brings_everything_back(
    adopted: tuple[Project, str], by_create_dagster: Project, tmp_path: Path
):
    project, said = adopted
    again = project.copied_to(tmp_path / "again")
    [undo] = [line.partition("instead: ")[2] for line in said.splitlines() if "To undo it" in line]
    subprocess.run(undo, shell=True, cwd=again.path, check=True, capture_output=True)
    assert again.files() == by_create_dagster.files()


def test_once_settled_it_loads_with_its_own_asset_and_is_updated_like_any_other(
    adopted: tuple[Project, str], template: Path, tmp_path: Path
):
    project = adopted[0].copied_to(tmp_path / "my-project")
    git(project.path, "checkout", "--quiet", "--theirs", "pyproject.toml", "src/my_project/definitions.py")
    git(project.path, "checkout", "--quiet", "--ours", "README.md")
    settings = project.read("pyproject.toml").decode().replace('    "dagster==1.13.27",\n', OURS)
    policy = project.read("policy.yaml").decode().replace("mode: error", "mode: warn")
    write(project.path, {"pyproject.toml": settings, "policy.yaml": policy})
    commit(project.path, "Adopt dagwright")

    synced = run(project, "uv", "sync", "--quiet")
    assert synced.returncode == 0, synced.stderr
    listed = run(project, "uv", "run", "dg", "list", "defs", "--json")
    assert "sales/orders" in listed.stdout, listed.stdout + listed.stderr
    assert "marts/fct_flights" in listed.stdout
    git(project.path, "add", "uv.lock")
    git(project.path, "commit", "--quiet", "--message", "lock")

    changed = template.with_name("next")
    subprocess.run(["git", "clone", "--quiet", str(template), str(changed)], check=True)
    script = changed / "templates" / "modern-data" / "dagster.yaml"
    script.write_text("# Settings, as of the next release.\n" + script.read_text())
    commit(changed, "next")
    git(changed, "tag", "v10000")
    answers = project.read(".copier-answers.yml").replace(os.fsencode(str(template)), os.fsencode(str(changed)))
    project.edit({".copier-answers.yml": answers})
    done = project.update()
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.read("dagster.yaml").startswith(b"# Settings, as of the next release.\n")
    assert project.read("README.md") == b"# Our project\n\nWritten by us.\n"
    assert "our own dependency" in project.read("pyproject.toml").decode()
    figure("projects adopted and then updated")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: (path / "new.txt").write_text("x"), "new.txt"),
        (lambda path: (path / ".copier-answers.yml").write_text("x"), "dagwright's already"),
    ],
)
def test_a_project_that_is_not_ready_is_refused_and_not_touched(
    by_create_dagster: Project, template: Path, tmp_path: Path, spoil, why: str
):
    project = by_create_dagster.copied_to(tmp_path / "copy")
    spoil(project.path)
    before = project.files()
    done = adopt(project, template)
    assert done.returncode == 2
    assert why in done.stderr
    assert project.files() == before


def test_a_wrong_answer_is_refused_and_nothing_is_touched(by_create_dagster: Project, template: Path, tmp_path: Path):
    project = by_create_dagster.copied_to(tmp_path / "copy")
    done = adopt(project, template, "--data", "owner=nobody")
    assert done.returncode == 2
    assert "team:analytics" in done.stderr
    assert project.files() == by_create_dagster.files()
