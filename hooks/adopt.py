#!/usr/bin/env python3
"""Make a project that exists (by create-dagster, or by hand) one that dagwright updates, without losing a line of it.

python3 hooks/adopt.py PROJECT --data kind=modern-data --data project_name="My Project"

On a branch of its own, what the template has and the project has not is added; where both have a file, their common
lines are taken as its origin and the rest is merged, with conflict markers where both say something else in one place.
Exit code 0: adopted. 1: adopted, and files are left for you to settle. 2: nothing was changed.
"""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True
from update_merge import ANSWERS, Stop, answers_in, ask, find_copier, git, run  # noqa: E402 - the line above comes first

UNION = (".gitignore", ".dockerignore")  # lists, where both sides' lines may stand together
TEMPLATE = Path(__file__).resolve().parent.parent


@dataclass
class Adoption:
    """What adopting makes of a project, by path from its root."""

    version: str
    added: Counter[str] = field(default_factory=Counter)  # files, and new folders with the number of their files
    merged: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    write: dict[str, tuple[bytes, int]] = field(default_factory=dict)  # content and mode of what is written
    stages: dict[str, tuple[bytes, bytes, bytes]] = field(default_factory=dict)  # common, yours, the template's


def look_at(root: Path) -> str:
    """The branch or commit of a project that may be adopted; raises Stop where it may not."""
    if not root.is_dir():
        raise Stop(f"{root} is no folder.")
    if (root / ANSWERS).exists():
        raise Stop(f"{root / ANSWERS} is there: this project is dagwright's already. Run its tools/update.py.")
    commit = ask(root, "rev-parse", "--quiet", "--verify", "HEAD")
    if not commit:
        raise Stop(f"{root} is not in a git repository with a commit: run `git init`, `git add --all`, `git commit`.")
    if dirt := git(root, "status", "--porcelain", "--untracked-files=all", "--", "."):
        raise Stop(
            "\n  ".join(["There are changes without a commit; commit or stash them first:", *dirt.split("\n")[:20]])
        )
    return ask(root, "symbolic-ref", "--quiet", "--short", "HEAD") or commit


def compare(root: Path, fresh: Path) -> Adoption:
    """Hold a fresh copy of the template against the project; nothing is written."""
    made = Adoption(answers_in((fresh / ANSWERS).read_text("utf-8"))["_commit"])
    for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
        name, theirs, mode = path.relative_to(fresh).as_posix(), path.read_bytes(), path.stat().st_mode & 0o111
        here = root / name
        if any(up.is_symlink() or up.is_file() for up in here.parents if up != root and up.is_relative_to(root)):
            made.kept.append(f"{name}: a file or link of yours stands where its folder would be")
        elif not os.path.lexists(here):
            new = next((up for up in [*reversed(Path(name).parents)][1:] if not (root / up).exists()), None)
            made.added[f"{new.as_posix()}/" if new else name] += 1
            made.write[name] = (theirs, mode)
        elif here.is_symlink() or not here.is_file():
            made.kept.append(f"{name}: yours is no plain file")
        elif (mine := here.read_bytes()) != theirs:
            merge(made, name, mine, theirs, mode | (here.stat().st_mode & 0o111))
    return made


def merge(made: Adoption, name: str, mine: bytes, theirs: bytes, mode: int) -> None:
    """Merge a file that both have, their common lines being its origin."""
    if b"\0" in mine + theirs:
        made.kept.append(f"{name}: yours is kept, as it is binary")
        return
    mine_lines, their_lines = mine.splitlines(keepends=True), theirs.splitlines(keepends=True)
    blocks = difflib.SequenceMatcher(None, mine_lines, their_lines, autojunk=False).get_matching_blocks()
    common = b"".join(line for block in blocks for line in mine_lines[block.a : block.a + block.size])
    with tempfile.TemporaryDirectory() as folder:
        files = {"yours": mine, "common": common, "dagwright": theirs}
        for side, content in files.items():
            (Path(folder) / side).write_bytes(content)
        union = ["--union"] if Path(name).name in UNION else []
        command = ["git", "merge-file", "-p", *union, *(word for side in files for word in ("-L", side)), *files]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode < 0 or done.returncode > 127:
        made.kept.append(f"{name}: yours is kept, as git could not merge it: {done.stderr.decode(errors='replace')}")
        return
    (made.conflicts if done.returncode else made.merged).append(name)
    made.write[name] = (done.stdout, mode)
    if done.returncode:
        made.stages[name] = (common, mine, theirs)


def bring_in(root: Path, made: Adoption, branch: str) -> None:
    """Write everything on a branch of its own; git knows the conflicts."""
    git(root, "switch", "--quiet", "--create", branch)
    prefix = git(root, "rev-parse", "--show-prefix")
    for name, (content, mode) in made.write.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(path.stat().st_mode | mode)
    settled = [name for name in made.write if name not in made.stages]
    git(
        root, "add", "--pathspec-from-file=-", "--pathspec-file-nul", stdin="\0".join(f":(literal){n}" for n in settled)
    )
    for name, sides in made.stages.items():
        listing = f"0 {'0' * 40}\t{prefix}{name}\0"
        for stage, content in enumerate(sides, 1):
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                listing += (
                    f"100644 {git(root, 'hash-object', '-w', '--no-filters', file.name)} {stage}\t{prefix}{name}\0"
                )
        git(root, "update-index", "-z", "--index-info", stdin=listing)


def report(made: Adoption, place: str, branch: str) -> None:
    """Say what was done and what to do."""
    for title, names in (
        ("Added:", [f"{name} ({count} files)" if count > 1 else name for name, count in made.added.items()]),
        ("Merged with yours:", made.merged),
        ("Good to know:", made.kept),
        ("For you to settle, as both say something else:", made.conflicts),
    ):
        if names:
            print("\n  ".join([title, *names]))
    print(f"You are on the branch {branch}.")
    if made.conflicts:
        print("Edit each file between its markers, or take one side whole: git checkout --ours FILE keeps yours,")
        print("git checkout --theirs FILE takes the template's. Then git add FILE.")
    print("Run uv sync and uv run dg check defs, then: git commit -m 'Adopt dagwright'")
    print("Where assets of yours break policy.yaml, its mode `warn` lets them load while you mend them.")
    print(f"To undo it all instead: git checkout --force {place} && git branch -D {branch} && git clean -fd")


def main() -> int:
    """Read the command line and adopt; every refusal is one message and exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, help="the project's folder")
    parser.add_argument("--data", metavar="NAME=VALUE", action="append", default=[], help="an answer")
    parser.add_argument("--template", default=str(TEMPLATE), help="address of dagwright; the clone this file is in")
    parser.add_argument("--to", metavar="VERSION", help="the release to adopt; without it, the newest one")
    chosen = parser.parse_args()
    root = chosen.project.resolve()
    try:
        place = look_at(root)
        flags = [word for answer in chosen.data for word in ("--data", answer)]
        flags += ["--vcs-ref", chosen.to] if chosen.to else []
        with tempfile.TemporaryDirectory(prefix="dagwright-adopt-", ignore_cleanup_errors=True) as folder:
            fresh = Path(folder) / "fresh"
            run(
                [*find_copier(root), "copy", "--defaults", "--quiet", *flags, chosen.template, str(fresh)], Path(folder)
            )
            made = compare(root, fresh)
        branch = f"adopt/dagwright-{made.version}"
        if ask(root, "rev-parse", "--quiet", "--verify", f"refs/heads/{branch}"):
            raise Stop(f"The branch {branch} exists already. Delete it with `git branch -D {branch}`.")
        bring_in(root, made, branch)
    except (Stop, KeyboardInterrupt) as reason:
        print(f"Nothing was adopted. {reason}", file=sys.stderr)
        return 2
    report(made, place, branch)
    return 1 if made.conflicts else 0


if __name__ == "__main__":
    sys.exit(main())
