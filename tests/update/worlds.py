"""Small template repositories and projects made from them, with the engine settings of this repository's copier.yml."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import copier
import yaml

HOOKS = Path(__file__).parents[2] / "hooks"
ANSWERS = ".copier-answers.yml"
ANSWERS_FILE = "[= _copier_conf.answers_file =].jinja"
PAYLOAD = "templates/starter"
ENGINE = """\
_min_copier_version: "9.18"
_subdirectory: "templates/[= kind =]"
_templates_suffix: .jinja
_envops:
  variable_start_string: "[="
  variable_end_string: "=]"
  block_start_string: "[%"
  block_end_string: "%]"
  comment_start_string: "[#"
  comment_end_string: "#]"
  line_statement_prefix: "#%"
  undefined: jinja2.StrictUndefined
_exclude:
  - .git
  - "[% if _copier_operation == 'update' %]seeded[% endif %]"
kind: {type: str, default: starter, choices: [starter]}
name: {type: str, default: flights}
"""
COLOURS = "colour: {{type: str, default: {default}, choices: [{choices}]}}\n"
LOCAL_TOOLS = "tools"
NO_ANSWERS: Mapping[str, str] = {}
Content = str | bytes | None


def git(folder: Path, *words: str, ok: tuple[int, ...] = (0,)) -> str:
    """The output of git, without white space around it."""
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    assert done.returncode in ok, f"git {words}: {done.stderr!r}"
    return os.fsdecode(done.stdout).strip()


def write(folder: Path, files: Mapping[str, Content]) -> None:
    """Write files by relative path; ``None`` deletes one."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(folder: Path, message: str) -> str:
    """Commit everything that git does not ignore and return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@dataclass
class TemplateRepository:
    """A git repository that Copier renders."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "TemplateRepository":
        path.mkdir(parents=True)
        git(path, "init", "--quiet")
        for name in ("update.py", "update_merge.py", "update_changelog.py"):
            (path / PAYLOAD / LOCAL_TOOLS).mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOOKS / name, path / PAYLOAD / LOCAL_TOOLS / name)
        write(path, {f"{PAYLOAD}/{ANSWERS_FILE}": "[= _copier_answers | to_nice_yaml =]\n"})
        return cls(path)

    def release(self, version: str, files: Mapping[str, Content], questions: str = "") -> None:
        """Tag a version whose payload is the one before with ``files`` written over it."""
        write(self.path, {"copier.yml": ENGINE + questions})
        write(self.path / PAYLOAD, files)
        commit(self.path, version)
        git(self.path, "tag", version)

    def project(
        self, path: Path, version: str, answers: Mapping[str, str] = NO_ANSWERS, top: Path | None = None
    ) -> "Project":
        """A project of that version, committed; ``top`` is the repository's folder when it is not the project's."""
        copier.run_copy(str(self.path), path, data=dict(answers), defaults=True, quiet=True, vcs_ref=version)
        git(top or path, "init", "--quiet")
        commit(path, "generated")
        return Project(path)


@dataclass
class Project:
    """A generated project in git."""

    path: Path

    def edit(self, files: Mapping[str, Content]) -> str:
        """Write files, commit, and return the commit."""
        write(self.path, files)
        return commit(self.path, "my work")

    def copied_to(self, path: Path) -> "Project":
        """The same project, git repository included, in another folder."""
        shutil.copytree(self.path, path, symlinks=True)
        return Project(path)

    def update(self, *options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the project's own update command."""
        command = [sys.executable, f"{LOCAL_TOOLS}/update.py", *options]
        return self._run(command, environment)

    def plain_update(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run Copier's update as its documentation shows it."""
        return self._run([sys.executable, "-m", "copier", "update", "--defaults", *options], {})

    def _run(self, command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=self.path, env=os.environ | environment, capture_output=True,
            text=True, errors="surrogateescape", check=False,
        )  # fmt: skip

    def killed_update(self, after_seconds: float) -> bool:
        """Start an update, kill it and all that it started, and say whether it was still running."""
        command = [sys.executable, f"{LOCAL_TOOLS}/update.py"]
        process = subprocess.Popen(
            command, cwd=self.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        return False

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def has(self, name: str) -> bool:
        return os.path.lexists(self.path / name)

    def answers(self) -> dict[str, str]:
        """The parsed answers file."""
        return dict(yaml.safe_load(self.read(ANSWERS)))

    def files(self, folder: Path | None = None) -> dict[str, bytes]:
        """Every file but git's own, with its content; a symbolic link's content is where it points."""
        root = folder or self.path
        found = {}
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if name.startswith(".git/") or (path.is_dir() and not path.is_symlink()):
                continue
            found[name] = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        return found


FIGURES: dict[str, int] = {}


def figure(name: str, count: int = 1) -> None:
    """Count something that the end of the test run prints."""
    FIGURES[name] = FIGURES.get(name, 0) + count
