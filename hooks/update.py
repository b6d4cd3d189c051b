#!/usr/bin/env python3
"""Update this project to a newer dagwright release by a three-way merge that keeps what you wrote.

It needs git and Copier. Everything is worked out in a throwaway repository first (update_merge.py beside this file);
your files change only in the last step, all at once, on a branch of their own.
Exit code 0: updated, or nothing to do. 1: updated, and something is left for you to decide. 2: nothing was changed.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True  # an update must leave no file behind that the next one finds uncommitted
from update_merge import (  # noqa: E402 - the line above must come first
    ABSENT,
    ANSWERS,
    Outcome,
    Stop,
    answers_in,
    ask,
    collect,
    git,
    git_path,
    numbers,
    plan,
)

UNFINISHED = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "index.lock")


@dataclass
class Project:
    """The user's project as it is committed; `place` is its branch, or the commit when there is none."""

    root: Path
    commit: str
    place: str

    @property
    def recovery(self) -> str:
        """The one command that brings the project back, to be run in its folder."""
        return f"git checkout --force {shlex.quote(self.place)} && git clean -fd"


def look_at_project(checking: bool, answers: str) -> Project:
    """Find the project that this file belongs to; raises Stop at what would make an update unsafe."""
    root = next((folder for folder in Path(__file__).resolve().parents if (folder / ANSWERS).is_file()), None)
    if root is None:
        raise Stop(f"There is no {ANSWERS} in the folder of update.py or above it.")
    if not shutil.which("git") or numbers(git(root, "version")) < [2, 38]:
        raise Stop("git 2.38 or newer is needed on PATH.")
    if not (commit := ask(root, "rev-parse", "--quiet", "--verify", "HEAD")):
        raise Stop(f"{root} is not in a git repository with a commit: run `git init`, `git add --all`, `git commit`.")
    for name in UNFINISHED:
        if (found := git_path(root, name)).exists():
            raise Stop(f"git has not finished something, as {found} shows. Finish or abort it first.")
    if not checking:
        refuse_uncommitted(root)
    if not ask(root, "var", "GIT_COMMITTER_IDENT"):
        raise Stop("git does not know who you are: set `git config user.name` and `git config user.email`.")
    marked = [ask(root, "grep", "-zlIE", f"^{mark} ", "HEAD", "--", ".").split("\0") for mark in ("<{7}", ">{7}")]
    if left := sorted(name.removeprefix("HEAD:") for name in {*marked[0]} & {*marked[1]} if name):
        raise Stop("\n  ".join(["Conflict markers of an earlier merge are still in:", *left]))
    known = answers_in(ask(root, "show", f"HEAD:./{answers}"))
    if missing := [key for key in ("_commit", "_src_path") if not known.get(key)]:
        raise Stop(
            f"{root / answers}, as committed, lacks {' and '.join(missing)}. Find a good one with "
            f"`git log --oneline -- {answers}` and bring it back with `git checkout <commit> -- {answers}`."
        )
    return Project(root, commit, ask(root, "symbolic-ref", "--quiet", "--short", "HEAD") or commit)


def refuse_uncommitted(root: Path) -> None:
    """Raise Stop when a file is changed or new and git does not have it."""
    if dirt := git(root, "status", "--porcelain", "-z", "--untracked-files=all").rstrip("\0"):
        files = dirt.split("\0")[:20]
        raise Stop("\n  ".join(["There are changes without a commit; commit or stash them first:", *files]))


def new_branch(project: Project, version: str) -> str:
    """The branch for an update to `version`; raises Stop when one of that name holds other work."""
    branch = f"update/dagwright-{version}"
    tip = ask(project.root, "rev-parse", "--quiet", "--verify", f"refs/heads/{branch}")
    if tip and tip != project.commit:
        raise Stop(f"The branch {branch} exists already. Merge it, or delete it with `git branch -D {branch}`.")
    return branch


def point_head_at(root: Path, branch: str) -> None:
    """Make a branch the current one: by a rename where HEAD is a file, as a kill would leave the lock of git itself."""
    head = git_path(root, "HEAD")
    if git_path(root, "reftable").exists():
        git(root, "symbolic-ref", "-m", "dagwright update", "HEAD", f"refs/heads/{branch}")
        return
    spare = head.with_name("HEAD.update")
    spare.write_text(f"ref: refs/heads/{branch}\n", encoding="utf-8", newline="\n")
    spare.replace(head)


def bring_in(project: Project, outcome: Outcome, branch: str) -> None:
    """Switch to `branch` and change work tree and index, all at once; raises Stop after putting everything back."""
    root, index = project.root, git_path(project.root, "index")
    prefix = git(root, "rev-parse", "--show-prefix")
    refuse_uncommitted(root)
    # A second index file, renamed at the end: a kill then leaves no lock behind, and no index that is half of each.
    spare = index.with_name("index.update")
    env = {"GIT_INDEX_FILE": str(spare)}
    for left_by_a_kill in (spare, index.with_name("index.update.lock"), git_path(root, f"refs/heads/{branch}.lock")):
        left_by_a_kill.unlink(missing_ok=True)
    git(root, "read-tree", project.commit, env=env)
    listing = "".join(f"{entry}\t{prefix}{path}\0" for path, entry in outcome.changes().items())
    git(root, "update-index", "-z", "--index-info", stdin=listing, env=env)
    tree = git(root, "write-tree", env=env)
    shutil.copy2(index, spare)
    git(root, "update-index", "-q", "--refresh", env=env)
    switch = ["read-tree", "-m", "-u", project.commit, tree]
    git(root, *switch, "--dry-run", env=env)
    print(f"Should this be interrupted from here on, run: {project.recovery}", flush=True)
    try:
        git(root, "update-ref", "-m", "dagwright update", f"refs/heads/{branch}", project.commit)
        point_head_at(root, branch)
        git(root, *switch, env=env)
        unmerged = "".join(
            f"{ABSENT}\t{prefix}{path}\0" + "".join(f"{seen[n]} {n}\t{prefix}{path}\0" for n in sorted(seen))
            for path, seen in outcome.stages.items()
        )
        git(root, "update-index", "-z", "--index-info", stdin=unmerged, env=env)
        spare.replace(index)
    except BaseException as reason:
        try:
            git(root, "checkout", "--quiet", "--force", project.place)
            git(root, "clean", "-fdq")
        except Stop as another:
            sys.exit(
                f"The update broke off, and putting the files back did too: {reason} {another}\nRun: {project.recovery}"
            )
        raise


def report(outcome: Outcome) -> None:
    """Print which files change and what there is to know and to decide."""
    changes = outcome.changes()
    letters = {p: "-" if entry == ABSENT else "~" if p in outcome.before else "+" for p, entry in changes.items()}
    print("\n  ".join([f"dagwright {outcome.old} to {outcome.new}:", *(f"{letters[p]} {p}" for p in sorted(letters))]))
    if outcome.news:
        print("\n".join(["", *outcome.news, ""]))
    for title, lines in (("Good to know:", outcome.notes), ("For you to decide:", outcome.decide)):
        if lines:
            print("\n  - ".join([title, *lines]))


def update(arguments: argparse.Namespace) -> int:
    """Carry out the command; return its exit code."""
    project = look_at_project(arguments.check, arguments.answers_file)
    flags = [word for answer in arguments.data for word in ("--data", answer)]
    flags += ["--vcs-ref", arguments.to] if arguments.to else []
    with tempfile.TemporaryDirectory(prefix="dagwright-update-", ignore_cleanup_errors=True) as folder:
        asked = {answer.split("=")[0] for answer in arguments.data}
        outcome = plan(project.root, Path(folder) / "room", flags, asked, arguments.answers_file)
        if not outcome.changes():
            print(f"This project is up to date with dagwright {outcome.old}.")
            return 0
        if not arguments.check:
            branch = new_branch(project, outcome.new)
            collect(Path(folder) / "room", outcome, project.root)
            bring_in(project, outcome, branch)
    report(outcome)
    if arguments.check:
        print("Nothing was changed: this was a check of the last commit.")
    else:
        first = "Settle what is listed above, `git add` each file, run" if outcome.decide else "Look at it, run"
        print(f"You are on the branch {branch}. {first} the tests, then: git commit -m 'Update dagwright'")
        print(f"To undo it instead: git checkout --force {shlex.quote(project.place)} && git branch -D {branch}")
    return 1 if outcome.decide else 0


def main() -> int:
    """Read the command line and update; every refusal is one message and exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="say what an update would do, and change nothing")
    parser.add_argument("--to", metavar="VERSION", help="the release to go to; without it, the newest one")
    parser.add_argument("--data", metavar="NAME=VALUE", action="append", default=[], help="change an answer")
    parser.add_argument(
        "--answers-file", metavar="FILE", default=ANSWERS, help="what to update; another for a component"
    )
    arguments = parser.parse_args()
    for answer in arguments.data:
        if not re.match(r"[A-Za-z]\w*=", answer):
            parser.error(f"--data {answer}: an answer is given as NAME=VALUE")
    try:
        return update(arguments)
    except (Stop, KeyboardInterrupt) as reason:
        print(f"Nothing was updated. {reason}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # file names need not be UTF-8
    sys.exit(main())
