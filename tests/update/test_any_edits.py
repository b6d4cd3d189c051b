"""Whatever a user did to a project, and releases to its template, an update keeps every line that the user wrote."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.update import in_process
from tests.update.worlds import ANSWERS, Content, Project, TemplateRepository, figure, git

# CI repeats one set of histories, so that a red run is about the change; name another seed to look for new ones.
EXAMPLES = int(os.environ.get("UPDATE_EXAMPLES", "60"))
SEED = int(os.environ.get("UPDATE_SEED", "23640983"))
START = {
    name: b"".join(f"{name} {n}\n".encode() for n in range(12))
    for name in ("a.txt", "b.py", "defs/c.yaml", "defs/d.yaml", "e e.md")
}
HOW = ("insert", "change", "cut", "reformat", "move", "delete", "add", "make binary")
EDITS = st.lists(st.tuples(st.sampled_from(HOW), st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=7)
ROUNDS = st.lists(st.tuples(EDITS, EDITS), min_size=1, max_size=2)
MARKS = (b"<<<<<<< ", b"=======\n", b">>>>>>> ")
Files = dict[str, bytes]
Update = Callable[[Project], "subprocess.CompletedProcess[str]"]


class Author:
    """Somebody who edits files; every line that they write is theirs alone."""

    def __init__(self, name: str) -> None:
        self.name, self.written = name, 0

    def line(self) -> bytes:
        self.written += 1
        return f"{self.name} wrote {self.written}\n".encode()

    def edit(self, files: Files, how: str, which: int, where: int) -> None:
        if how == "add" or not files:
            files.setdefault(f"added/{which % 3}.txt", b"".join(self.line() for _ in range(5)))
            return
        name = sorted(files)[which % len(files)]
        lines = files[name].splitlines(keepends=True)
        at = where % (len(lines) + 1)
        if how == "move":
            files.setdefault(f"added/{where % 3}.txt", files.pop(name))
        elif how == "delete":
            del files[name]
        elif how == "insert":
            files[name] = b"".join([*lines[:at], self.line(), *lines[at:]])
        elif how == "change":
            files[name] = b"".join([*lines[:at], self.line(), *lines[at + 1 :]])
        elif how == "cut":
            files[name] = b"".join([*lines[:at], *lines[at + 2 :]])
        elif how == "reformat":
            files[name] = b"".join(self.line().rstrip() + b" " + line.rstrip() + b"\r\n" for line in lines)
        else:
            files[name] = b"\0\xff\n" + files[name] + self.line()


def lines_of(author: Author, files: Files) -> set[bytes]:
    """The lines of an author, in whichever file they are."""
    mark = f"{author.name} wrote ".encode()
    return {line.rstrip() for text in files.values() for line in text.splitlines() if mark in line}


def changes(before: Files, after: Files) -> dict[str, Content]:
    """What to write, and what to delete, to get from one tree to the other."""
    return {name: after.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def own_files(project: Project) -> Files:
    """A project's files without those that every project has."""
    return {name: text for name, text in project.files().items() if not name.startswith("tools/") and name != ANSWERS}


def check_history(rounds: Sequence[tuple[list, list]], folder: Path, update: Update) -> None:
    """Let user and template edit in turn, update after each turn, and check what the update made."""
    template = TemplateRepository.create(folder / "template")
    user, upstream, released = Author("user"), Author("template"), dict(START)
    template.release("v1.0.0", dict(START))
    project = template.project(folder / "project", "v1.0.0", {"name": "mine"})
    for number, (user_edits, template_edits) in enumerate(rounds, start=2):
        found = own_files(project)
        before, had, released = dict(found), released, dict(released)
        for edit in user_edits:
            user.edit(before, *edit)
        commit = project.edit(changes(found, before))
        for edit in template_edits:
            upstream.edit(released, *edit)
        template.release(f"v{number}.0.0", changes(had, released))

        done = update(project)
        note(f"{done.returncode}\n{done.stdout}\n{done.stderr}")
        after = own_files(project)
        assert done.returncode == (1 if git(project.path, "ls-files", "--unmerged") else 0)
        assert lines_of(user, before) - lines_of(user, after) == set()
        same = [name for name in had if before.get(name) == had[name]]
        assert {name: after.get(name) for name in same} == {name: released.get(name) for name in same}
        source = str(template.path)
        asked = {"_commit": f"v{number}.0.0", "_src_path": source, "kind": "starter", "name": "mine"}
        assert project.answers() == asked
        assert git(project.path, "rev-parse", "HEAD") == commit
        figure("paths tried")
        figure("edits tried", len(user_edits) + len(template_edits))
        figure("updates with conflicts", done.returncode)
        for line in done.stdout.splitlines():
            if line.startswith("  - CONFLICT ("):
                figure(f"conflicts by cause: {line.split('(')[1].split(')')[0]}")

        for name, text in after.items():
            kept = [line for line in text.splitlines(keepends=True) if not line.startswith(MARKS)]
            (project.path / name).write_bytes(b"".join(kept))
        project.edit({})


def check(rounds: Sequence[tuple[list, list]], update: Update) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        check_history(rounds, folder, update)
    finally:
        shutil.rmtree(folder)


@settings(max_examples=2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(EDITS, EDITS), min_size=1, max_size=1))
def test_no_line_of_the_user_is_lost_in_a_few_histories(rounds: Sequence[tuple[list, list]]) -> None:
    check(rounds, Project.update)


@pytest.mark.e2e
@seed(SEED)
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # an example takes seconds: shrinking one would take longer than finding it
)  # fmt: skip
@given(ROUNDS)
def test_no_line_of_the_user_is_lost_in_many_histories(rounds: Sequence[tuple[list, list]]) -> None:
    figure(f"histories with UPDATE_SEED={SEED}")
    check(rounds, in_process.update)
