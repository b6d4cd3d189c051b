"""What the update command refuses before it touches anything: one message, exit code 2."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.update.worlds import ANSWERS, Project, TemplateRepository, git, write

MARKERS = "<<<<<<< yours\na\n=======\nb\n>>>>>>> theirs\n"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project for which there is an update; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("refusals")
    template = TemplateRepository.create(folder / "template")
    template.release("v1.0.0", {"a.txt": "one\n"})
    project = template.project(folder / "project", "v1.0.0")
    template.release("v1.1.0", {"a.txt": "two\n"})
    return project


def merging(path: Path) -> None:
    git(path, "checkout", "--quiet", "-b", "side")
    Project(path).edit({"a.txt": "side\n"})
    git(path, "checkout", "--quiet", "main")
    Project(path).edit({"a.txt": "main\n"})
    git(path, "merge", "side", ok=(1,))


def holding_other_work(path: Path) -> None:
    git(path, "checkout", "--quiet", "-b", "update/dagwright-v1.1.0")
    Project(path).edit({"a.txt": "other work\n"})
    git(path, "checkout", "--quiet", "main")


def answers(text: str) -> Callable[[Path], object]:
    return lambda path: Project(path).edit({ANSWERS: text})


def has_a_copier(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("copier", "uvx"))


NO_VERSION = "name: x\n_src_path: /t\n"
NO_YAML = "_commit: v1.0.0\n_src_path: '/t\n\tx: [\n"
MOVED = "_commit: v1.0.0\n_src_path: /nowhere/at/all\n"
CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed file": (lambda path: write(path, {"a.txt": "mine\n"}), "commit or stash them first:\n   M a.txt"),
    "a new file": (lambda path: write(path, {"x/new.txt": "mine\n"}), "commit or stash them first:\n  ?? x/new.txt"),
    "a merge under way": (merging, "MERGE_HEAD shows. Finish or abort it first"),
    "a lock": (lambda path: write(path, {".git/index.lock": ""}), "index.lock shows. Finish or abort it first"),
    "markers": (lambda path: Project(path).edit({"a.txt": MARKERS}), "of an earlier merge are still in:\n  a.txt"),
    "an answers file without a version": (answers(NO_VERSION), "as committed, lacks _commit. Find a good one"),
    "a damaged answers file": (answers("\0\1\2"), "as committed, lacks _commit and _src_path"),
    "answers that are no YAML": (answers(NO_YAML), "found unexpected end of stream"),
    "no answers file": (lambda path: (path / ANSWERS).unlink(), f"There is no {ANSWERS} in the folder of update.py"),
    "a branch with other work": (holding_other_work, "The branch update/dagwright-v1.1.0 exists already"),
    "a template that moved": (answers(MOVED), "release v1.0.0 of /nowhere/at/all, which cannot be made again"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_unsafe_project_is_refused_and_not_touched(original: Project, tmp_path: Path, case: str) -> None:
    damage, message = CASES[case]
    project = original.copied_to(tmp_path / "project")
    damage(project.path)
    files, state = project.files(), git(project.path, "status", "--porcelain", "--branch")
    done = project.update()
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert project.files() == files
    assert git(project.path, "status", "--porcelain", "--branch") == state


def test_a_git_that_does_not_know_the_user_is_told_so(original: Project, tmp_path: Path) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": "1"}
    only_configured = {"GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true"}
    done = original.copied_to(tmp_path / "project").update(**nobody, **only_configured)
    assert done.returncode == 2
    assert "set `git config user.name` and `git config user.email`" in done.stderr


def test_a_project_outside_git_is_told_how_to_get_in(original: Project, tmp_path: Path) -> None:
    project = original.copied_to(tmp_path / "project")
    (project.path / ".git").rename(tmp_path / "away")
    done = project.update(GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert done.returncode == 2
    assert "is not in a git repository with a commit" in done.stderr


def test_a_check_answers_for_the_last_commit_when_there_are_changes(original: Project, tmp_path: Path) -> None:
    project = original.copied_to(tmp_path / "project")
    write(project.path, {"a.txt": "mine\n", "new.txt": "mine\n"})
    done = project.update("--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "~ a.txt" in done.stdout
    assert project.read("a.txt") == b"mine\n"


def test_a_version_that_is_not_there_is_named_and_a_password_is_not(original: Project, tmp_path: Path) -> None:
    project = original.copied_to(tmp_path / "project")
    done = project.update("--to", "v9.9.9")
    assert done.returncode == 2
    assert "v9.9.9" in done.stderr
    project.edit({ANSWERS: "_commit: v1.0.0\n_src_path: git+http://ada:hunter2@localhost:1/template\nname: x\n"})
    done = project.update()
    assert done.returncode == 2
    assert "localhost:1/template" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_version_whose_tag_was_deleted_is_named(original: Project, tmp_path: Path) -> None:
    template = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", original.answers()["_src_path"], str(template))
    git(template, "tag", "--delete", "v1.0.0")
    project = original.copied_to(tmp_path / "project")
    project.edit({ANSWERS: f"_commit: v1.0.0\n_src_path: {template}\nkind: starter\nname: flights\n"})
    done = project.update()
    assert done.returncode == 2
    assert "v1.0.0" in done.stderr


def test_a_copier_of_another_major_version_is_passed_over(original: Project, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    tools = {
        "copier": "#!/bin/sh\necho copier 8.3.0\n",
        "uvx": f'#!/bin/sh\necho "$@" >> {tmp_path}/uvx-was-asked\nshift 3\nexec {sys.executable} -m copier "$@"\n',
    }
    write(bare / "tools", tools)
    for name in tools:
        (bare / "tools" / name).chmod(0o755)
    project = original.copied_to(tmp_path / "project")
    command = [str(bare / "bin/python"), "tools/update.py", "--to", "v9.9.9"]
    others = [folder for folder in os.environ["PATH"].split(os.pathsep) if not has_a_copier(Path(folder))]
    path = {"PATH": os.pathsep.join([str(bare / "tools"), *others])}
    done = subprocess.run(command, cwd=project.path, env=os.environ | path, capture_output=True, text=True, check=False)
    assert "v9.9.9" in done.stderr
    assert (tmp_path / "uvx-was-asked").read_text().startswith("--from copier>=9.18,<10 copier --version\n")

    (bare / "tools/uvx").unlink()
    done = subprocess.run(command, cwd=project.path, env=os.environ | path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Copier was not found. Install uv, or Copier itself" in done.stderr
