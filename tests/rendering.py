"""Renders of the templates, as `copier copy` makes them, for the tests."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import copier
import yaml

from tests import quick_copier

quick_copier.install()
ROOT = Path(__file__).parent.parent
TEMPLATE_PARTS = ("copier.yml", "CHANGELOG.md", "questions", "templates", "components", "hooks")


# A component joins a package that stands, and this is how the tests call it.
COMPONENT_ANSWERS = ".copier-answers.component-daily-report.yml"


class UnknownAnswers(Exception):
    """An answer set names something that no question asks; Copier itself would ignore it silently."""


def tracked(*folders: str) -> list[Path]:
    """The files below folders of the repository that git does not ignore, new ones too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_template(destination: Path) -> Path:
    """Copy what Copier reads, without git-ignored files, into ``destination``: rendering a plain folder is faster."""
    for path in tracked(*TEMPLATE_PARTS):
        copy = destination / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    return destination


def asked_questions() -> dict[str, Any]:
    """Every question of every screen, by name, as written; computed values included."""
    questions: dict[str, Any] = {}
    for path in sorted((ROOT / "questions").glob("*.yml")):
        questions |= yaml.safe_load(path.read_text())
    return questions


def render(template: Path, destination: Path, answers: Mapping[str, Any] | None = None, **options: Any) -> Path:
    """Render ``template`` with ``answers`` and the defaults for the rest; a component into the default package.

    Raises:
        UnknownAnswers: for a key that no question asks.
    """
    answers = dict(answers or {})
    if unknown := sorted(set(answers) - {name for name, q in asked_questions().items() if q.get("when") is not False}):
        raise UnknownAnswers(f"no question asks: {', '.join(unknown)}")
    if answers.get("kind") == "component" and not destination.exists():
        render(template, destination, {"kind": "component-package"})
        options = {"answers_file": COMPONENT_ANSWERS} | options
    copier.run_copy(str(template), destination, data=answers, defaults=True, quiet=True, **options)
    return destination


def answer_sets() -> dict[str, dict[str, Any]]:
    """The named answer sets of answers/, by file stem."""
    return {path.stem: yaml.safe_load(path.read_text()) or {} for path in sorted((ROOT / "answers").glob("*.yml"))}
