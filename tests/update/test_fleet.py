"""Many repositories at a glance: their release, what they lack, and whether an update would conflict."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.update.worlds import HOOKS, Project, TemplateRepository, git, write

pytestmark = pytest.mark.e2e

LINES = "".join(f"line {n}\n" for n in range(1, 20))
CHANGELOG = "# Changelog\n\n## 2.0.0\n\n### starter\n\n- **changes** line 1 & <more>\n  of `a.txt`.\n"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A folder of repositories, and what the command said about them."""
    folder = tmp_path_factory.mktemp("fleet")
    template = TemplateRepository.create(folder / "template")
    template.release("v1.0.0", {"a.txt": LINES})
    template.project(folder / "behind", "v1.0.0")
    template.project(folder / "edited", "v1.0.0").edit({"a.txt": "mine " + LINES})
    monorepo = folder / "monorepo"
    write(monorepo, {"README.md": "many\n"})
    template.project(monorepo / "teams" / "data", "v1.0.0", top=monorepo)
    template.release("v2.0.0", {"a.txt": "new " + LINES, "tools/changelog.md": CHANGELOG})
    template.project(folder / "current", "v2.0.0")
    write(folder / "other", {"README.md": "no project\n"})
    git(folder / "other", "init", "--quiet")
    git(folder / "other", "add", "--all")
    git(folder / "other", "commit", "--quiet", "--message", "none of ours")
    names = ["behind  # the first", "", "edited", "monorepo", "current", "other", "gone"]
    (folder / "list.txt").write_text("".join(f"{folder / name if name else ''}\n" for name in names))
    secret = "https://robot:s3cr3t-t0ken@127.0.0.1:1/team/x.git"
    command = [sys.executable, str(HOOKS / "fleet.py"), secret, "--file", "list.txt"]
    command += ["--json", "fleet.json", "--html", "fleet.html"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return folder, done


def seen(folder: Path) -> dict[str, dict]:
    return {Path(entry["repository"]).name: entry for entry in json.loads((folder / "fleet.json").read_text())}


def test_each_state_is_told(fleet: tuple[Path, "subprocess.CompletedProcess[str]"]):
    folder, done = fleet
    states = {name: entry["state"] for name, entry in seen(folder).items()}
    assert states == {
        "x.git": "failed", "behind": "updates", "edited": "conflicts", "monorepo": "updates", "current": "current",
        "other": "failed", "gone": "failed",
    }  # fmt: skip
    assert done.returncode == 1
    assert "7 projects: 1 up to date, 2 updates cleanly" in done.stdout


def test_the_releases_and_what_is_lacking_stand_in_the_table(fleet: tuple[Path, "subprocess.CompletedProcess[str]"]):
    folder, done = fleet
    [line] = [line for line in done.stdout.splitlines() if f"{folder}/behind" in line]
    assert line.split()[1:4] == ["starter", "v1.0.0", "v2.0.0"]
    assert "    changes line 1 & <more> of a.txt." in done.stdout
    assert "a.txt" in " ".join(seen(folder)["edited"]["decide"])


def test_a_project_in_a_subfolder_is_named_with_it(fleet: tuple[Path, "subprocess.CompletedProcess[str]"]):
    folder, _ = fleet
    assert seen(folder)["monorepo"]["folder"] == "teams/data"


def test_what_could_not_be_seen_says_why_and_shows_no_password(fleet: tuple[Path, "subprocess.CompletedProcess[str]"]):
    folder, done = fleet
    assert seen(folder)["other"]["why"] == "no .copier-answers.yml"
    assert "gone" in seen(folder)["gone"]["why"]
    everything = done.stdout + done.stderr + (folder / "fleet.json").read_text() + (folder / "fleet.html").read_text()
    assert "s3cr3t" not in everything
    assert "https://***@127.0.0.1:1/team/x.git" in everything


def test_the_repositories_are_not_touched(fleet: tuple[Path, "subprocess.CompletedProcess[str]"]):
    folder, _ = fleet
    assert git(folder / "behind", "status", "--porcelain", "--branch") == "## main"
    assert Project(folder / "behind").read("a.txt").decode() == LINES


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if "td" in self.open[-2:]:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass


def test_the_page_has_a_row_for_each_and_escapes_what_it_shows(fleet: tuple[Path, "subprocess.CompletedProcess[str]"]):
    folder, _ = fleet
    text = (folder / "fleet.html").read_text()
    parser = Cells()
    parser.feed(text)
    assert len(parser.cells) == 7 * 6
    assert "<more>" not in text
    assert any("line 1 & <more> of" in cell for cell in parser.cells)
    assert "http" not in text.split("<body>")[0]
