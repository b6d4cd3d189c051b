"""The nine silent losses of a plain `copier update`: they still happen, and the update command prevents them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.update.worlds import COLOURS, Project, TemplateRepository, git, write

LOGO, MY_LOGO, NEW_LOGO = b"\x89PNG\0one" * 9, b"\x89PNG\0mine" * 9, b"\x89PNG\0two" * 9
MY_ICON, THEIR_ICON = b"\0my icon" * 9, b"\0their icon" * 9
SQL = "".join(f"select {n}\n" for n in range(1, 30))
SETTINGS = [
    "    kind: table",
    "    owner: team",
    "    group: raw",
    "    retries: 1",
    "    checks: none",
    "    tags: none",
]


def assets(*names: str, **changed: str) -> str:
    """YAML of assets that differ in their names only, but for the lines given by name."""
    lines = ["assets:"]
    for name in names:
        lines += [f"  - name: {name}", *SETTINGS, changed.get(name, "    enabled: true")]
        lines += [*SETTINGS]
    return "\n".join(lines) + "\n"


@dataclass
class Pair:
    """The same edited project, updated by Copier alone and by the command."""

    before: dict[str, bytes]
    plain: Project
    plain_run: "CompletedProcess[str]"
    ours: Project
    ours_run: "CompletedProcess[str]"


def updated_both_ways(project: Project, folder: Path) -> Pair:
    plain = project.copied_to(folder / "plain")
    return Pair(project.files(), plain, plain.plain_update(), project, project.update())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("losses")
    template = TemplateRepository.create(folder / "template")
    template.release(
        "v1.0.0",
        {
            ".gitignore.jinja": "*.local\n",
            ".gitattributes": "*.dat -diff\n",
            "dropped.py": SQL,
            "old_name.py": SQL.replace("select", "keep"),
            "logo.png": LOGO,
            "table.dat": "a\nb\nc\n",
            "defs.yaml": assets("one", "two", "three"),
            "latin.txt": SQL.replace("select", "latin"),
            "moved.py": SQL.replace("select", "move"),
            "both.txt": "the line\n",
            "dropped.local": "template\n",
        },
        COLOURS.format(default="red", choices="red, green"),
    )
    project = template.project(folder / "project", "v1.0.0", {"colour": "red"})
    write(project.path, {"dropped.local": "my secret\n", "made.local": "my other secret\n"})
    (project.path / "moved.py").rename(project.path / "mine.py")
    project.edit(
        {
            "dropped.py": SQL + "select mine\n",
            "old_name.py": SQL.replace("select", "keep") + "keep mine\n",
            "logo.png": MY_LOGO,
            "table.dat": "a\nmine\nc\n",
            "icon.png": MY_ICON,
            "defs.yaml": assets("one", "two", "three", two="    enabled: false"),
            "latin.txt": b"caf\xe9 mine\n" + SQL.replace("select", "latin").encode(),
            "both.txt": "my line\n",
        },
    )
    template.release(
        "v2.0.0",
        {
            "dropped.local": None,
            "made.local": "template\n",
            "dropped.py": None,
            "old_name.py": None,
            "new_name.py": SQL.replace("select", "keep"),
            "logo.png": NEW_LOGO,
            "table.dat": "a\nb\nc\nd\n",
            "icon.png": THEIR_ICON,
            "defs.yaml": assets("zero", "one", "two", "three"),
            "latin.txt": SQL.replace("select", "latin") + "latin improved\n",
            "moved.py": SQL.replace("select", "move") + "move improved\n",
            "both.txt": "their line\n",
        },
        COLOURS.format(default="green", choices="green, blue"),
    )
    return updated_both_ways(project, folder)


def told(pair: Pair, name: str) -> bool:
    """Whether the command's report has a line about a file, beyond the list of changed ones."""
    said = pair.ours_run.stdout.split("Good to know:")[1]
    return any(name in line for line in said.splitlines() if line.startswith("  - "))


def test_copier_ends_with_zero_and_the_command_with_one(pair: Pair) -> None:
    assert (pair.plain_run.returncode, pair.ours_run.returncode) == (0, 1)


def test_a_git_ignored_file_that_the_template_begins_to_make_stays(pair: Pair) -> None:
    assert pair.plain.read("made.local") == b"template\n"
    assert pair.ours.read("made.local") == b"my other secret\n"
    assert told(pair, "made.local")


def test_a_git_ignored_file_that_the_template_drops_stays(pair: Pair) -> None:
    assert not pair.plain.has("dropped.local")
    assert pair.ours.read("dropped.local") == b"my secret\n"
    assert told(pair, "dropped.local")


def test_an_edited_file_that_the_template_deletes_stays_and_is_a_conflict(pair: Pair) -> None:
    assert not pair.plain.has("dropped.py")
    assert pair.ours.read("dropped.py").endswith(b"select mine\n")
    assert told(pair, "dropped.py")


def test_an_edit_follows_a_file_that_the_template_renames(pair: Pair) -> None:
    assert not pair.plain.has("old_name.py")
    assert b"mine" not in pair.plain.read("new_name.py")
    assert pair.ours.read("new_name.py").endswith(b"keep mine\n")
    assert told(pair, "new_name.py")


def test_an_edited_binary_stays_and_is_a_conflict(pair: Pair) -> None:
    assert pair.plain.read("logo.png") == NEW_LOGO
    assert pair.ours.read("logo.png") == MY_LOGO
    assert git(pair.ours.path, "ls-files", "--unmerged", "logo.png").count("\n") == 2
    assert told(pair, "git show :3:./logo.png")


def test_an_edit_of_a_file_without_diff_is_merged(pair: Pair) -> None:
    assert pair.plain.read("table.dat") == b"a\nb\nc\nd\n"
    assert pair.ours.read("table.dat") == b"a\nmine\nc\nd\n"


def test_a_binary_of_the_user_is_not_replaced_by_a_new_one_of_the_template(pair: Pair) -> None:
    assert pair.plain.read("icon.png") == THEIR_ICON
    assert pair.ours.read("icon.png") == MY_ICON
    assert told(pair, "icon.png")


def test_an_edit_among_look_alike_blocks_stays_in_its_block(pair: Pair) -> None:
    assert pair.plain.read("defs.yaml").decode() == assets("zero", "one", "two", "three", one="    enabled: false")
    assert pair.ours.read("defs.yaml").decode() == assets("zero", "one", "two", "three", two="    enabled: false")


def test_bytes_that_are_not_utf_8_stay(pair: Pair) -> None:
    assert b"\xe9" not in pair.plain.read("latin.txt")
    assert pair.ours.read("latin.txt").startswith(b"caf\xe9 mine\n")
    assert pair.ours.read("latin.txt").endswith(b"latin improved\n")


def test_a_file_that_the_user_renamed_still_gets_improvements(pair: Pair) -> None:
    assert b"improved" not in pair.plain.read("mine.py")
    assert pair.ours.read("mine.py").endswith(b"move improved\n")
    assert not pair.ours.has("moved.py")


def test_an_answer_that_the_release_no_longer_offers_is_named(pair: Pair) -> None:
    assert pair.plain.answers()["colour"] == "green"
    assert "colour" not in pair.plain_run.stdout + pair.plain_run.stderr
    assert "The answer colour was red and is now green" in pair.ours_run.stdout


def test_a_conflict_is_named_and_git_knows_of_it(pair: Pair) -> None:
    assert "both.txt" not in pair.plain_run.stdout + pair.plain_run.stderr
    assert pair.ours.read("both.txt") == (b"<<<<<<< yours\nmy line\n=======\ntheir line\n>>>>>>> dagwright-v2.0.0\n")
    assert told(pair, "Merge conflict in both.txt")
    assert git(pair.ours.path, "status", "--porcelain", "both.txt") == "UU both.txt"


def test_the_printed_undo_brings_everything_back(pair: Pair, tmp_path: Path) -> None:
    project = pair.ours.copied_to(tmp_path / "project")
    undo = pair.ours_run.stdout.splitlines()[-1].partition("instead: ")[2]
    subprocess.run(undo, shell=True, cwd=project.path, check=True, capture_output=True)
    assert project.files() == pair.before
    assert git(project.path, "status", "--porcelain", "--branch") == "## main"
    assert git(project.path, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_edits_with_trailing_space_stay_when_git_calls_that_an_error(
    tmp_path: Path, template_repository: TemplateRepository
) -> None:
    template_repository.release("v1.0.0", {"a.sql": SQL})
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    project.edit({"a.sql": "mine  \n" + SQL})
    git(project.path, "config", "apply.whitespace", "error")
    template_repository.release("v2.0.0", {"a.sql": SQL + "improved\n"})
    pair = updated_both_ways(project, tmp_path)
    assert pair.plain_run.returncode == 0
    assert b"mine" not in pair.plain.read("a.sql")
    assert pair.ours.read("a.sql").decode() == "mine  \n" + SQL + "improved\n"
    assert pair.ours_run.returncode == 0
