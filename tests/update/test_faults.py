"""An update that is killed, cut short or hindered loses nothing, and the documented command brings the project back."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.update.worlds import HOOKS, Project, TemplateRepository, commit, figure, git, write

LINES = "".join(f"line {n}\n" for n in range(1, 20))
MOMENTS = 25
RECOVERY = "git checkout --force main && git clean -fd"
LAST_STEP = textwrap.dedent("""\
    import os, pathlib, signal, sys
    sys.path.insert(0, sys.argv[1])
    import update, update_merge
    root, target, stop_at = pathlib.Path.cwd(), sys.argv[2], int(sys.argv[3])
    before, after = (update_merge.entries(root, tree) for tree in ("HEAD", target))
    outcome = update.Outcome("v1", "v2", before, after)
    outcome.stages = {"f0.txt": {2: before["f0.txt"], 3: after["f0.txt"]}}
    real, count = update.git, 0

    def counted(*words, **options):
        global count
        if count == stop_at:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        return real(*words, **options)

    update.git = counted
    print("ready", flush=True)
    update.bring_in(update.Project(root, update_merge.git(root, "rev-parse", "HEAD"), "main"), outcome, "update/v2")
    print(count)
""")


def recovered(project: Project, before: dict[str, bytes]) -> bool:
    """Whether the documented recovery command makes everything what it was."""
    subprocess.run(RECOVERY, shell=True, cwd=project.path, check=True, capture_output=True)
    clean = git(project.path, "status", "--porcelain", "--branch", "--untracked-files=all") == "## main"
    return clean and project.files() == before


@pytest.fixture
def large(tmp_path: Path) -> tuple[Project, str]:
    """A repository of many files, and a commit to which its last step can bring it."""
    path = tmp_path / "large"
    path.mkdir()
    git(path, "init", "--quiet")
    write(path, {f"f{n}.txt": f"{n}\n" for n in range(600)} | {".gitignore": "*.local\n"})
    start = commit(path, "start")
    write(path, {f"f{n}.txt": f"{n}\nmore\n" for n in range(0, 600, 2)} | {f"new/g{n}.txt": "\n" for n in range(300)})
    write(path, {"f599.txt": None})
    target = commit(path, "target")
    git(path, "reset", "--quiet", "--hard", start)
    write(path, {"mine.local": "ignored\n"})
    return Project(path), target


def last_step(target: str, stop_at: int = -1) -> list[str]:
    return [sys.executable, "-c", LAST_STEP, str(HOOKS), target, str(stop_at)]


def test_a_kill_between_any_two_commands_of_the_last_step_is_survived(large: tuple[Project, str]) -> None:
    project, target = large
    before, steps = project.files(), 0
    while subprocess.run(last_step(target, steps), cwd=project.path, check=False).returncode == -signal.SIGKILL:
        assert recovered(project, before), f"killed before command {steps}"
        figure("kills survived")
        steps += 1
    assert steps >= 10
    assert (
        git(project.path, "status", "--porcelain", "f0.txt", "f2.txt", "f599.txt")
        == "AA f0.txt\nM  f2.txt\nD  f599.txt"
    )
    assert recovered(project, before)


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.e2e)])
def test_a_kill_in_the_middle_of_writing_is_survived(large: tuple[Project, str], kills: int) -> None:
    project, target = large
    before = project.files()
    start = time.monotonic()
    subprocess.run(last_step(target), cwd=project.path, check=True, capture_output=True)
    length = time.monotonic() - start
    assert recovered(project, before)
    half_done = 0
    for n in range(kills):
        process = subprocess.Popen(
            last_step(target), cwd=project.path, stdout=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(length * (0.3 + 0.7 * n / kills))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        half_done += bool(git(project.path, "status", "--porcelain"))
        assert recovered(project, before), f"kill {n} of {kills}"
        figure("kills survived")
    assert half_done, "no kill came while files were written: the moments are badly chosen"
    subprocess.run(last_step(target), cwd=project.path, check=True, capture_output=True)
    assert git(project.path, "status", "--porcelain", "f2.txt") == "M  f2.txt"


def merged_once(template: TemplateRepository, folder: Path) -> Project:
    """An edited project for which there is an update that adds, changes and removes files."""
    template.release("v1.0.0", {"a.txt": LINES, "gone.txt": LINES, ".gitignore.jinja": "*.local\n"})
    project = template.project(folder / "project", "v1.0.0")
    project.edit({"a.txt": "mine\n" + LINES, "own.txt": "own\n"})
    write(project.path, {"mine.local": "ignored\n", "made.local": "ignored too\n"})
    changed = {"a.txt": LINES + "theirs\n", "gone.txt": None, "new.txt": "new\n", "made.local": "theirs\n"}
    template.release("v2.0.0", {**changed, "filtered.txt": "x\n"})
    return project


@pytest.mark.e2e
def test_a_kill_at_any_moment_of_an_update_is_survived(tmp_path: Path, template_repository: TemplateRepository) -> None:
    project = merged_once(template_repository, tmp_path)
    before, commits = project.files(), git(project.path, "rev-parse", "HEAD")
    timed = project.copied_to(tmp_path / "timed")
    start = time.monotonic()
    assert timed.update().returncode == 0
    length = time.monotonic() - start
    survived = 0
    while survived < MOMENTS:
        start = time.monotonic()
        if project.killed_update(length * (survived + 1) / (MOMENTS + 1)):
            survived += 1
            figure("kills survived")
        else:  # this one was quicker than the one that was timed
            length = min(length, time.monotonic() - start)
        assert recovered(project, before), f"kill {survived} of {MOMENTS}"
        assert git(project.path, "rev-parse", "HEAD") == commits
    assert project.update().returncode == 0
    assert project.files() == timed.files()


def test_a_write_that_fails_puts_everything_back(tmp_path: Path, template_repository: TemplateRepository) -> None:
    project = merged_once(template_repository, tmp_path)
    (project.path / ".git/info/attributes").write_text("filtered.txt filter=broken\n")
    git(project.path, "config", "filter.broken.smudge", "false")
    git(project.path, "config", "filter.broken.required", "true")
    before = project.files()
    done = project.update()
    assert done.returncode == 2
    assert "smudge filter broken failed" in done.stderr
    assert project.files() == before
    assert git(project.path, "status", "--porcelain", "--branch") == "## main"


@pytest.mark.e2e
def test_a_linked_work_tree_of_a_shallow_clone_with_a_read_only_file_is_updated_even_from_a_git_hook(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    origin = merged_once(template_repository, tmp_path)
    git(tmp_path, "clone", "--quiet", "--depth=1", origin.path.as_uri(), "shallow")
    git(tmp_path / "shallow", "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    project = Project(tmp_path / "linked")
    (project.path / "a.txt").chmod(0o444)
    done = project.update(GIT_DIR=str(tmp_path / "nowhere"), GIT_INDEX_FILE=str(tmp_path / "no-index"))
    assert (done.returncode, done.stderr) == (0, "")
    assert project.read("a.txt").decode() == "mine\n" + LINES + "theirs\n"
    assert git(project.path, "status", "--porcelain", "gone.txt", "new.txt") == "D  gone.txt\nA  new.txt"
    assert git(tmp_path / "shallow", "symbolic-ref", "--short", "HEAD") == "main"
