"""From every supported release and every answer set to the work tree, untouched and edited."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from tests.rendering import COMPONENT_ANSWERS, ROOT, answer_sets
from tests.update import in_process
from tests.update.releases import PRESENT, releases, template_of_releases
from tests.update.worlds import Content, Project, commit, figure, git

pytestmark = pytest.mark.e2e

RELEASES = list(releases())
FROM = sorted({RELEASES[0], RELEASES[-1]})


def known_at(version: str) -> list[str]:
    """The answer sets that a release had."""
    listed = git(ROOT, "ls-tree", "--name-only", releases()[version], "answers/").splitlines()
    return [Path(name).stem for name in listed if Path(name).stem in answer_sets()]


PATHS = [(version, name) for version in FROM for name in known_at(version)]
# Edits of files that every answer set has are tried with the default answers of each kind.
EDITED = [
    (version, kind) for version, kind in PATHS if kind in ("modern-data", "databricks", "ai", "component-package")
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template_of_releases(tmp_path_factory.mktemp("releases") / "dagwright")


PACKAGE = {"kind": "component-package"}


def made(
    template: Path, folder: Path, version: str, answers: Mapping[str, Any], package: Mapping[str, Any] = PACKAGE
) -> Project:
    """A fresh copy of a release, committed; a component joins a package with those answers."""
    given = {"defaults": True, "quiet": True, "vcs_ref": version}
    if answers.get("kind") == "component":
        copier.run_copy(str(template), folder, data=dict(package), **given)
        given["answers_file"] = COMPONENT_ANSWERS
    copier.run_copy(str(template), folder, data=dict(answers), **given)
    git(folder, "init", "--quiet")
    commit(folder, "generated")
    return Project(folder)


def updated(project: Project, answers: Mapping[str, Any]) -> str:
    """Update a project, and the component that joined it; what the command said."""
    said = ""
    for options in ([], ["--answers-file", COMPONENT_ANSWERS])[: 2 if answers.get("kind") == "component" else 1]:
        done = in_process.update(project, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
        commit(project.path, "update")
    return said


def seeded(project: Project) -> set[str]:
    """The files that the project's README calls seeded."""
    table = re.findall(r"^\| `([^`]+)` \| seeded \|", project.read("README.md").decode(), re.MULTILINE)
    return {
        name
        for name in project.files()
        if any(name == path or name.startswith(f"{path}/") for path in by_folder(table))
    }


def by_folder(paths: list[str]) -> list[str]:
    return [path.rstrip("/") for path in paths]


@pytest.mark.parametrize(("version", "name"), PATHS)
def test_an_untouched_project_becomes_a_fresh_copy_and_a_second_update_changes_nothing(
    template: Path, tmp_path: Path, version: str, name: str
):
    project = made(template, tmp_path / "project", version, answer_sets()[name])
    before, own = project.files(), seeded(project)
    updated(project, answer_sets()[name])

    # With the answers that the project has: a default may be another one by now, and does not change what was answered.
    stored = {key: value for key, value in project.answers().items() if not key.startswith("_")}
    own_answers = answer_sets()[name] if stored["kind"] != answer_sets()[name]["kind"] else stored
    fresh = made(template, tmp_path / "fresh", PRESENT, own_answers, package=stored)
    new_seeds = seeded(fresh)
    after = project.files()
    assert managed(after, own | new_seeds) == managed(fresh.files(), own | new_seeds)
    lifted = {file: renamed(before[file]) for file in own}
    assert {file: after.get(file) for file in own} == lifted

    again = updated(project, answer_sets()[name])
    assert again.count("up to date") == len(again.splitlines())
    assert project.files() == after
    figure("update paths over real releases")


@pytest.mark.parametrize(("version", "name"), EDITED)
def test_an_edited_project_keeps_its_edits_and_conflicts_nowhere_else(
    template: Path, tmp_path: Path, version: str, name: str
):
    answers = answer_sets()[name]
    project = made(template, tmp_path / "project", version, answers)
    ours = b"# ours: the last line\n"
    edited = {file: project.read(file) + ours for file in ("AGENTS.md", ".gitignore", ".pre-commit-config.yaml")}
    project.edit({**edited, "src/own.py": b"ours = 1\n"})
    done = in_process.update(project)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in edited:
        assert project.read(file).endswith(ours), file
    assert project.read("src/own.py") == b"ours = 1\n"
    figure("edited update paths over real releases")


def managed(files: Mapping[str, bytes], own: set[str]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name not in own}


def renamed(content: bytes) -> bytes:
    """What the migrations make of a file of the starter."""
    return content.replace(b"\n  file: exports/", b"\n  output: exports/")


MINE = """\
# our own export
type: {package}.components.FileExportComponent

attributes:
  name: "mine"   # said in quotes
  file: "{{{{ env('OUT', 'exports/mine.csv') }}}}"  # where it goes
  description: Ours.
  sql: select 1 as one
"""
OWN_FILES: dict[str, Content] = {
    "pictures/logo.png": b"\x89PNG\r\n\x1a\n\0\xff",
    "notes windows.txt": b"one\r\ntwo\r\n",
    "na\udcefve.txt": b"a name that is not UTF-8\n",
    "latin.txt": "Grüße\n".encode("latin-1"),
}


@pytest.fixture(scope="module")
def edited(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, bytes], str]:
    """A project of the oldest release in a subfolder of a monorepo, edited in every way, and updated."""
    top = tmp_path_factory.mktemp("monorepo")
    (top / "other").mkdir()
    (top / "other" / "work.txt").write_text("not part of the project\n")
    path = top / "platforms" / "flights"
    copier.run_copy(str(template), path, defaults=True, quiet=True, vcs_ref=FROM[0], data={"project_name": "Flights"})
    git(top, "init", "--quiet")
    commit(top, "generated")
    project = Project(path)
    defs = "src/flights/defs"
    project.edit(
        {
            "README.md": project.read("README.md").replace(b"# Flights\n", b"# Flights\n\nOurs since May.\n", 1),
            "policy.yaml": project.read("policy.yaml") + b"# our rule\n",
            "tools/write_schemas.py": project.read("tools/write_schemas.py") + b"\n# our line in a file that moves\n",
            "src/flights/components/bi/static/README.md": b"our notes on the chart library\n",
            f"{defs}/dashboards/flights/defs.yaml": None,
            f"{defs}/activation/mine/defs.yaml": MINE.format(package="flights"),
            **OWN_FILES,
        }
    )
    (path / "link").symlink_to("policy.yaml")
    commit(path, "a link")
    before = project.files()
    done = project.update()
    return project, before, done.stdout + done.stderr


def test_edits_of_managed_files_are_merged(edited: tuple[Project, dict[str, bytes], str]):
    project, _, said = edited
    assert b"# Flights\n\nOurs since May.\n" in project.read("README.md"), said
    assert b"tools/schemas.py" in project.read("README.md")
    assert b"<<<<<<<" not in project.read("README.md")


def test_an_edit_follows_a_file_that_the_release_moves(edited: tuple[Project, dict[str, bytes], str]):
    project, _, said = edited
    assert not project.has("tools/write_schemas.py")
    assert project.read("tools/schemas.py").endswith(b"# our line in a file that moves\n"), said


def test_a_file_that_the_release_removes_stays_where_it_was_edited_and_is_named(
    edited: tuple[Project, dict[str, bytes], str],
):
    project, _, said = edited
    assert project.read("src/flights/components/bi/static/README.md") == b"our notes on the chart library\n"
    assert "bi/static/README.md" in said.split("For you to decide:")[1]


def test_ones_own_components_are_migrated_with_comments_quotes_and_templates(
    edited: tuple[Project, dict[str, bytes], str],
):
    project, _, _ = edited
    wanted = MINE.format(package="flights").replace("  file: ", "  output: ")
    assert project.read("src/flights/defs/activation/mine/defs.yaml").decode() == wanted


def test_a_seeded_file_that_was_deleted_stays_deleted_and_an_edited_one_stays_edited(
    edited: tuple[Project, dict[str, bytes], str],
):
    project, before, _ = edited
    assert not project.has("src/flights/defs/dashboards/flights/defs.yaml")
    assert project.read("policy.yaml") == before["policy.yaml"]


def test_files_of_every_sort_that_are_the_users_stay_byte_for_byte(edited: tuple[Project, dict[str, bytes], str]):
    project, before, _ = edited
    own = [*OWN_FILES, "link"]
    assert {name: project.files()[name] for name in own} == {name: before[name] for name in own}
    assert (project.path.parents[1] / "other" / "work.txt").read_text() == "not part of the project\n"


def test_a_conflict_is_only_where_both_changed_the_same_lines(template: Path, tmp_path: Path):
    project = made(template, tmp_path / "project", FROM[0], {})
    readme = project.read("README.md").replace(b"tools/write_schemas.py", b"tools/ours.py")
    project.edit({"README.md": readme, "compose.yaml": project.read("compose.yaml") + b"# ours\n"})
    done = project.update()
    assert done.returncode == 1, done.stdout + done.stderr
    assert git(project.path, "diff", "--name-only", "--diff-filter=U") == "README.md"
    assert project.read("compose.yaml").endswith(b"# ours\n")
    figure("conflicts: both changed the same lines")


@pytest.mark.parametrize(
    ("answer", "gone", "new"),
    [
        ("ci=gitlab", {".github/workflows"}, {".gitlab-ci.yml"}),
        ("ci=none", {".github/workflows"}, set()),
    ],
)
def test_a_changed_answer_adds_and_removes_exactly_its_files(
    template: Path, tmp_path: Path, answer: str, gone: set[str], new: set[str]
):
    project = made(template, tmp_path / "project", PRESENT, {})
    before = set(project.files())
    done = in_process.update(project, "--data", answer)
    assert done.returncode == 0, done.stdout + done.stderr
    after = set(project.files())
    assert {str(Path(name).parent) for name in before - after} == gone
    assert after - before == new
    name, value = answer.split("=")
    assert project.answers()[name] == value


def test_a_choice_that_is_added_later_brings_its_seeded_folder_and_no_other(template: Path, tmp_path: Path):
    project = made(template, tmp_path / "project", PRESENT, {"sources": ["hubspot"]})
    defs = "src/data_platform/defs"
    mine = project.read(f"{defs}/ingestion/hubspot/defs.yaml") + b"# mine\n"
    project.edit({f"{defs}/ingestion/hubspot/defs.yaml": mine, f"{defs}/dashboards/flights/defs.yaml": None})
    plain = project.copied_to(tmp_path / "plain")
    choices = ["--data", "sources=[hubspot, stripe]", "--data", "tools=[powerbi]"]
    for updated_project, done in (
        (project, in_process.update(project, *choices)),
        (plain, plain.plain_update(*choices)),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
        assert updated_project.read(f"{defs}/ingestion/hubspot/defs.yaml") == mine
        assert not updated_project.has(f"{defs}/dashboards/flights/defs.yaml")
        for folder in ("ingestion/stripe", "bi/powerbi"):
            assert b"type: data_platform.components." in updated_project.read(f"{defs}/{folder}/defs.yaml")
        assert updated_project.has("src/data_platform/components/ingestion/connectors/stripe.yaml")
        assert "STRIPE_API_KEY=" in updated_project.read(".env.example").decode()


@pytest.mark.parametrize("version", FROM)
def test_a_plain_update_with_defaults_works_and_new_questions_take_their_defaults(
    template: Path, tmp_path: Path, version: str
):
    project = made(template, tmp_path / "project", version, {"project_name": "Mine"})
    old = project.answers()
    assert project.plain_update().returncode == 0
    new = project.answers()
    assert {key: new[key] for key in old if not key.startswith("_")} == {
        key: value for key, value in old.items() if not key.startswith("_")
    }
    assert new["_commit"] == PRESENT
    fresh = made(template, tmp_path / "fresh", PRESENT, {"project_name": "Mine"}).answers()
    assert yaml.safe_dump(new) == yaml.safe_dump(fresh)
