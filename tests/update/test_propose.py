"""The scheduled job of a generated project: an update as a pull or merge request, tested before it is opened."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.update.worlds import HOOKS, Project, TemplateRepository, git, write

pytestmark = pytest.mark.e2e

LINES = "".join(f"line {n}\n" for n in range(1, 20))
CHANGELOG = """\
# Changelog

## 1.2.0

### Every kind

- **adds** b.txt.

### other

- not for this project.

## 1.1.0

### starter

- **changes** line 1 of a.txt.

## 1.0.0

### starter

- the first.
"""
RECORD = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$RECORD"
for word in "$@"; do case "$word" in */body.md) cp "$word" "$RECORD.body";; esac; done
{answer}
"""


@pytest.fixture
def world(tmp_path: Path) -> tuple[TemplateRepository, Project, dict[str, str]]:
    """A project of version 1.0.0 with a remote, and a PATH whose gh and uv write down what they are asked."""
    template = TemplateRepository.create(tmp_path / "template")
    script = (HOOKS / "propose_update.py").read_text()
    template.release(
        "v1.0.0", {"a.txt": LINES, "tools/propose_update.py": script, "tools/changelog.md": "# Changelog\n"}
    )
    project = template.project(tmp_path / "project", "v1.0.0")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tmp_path / "remote.git", "config", "receive.advertisePushOptions", "true")
    git(project.path, "remote", "add", "origin", str(tmp_path / "remote.git"))
    shims = tmp_path / "shims"
    answers = {"uv": 'case "$*" in *"$FAILING"*) echo "one test failed"; exit 1;; esac', "gh": 'test "$2" != view'}
    write(shims, {name: RECORD.format(answer=answer) for name, answer in answers.items()})
    for shim in shims.iterdir():
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    environment = {
        "PATH": os.pathsep.join([str(shims), os.environ["PATH"]]),
        "RECORD": str(tmp_path / "record"),
        "FAILING": "nothing fails",
    }
    return template, project, environment


def newer(template: TemplateRepository) -> None:
    template.release("v1.2.0", {"a.txt": "new " + LINES, "b.txt": "b\n", "tools/changelog.md": CHANGELOG})


def propose(project: Project, environment: dict[str, str], host: str = "github") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "tools/propose_update.py", host]
    return subprocess.run(
        command, cwd=project.path, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def recorded(environment: dict[str, str]) -> list[str]:
    path = Path(environment["RECORD"])
    return path.read_text().splitlines() if path.is_file() else []


def pushed(project: Project) -> list[str]:
    return git(project.path, "ls-remote", "--heads", "origin").split()[1::2]


def test_without_a_newer_release_nothing_is_proposed(world: tuple[TemplateRepository, Project, dict[str, str]]):
    _, project, environment = world
    done = propose(project, environment)
    assert done.returncode == 0, done.stderr
    assert "newest release" in done.stdout
    assert recorded(environment) == []


def test_a_newer_release_is_tested_pushed_and_opened_with_its_changelog(
    world: tuple[TemplateRepository, Project, dict[str, str]],
):
    template, project, environment = world
    newer(template)
    done = propose(project, environment)
    assert done.returncode == 0, done.stderr
    checks = [line for line in recorded(environment) if line.startswith("uv ")]
    assert [check.split()[-1] for check in checks] == ["--quiet", "refresh-defs-state", "defs", "pytest"]
    assert pushed(project) == ["refs/heads/update/dagwright-v1.2.0"]
    body = Path(environment["RECORD"] + ".body").read_text()
    assert "checks and tests pass" in body
    assert "- **adds** b.txt." in body
    assert "- **changes** line 1 of a.txt." in body
    assert "not for this project" not in body
    assert "the first" not in body
    [create] = [line for line in recorded(environment) if line.startswith("gh pr create")]
    assert "--head update/dagwright-v1.2.0" in create
    assert "from v1.0.0 to v1.2.0" in create


def test_failing_tests_stand_in_the_request_and_in_the_exit_code(
    world: tuple[TemplateRepository, Project, dict[str, str]],
):
    template, project, environment = world
    newer(template)
    done = propose(project, environment | {"FAILING": "pytest"})
    assert done.returncode == 1, done.stderr
    body = Path(environment["RECORD"] + ".body").read_text()
    assert "`uv run pytest` fails" in body
    assert "one test failed" in body
    assert pushed(project) == ["refs/heads/update/dagwright-v1.2.0"]


def test_a_conflict_is_not_proposed_but_told(world: tuple[TemplateRepository, Project, dict[str, str]]):
    template, project, environment = world
    project.edit({"a.txt": "mine " + LINES})
    newer(template)
    done = propose(project, environment)
    assert done.returncode == 2
    assert "a.txt" in done.stdout
    assert "python3 tools/update.py" in done.stderr
    assert pushed(project) == []
    assert [line for line in recorded(environment) if line.startswith("gh")] == []


def test_on_gitlab_the_push_itself_opens_the_request(world: tuple[TemplateRepository, Project, dict[str, str]]):
    template, project, environment = world
    newer(template)
    hook = Path(git(project.path, "remote", "get-url", "origin")) / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ > "$RECORD.options"\n')
    hook.chmod(0o755)
    done = propose(project, environment, "gitlab")
    assert done.returncode == 0, done.stderr
    options = Path(environment["RECORD"] + ".options").read_text()
    assert "merge_request.create" in options
    assert "adds** b.txt" in options
    assert pushed(project) == ["refs/heads/update/dagwright-v1.2.0"]


def test_a_template_that_cannot_be_reached_is_told(world: tuple[TemplateRepository, Project, dict[str, str]]):
    template, project, environment = world
    template.path.rename(template.path.with_name("gone"))
    done = propose(project, environment)
    assert done.returncode == 2
    assert "could not be asked" in done.stderr
