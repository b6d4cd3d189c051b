"""The repository's own releases, and the work tree as the next one, as a template that Copier can update to."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.rendering import ROOT, TEMPLATE_PARTS, tracked
from tests.update.worlds import commit, git

PRESENT = "v9999"


class NoHistory(Exception):
    """The clone that the tests run in lacks the releases."""


def releases() -> dict[str, str]:
    """The commit of every release, oldest first: by its tag, and in a clone without tags by its subject."""
    found = {}
    log = git(ROOT, "log", "--reverse", "--format=%H %s")
    for line in log.splitlines():
        if match := re.fullmatch(r"(\w+) chore: release (v\d+\.\d+\.\d+)", line):
            tagged = git(ROOT, "rev-parse", "--quiet", "--verify", f"{match[2]}^{{commit}}", ok=(0, 1, 128))
            found[match[2]] = tagged or match[1]
    if not found:
        raise NoHistory("no commit says `chore: release v…`: fetch the whole history, git fetch --unshallow")
    return found


def template_of_releases(folder: Path) -> Path:
    """A template repository with every release under its tag and the work tree as the newest."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for version, at in releases().items():
        clear(folder)
        archive = subprocess.run(["git", "archive", at], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
        commit(folder, version)
        git(folder, "tag", version)
    clear(folder)
    for path in tracked(*TEMPLATE_PARTS):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    commit(folder, "the work tree")
    git(folder, "tag", PRESENT)
    return folder


def clear(folder: Path) -> None:
    """Remove everything but git's own folder."""
    for path in folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
