"""What the update command of a generated project makes of it."""

import os
from pathlib import Path

import pytest

from tests.update.worlds import ANSWERS, COLOURS, Project, TemplateRepository, git, write

LINES = "".join(f"line {n}\n" for n in range(1, 20))
COLOUR = COLOURS.format(default="red", choices="red, green")
BY_COLOUR = "_exclude:\n  - \"[% if colour != 'red' %]red.txt[% endif %]\"\n" + COLOUR
RENAME_KEY = """\
import pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("defs.yaml"):
    path.write_text(path.read_text().replace("old_key:", "new_key:"))
"""
WITH_RUAMEL = """\
# /// script
# dependencies = ["ruamel.yaml>=0.18"]
# ///
import pathlib, sys
from ruamel.yaml import YAML

yaml = YAML()
yaml.preserve_quotes = True
for path in pathlib.Path(sys.argv[1]).rglob("defs.yaml"):
    data = yaml.load(path)
    if "cron" in data["attributes"]:
        at = list(data["attributes"]).index("cron")
        comment = data["attributes"].ca.items.pop("cron")
        data["attributes"].insert(at, "when", data["attributes"].pop("cron"))
        data["attributes"].ca.items["when"] = comment
        yaml.dump(data, path)
"""


def fresh(template: TemplateRepository, folder: Path, version: str, answers: dict[str, str]) -> dict[str, bytes]:
    """The files of a new copy."""
    return template.project(folder, version, answers).files()


def test_an_untouched_project_becomes_a_fresh_copy_and_the_next_update_changes_nothing(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    template_repository.release("v1.0.0", {"a.txt": LINES, "gone.txt": LINES, "name.txt.jinja": "[= name =]\n"})
    project = template_repository.project(tmp_path / "project", "v1.0.0", {"name": "mine"})
    start = git(project.path, "rev-parse", "HEAD")
    hook = project.path / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\ntouch hook-was-here\n")
    hook.chmod(0o755)
    template_repository.release("v1.1.0", {"a.txt": "changed\n" + LINES, "gone.txt": None, "new/b.txt": "b\n"})

    before = project.files()
    check = project.update("--check")
    assert (check.returncode, check.stderr) == (0, "")
    assert (
        "dagwright v1.0.0 to v1.1.0:\n  ~ .copier-answers.yml\n  ~ a.txt\n  - gone.txt\n  + new/b.txt\n" in check.stdout
    )
    assert project.files() == before
    assert git(project.path, "for-each-ref", "--format=%(refname)") == "refs/heads/main"

    done = project.update()
    assert (done.returncode, done.stderr) == (0, "")
    assert project.files() == fresh(template_repository, tmp_path / "fresh", "v1.1.0", {"name": "mine"})
    assert git(project.path, "symbolic-ref", "HEAD") == "refs/heads/update/dagwright-v1.1.0"
    assert git(project.path, "rev-parse", "HEAD", "main").split() == [start, start]
    assert git(project.path, "diff") == ""
    assert "git checkout --force main && git branch -D update/dagwright-v1.1.0" in done.stdout

    git(project.path, "commit", "--quiet", "--message", "update")
    again = project.update()
    assert (again.returncode, again.stdout) == (0, "This project is up to date with dagwright v1.1.0.\n")
    assert git(project.path, "status", "--porcelain") == ""


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, bytes], str]:
    """An edited project in a folder of a larger repository, updated; its files before, and the report."""
    folder = tmp_path_factory.mktemp("edited")
    template = TemplateRepository.create(folder / "template")
    files = {"seeded": "seed\n", "a.txt": LINES, "unwanted.txt": LINES, "defs.yaml": "old_key: 1\n" + LINES}
    template.release("v1.0.0", {**files, "seeded-too.txt": "s\n"}, "_skip_if_exists: [seeded-too.txt]\n")
    top = folder / "repository"
    write(top, {"README.md": LINES, "copy-of-unwanted.txt": LINES})
    project = template.project(top / "teams/data", "v1.0.0", top=top)
    git(top, "add", "--all")
    project.edit(
        {
            "a.txt": LINES.replace("line 3\n", "line 3\nmine\n"),
            "seeded": "my seed\n",
            "unwanted.txt": None,
            "crlf.txt": "one\r\ntwo\r\n",
            "binary.bin": b"\0\1\2",
            "mine/defs.yaml": "old_key: 2  # mine\n",
            os.fsdecode(b"caf\xe9 'quoted'.txt"): "odd name\n",
        },
    )
    (project.path / "link").symlink_to("a.txt")
    (project.path / "crlf.txt").chmod(0o755)
    project.edit({})
    template.release(
        "v2.0.0",
        {
            "seeded": "new seed\n",
            "seeded-too.txt": "new\n",
            "a.txt": LINES + "theirs\n",
            "unwanted.txt": LINES + "improved\n",
            "defs.yaml": "new_key: 1\n" + LINES,
            "tools/migrations/v0_9_0_too_old.py": "raise SystemExit('too old')\n",
            "tools/migrations/v2_0_0_rename_key.py": RENAME_KEY,
        },
        "_skip_if_exists: [seeded-too.txt]\n",
    )
    before = Project(top).files()
    done = project.update()
    assert (done.returncode, done.stderr) == (0, "")
    return project, before, done.stdout


def test_edits_of_both_sides_are_merged(edited: tuple[Project, dict[str, bytes], str]) -> None:
    project, _, _ = edited
    assert project.read("a.txt").decode() == LINES.replace("line 3\n", "line 3\nmine\n") + "theirs\n"


def test_files_that_are_the_users_stay_as_they_are_in_the_whole_repository(
    edited: tuple[Project, dict[str, bytes], str],
) -> None:
    project, before, _ = edited
    after = Project(project.path.parents[1]).files()
    touched = {f"teams/data/{name}" for name in (ANSWERS, "a.txt", "defs.yaml", "mine/defs.yaml")}
    added = {f"teams/data/tools/migrations/{name}.py" for name in ("v0_9_0_too_old", "v2_0_0_rename_key")}
    assert {name for name in after if after[name] != before.get(name)} == touched | added
    assert before.keys() - after.keys() == set()
    assert os.access(project.path / "crlf.txt", os.X_OK)
    assert (project.path / "link").is_symlink()


def test_a_deleted_file_stays_deleted_and_its_improvement_is_named(
    edited: tuple[Project, dict[str, bytes], str],
) -> None:
    project, _, said = edited
    assert not project.has("unwanted.txt")
    command = next(line for line in said.splitlines() if "unwanted.txt: you deleted" in line).rpartition("part: ")[2]
    assert "+improved" in git(project.path, *command.split()[1:])


def test_a_migration_lifts_the_users_files_and_only_a_due_one_runs(
    edited: tuple[Project, dict[str, bytes], str],
) -> None:
    project, _, said = edited
    assert project.read("mine/defs.yaml") == b"new_key: 2  # mine\n"
    assert project.read("defs.yaml").decode() == "new_key: 1\n" + LINES
    assert "The migration v2_0_0_rename_key.py ran." in said
    assert "too_old" not in said.partition("Good to know:")[2]


@pytest.mark.parametrize("mine", ["", "my_key: 2\n"])
def test_a_migration_lifts_a_seeded_file_which_the_new_release_does_not_render(
    tmp_path: Path, template_repository: TemplateRepository, mine: str
) -> None:
    template_repository.release("v1.0.0", {"seeded/defs.yaml": "old_key: 1\n" + LINES})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    project.edit({"seeded/defs.yaml": "old_key: 1\n" + LINES + mine})
    template_repository.release("v2.0.0", {"tools/migrations/v2_0_0_rename_key.py": RENAME_KEY})
    done = project.update()
    assert (done.returncode, done.stderr) == (0, "")
    assert project.read("seeded/defs.yaml").decode() == "new_key: 1\n" + LINES + mine


def test_a_migration_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    template_repository.release("v1.0.0", {"a.txt": LINES})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    fails = "raise SystemExit('defs/x.yaml: the key owner is missing')\n"
    template_repository.release("v2.0.0", {"a.txt": "new\n", "tools/migrations/v2_0_0_strict.py": fails})
    before = project.files()
    done = project.update()
    assert done.returncode == 2
    assert "v2_0_0_strict.py" in done.stderr
    assert "defs/x.yaml: the key owner is missing" in done.stderr
    assert project.files() == before
    assert git(project.path, "status", "--porcelain", "--branch") == "## main"


def test_changed_answers_add_and_remove_exactly_their_files(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    files = {"red.txt": "red\n", "a.txt.jinja": "[= colour =]\n" + LINES}
    template_repository.release("v1.0.0", files, BY_COLOUR)
    project = template_repository.project(tmp_path / "project", "v1.0.0", {"colour": "red"})
    template_repository.release("v1.1.0", {"a.txt.jinja": "the [= colour =]\n" + LINES}, BY_COLOUR)
    template_repository.release("v1.2.0", {"a.txt.jinja": "too new\n"}, BY_COLOUR)
    done = project.update("--to", "v1.1.0", "--data", "colour=green")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.files() == fresh(template_repository, tmp_path / "fresh", "v1.1.0", {"colour": "green"})
    assert not project.has("red.txt")


def test_an_answer_to_no_question_is_refused(tmp_path: Path, template_repository: TemplateRepository) -> None:
    template_repository.release("v1.0.0", {"a.txt": LINES})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    done = project.update("--data", "nmae=x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No question is named nmae; there are kind, name." in done.stderr


@pytest.mark.e2e
def test_edits_of_a_file_that_moves_onto_a_binary_of_the_user_stay_in_the_tree(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    template_repository.release("v1.0.0", {"a.txt": LINES})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    project.edit({"a.txt": LINES + "mine\n", "taken.txt": b"\0my binary"})
    template_repository.release("v2.0.0", {"a.txt": None, "taken.txt": LINES})
    done = project.update()
    assert done.returncode == 1
    assert "also in taken.txt~v2.0.0" in done.stdout
    assert project.read("taken.txt") == b"\0my binary"
    assert project.read("taken.txt~v2.0.0").decode() == LINES + "mine\n"


@pytest.mark.e2e
def test_an_ignored_file_where_an_edited_one_would_go_is_refused(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    template_repository.release("v1.0.0", {"a.txt": LINES, ".gitignore.jinja": "*.local\n"})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    project.edit({"a.txt": LINES + "mine\n"})
    write(project.path, {"a.local": "ignored\n"})
    template_repository.release("v2.0.0", {"a.txt": None, "a.local": LINES})
    before = project.files()
    done = project.update()
    assert done.returncode == 2
    assert f"{project.path / 'a.local'} is in no commit" in done.stderr
    assert project.files() == before


@pytest.mark.e2e
def test_a_migration_gets_the_packages_that_it_declares_and_keeps_comments(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    template_repository.release("v1.0.0", {"a.txt": LINES})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    project.edit({"defs.yaml": "# mine\nattributes:\n  cron: '0 6 * * *'  # early\n"})
    template_repository.release("v2.0.0", {"tools/migrations/v2_0_0_cron.py": WITH_RUAMEL})
    done = project.update()
    assert (done.returncode, done.stderr) == (0, "")
    assert project.read("defs.yaml").decode() == "# mine\nattributes:\n  when: '0 6 * * *'  # early\n"
