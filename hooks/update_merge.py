"""Work out in a throwaway repository what an update makes of a project, without touching the project.

Copier renders the release that the project has and the one that it gets, migrations lift the first to the form of the
second, and git merges the difference between the two with the last commit. A plain `copier update` beside it is a
second opinion: every file in which the two differ is named.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from update_changelog import concerning, numbers

ANSWERS = ".copier-answers.yml"
CHANGELOG = "changelog.md"  # beside this file
COPIER = "copier>=9.18,<10"
WHOLE_FILE = "--context-lines=1000000"  # Copier then merges three ways instead of looking for similar lines
HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
IDENTITY = {f"GIT_{who}_{what}": "dagwright" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
GIT = ["git", "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "core.safecrlf=false"]
GIT += ["-c", "gc.auto=0", "-c", "protocol.file.allow=always"]
MERGE = ["-c", "merge.renames=true", "-c", "merge.renameLimit=20000", "-c", "merge.directoryRenames=false"]
MERGE += ["-c", "merge.conflictStyle=merge", "merge-tree", "--write-tree", "-z", "--messages"]
ABSENT = f"0 {'0' * 40}"
Environment = dict[str, str]
Entries = dict[str, str]  # path: "mode object"
Stages = dict[str, dict[int, str]]  # path in conflict: {1 the old release, 2 yours, 3 the new release: "mode object"}


class Stop(Exception):  # noqa: N818 - ending an update early is not an error of the program
    """The update ends here, and nothing of the project was changed; the message never shows a password."""

    def __init__(self, message: str) -> None:
        super().__init__(re.sub(r"://[^/@\s]+@", "://***@", message))


@dataclass
class Outcome:
    """What an update makes of a project: its files before and after, and what there is to say and to decide."""

    old: str
    new: str
    before: Entries
    after: Entries
    stages: Stages = field(default_factory=dict)
    decide: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)

    def changes(self) -> Entries:
        """The paths whose entry changes, removals first, each with what it becomes."""
        paths = sorted(self.before.keys() | self.after.keys(), key=lambda path: (path in self.after, path))
        return {p: self.after.get(p, ABSENT) for p in paths if self.before.get(p) != self.after.get(p)}


def run(command: list[str], cwd: Path, ok: range = range(1), stdin: str = "", env: Environment | None = None) -> str:
    """The output of a command without its last newline; raises Stop when the exit code is not in `ok`."""
    own = {key: value for key, value in os.environ.items() if key not in HOOK_VARIABLES}
    own |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"} | (env or {})  # no lock that a kill would leave behind
    done = subprocess.run(command, cwd=cwd, env=own, input=os.fsencode(stdin), capture_output=True, check=False)
    if done.returncode not in ok:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        if any(line.startswith("Traceback") for line in said):
            said = [line for line in said if not re.match(r"Traceback|  [^|]*$", line)]
        what = " ".join(word for word in command if not re.match(r"-c$|(core|gc|merge|protocol)\.", word))
        raise Stop("\n  ".join([f"`{what}` failed:", *said[-8:]]))
    return os.fsdecode(done.stdout).removesuffix("\n")


def git(cwd: Path, *words: str, ok: range = range(1), stdin: str = "", env: Environment | None = None) -> str:
    """The output of a git command; hooks and housekeeping are off."""
    return run([*GIT, *words], cwd, ok, stdin, env)


def ask(cwd: Path, *words: str, stdin: str = "") -> str:
    """The output of a git command that may have nothing to say."""
    return git(cwd, *words, ok=range(129), stdin=stdin)


def git_path(root: Path, name: str) -> Path:
    """Where git keeps a file of its own."""
    return Path(git(root, "rev-parse", "--path-format=absolute", "--git-path", name))


def answers_in(text: str) -> dict[str, str]:
    """The answers of an answers file, each as the YAML text behind its name."""
    return {key: value.strip() for key, value in re.findall(r"^(\w+):(.*(?:\n(?=[\s-]).*)*)", text, re.MULTILINE)}


def find_copier(cwd: Path) -> list[str]:
    """The command that starts a Copier of a version that is known to work; raises Stop when there is none."""

    def fits(version: str) -> bool:
        return [9, 18] <= numbers(version) < [10]

    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        if fits(importlib.metadata.version("copier")):
            return [sys.executable, "-m", "copier"]
    for command in (["copier"], ["uvx", "--from", COPIER, "copier"]):
        if shutil.which(command[0]) and fits(run([*command, "--version"], cwd, range(256))):
            return command
    raise Stop(f"Copier was not found. Install uv, or Copier itself: pipx install '{COPIER}'.")


def commit_all(room: Path) -> str:
    """Commit everything in the throwaway repository, ignored files too; return the commit."""
    git(room, "add", "--all", "--force")
    git(room, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message=all", env=IDENTITY)
    return git(room, "rev-parse", "HEAD")


def hold(room: Path, commit: str) -> None:
    """Make the folder of the throwaway repository hold exactly `commit`."""
    git(room, "checkout", "--quiet", "--force", "--detach", commit)
    git(room, "clean", "-ffdxq")


def entries(room: Path, tree: str) -> Entries:
    """Mode and object of every path in a tree."""
    lines = [line.split("\t", 1) for line in git(room, "ls-tree", "-r", "-z", tree).split("\0") if line]
    return {path: " ".join(meta.split(" ")[::2]) for meta, path in lines}


def migrate(room: Path, commit: str, scripts: list[Path]) -> str:
    """Lift a commit to the new release's form by its migrations; return the commit with what they changed."""
    hold(room, commit)
    for script in scripts:
        declares = "# /// script" in script.read_text(encoding="utf-8") and shutil.which("uv")
        start = ["uv", "run", "--quiet", "--no-project", "--script"] if declares else [sys.executable]
        run([*start, str(script), str(room)], room, env={"PYTHONDONTWRITEBYTECODE": "1"})
    return commit_all(room)


def merge(room: Path, base: str, sides: dict[str, str]) -> tuple[Entries, Stages, dict[str, str]]:
    """Merge three ways: the merged entries, the stages of the paths in conflict, and what git says of each."""
    start = git(room, "commit-tree", f"{base}^{{tree}}", "-m", "base", env=IDENTITY)
    for name, side in sides.items():
        made = git(room, "commit-tree", f"{side}^{{tree}}", "-p", start, "-m", name, env=IDENTITY)
        git(room, "update-ref", f"refs/heads/{name}", made)
    tree, *records = git(room, *MERGE, *sides, ok=range(2)).split("\0")
    stages: Stages = {}
    while records and records[0]:
        (entry, path), records = records[0].split("\t", 1), records[1:]
        stages.setdefault(path, {})[int(entry[-1])] = entry[:-2]
    said: dict[str, str] = {}
    while len(records) > 3:  # the end of what came before, the number of paths, the paths, the kind, the message
        count = int(records[1])
        said |= {p: records[count + 3].strip() for p in records[2 : count + 2] if "CONFLICT" in records[count + 2]}
        records = records[count + 3 :]
    return entries(room, tree), stages, said


def differences(copiers: Entries, merged: Entries, aside: set[str]) -> list[str]:
    """What a plain `copier update` would have made of the files in which it differs from the merge."""
    words = {(False, True): "lose", (True, False): "bring back", (True, True): "get wrong"}
    return [
        f"{path}: a plain `copier update` would {words[path in copiers, path in merged]} this file; the merge did not."
        for path in sorted((copiers.keys() | merged.keys()) - aside)
        if copiers.get(path) != merged.get(path)
    ]


def in_the_way(root: Path, path: str, tracked: Entries) -> bool:
    """Whether something that is in no commit, because git ignores it, stands where `path` would go."""
    above = (up.as_posix() for up in Path(path).parents)
    files = (up for up in above if up not in tracked and os.path.lexists(root / up) and not (root / up).is_dir())
    return path not in tracked and (os.path.lexists(root / path) or any(files))


def settle(root: Path, outcome: Outcome, have: Entries, get: Entries, said: dict[str, str], answers: str) -> None:
    """Apply what Copier means by an update, where it is not a plain merge, and collect what must be decided."""
    before, after, stages = outcome.before, outcome.after, outcome.stages

    def leave_alone(path: str, why: str) -> None:
        after.pop(path, None)
        stages.pop(path, None)
        message = said.pop(path, None)
        for other in [name for name, same in said.items() if same == message and name not in stages]:
            del said[other]
        if path != answers:
            outcome.notes.append(f"{path}: {why}")

    for path in sorted(path for path, seen in stages.items() if seen.keys() == {1, 3} and path in have):
        blobs = " ".join(stages[path][stage].split(" ")[1] for stage in (1, 3))
        leave_alone(path, f"you deleted or moved it, and away it stays. The release's part: git diff {blobs}")
    leave_alone(answers, "the answers are the new release's")
    after[answers] = get[answers]
    incoming = "\0".join(path for path in after if path not in before)
    ignored = ask(root, "check-ignore", "-z", "--stdin", "--no-index", stdin=incoming).split("\0")
    for path in sorted(have.keys() | get.keys() | after.keys()):
        standing = in_the_way(root, path, before) and have.get(path) != get.get(path)
        if (standing or path in ignored) and after.get(path) in (None, get.get(path)):
            theirs = f"git show {get[path].split(' ')[1]}" if path in get else "none any more"
            leave_alone(path, f"git ignores it here, so it was left alone. The release's: {theirs}")
    for path in sorted(stages.keys() | said.keys()):
        seen, says = stages.get(path, {}), said.get(path) or f"CONFLICT: {path}"
        if 3 in seen and after.get(path) == seen.get(2):
            says += f" Yours is in place; the other side: git show :3:./{path}"
            if seen[3] != get.get(path):  # a file that the release renamed to this name, with your edits of it
                after[f"{path}~{outcome.new}"] = seen[3]
                says += f", also in {path}~{outcome.new}"
        if says not in outcome.decide:  # git says the same of both names of a renamed file
            outcome.decide.append(says)
    for path in sorted((after.keys() | stages.keys()) - before.keys()):
        if in_the_way(root, path, before):
            raise Stop(f"{root / path} is in no commit, and a file with edits of yours would go there. Move it away.")


def plan(root: Path, room: Path, flags: list[str], asked: set[str], answers: str = ANSWERS) -> Outcome:
    """Render, merge and compare in the throwaway repository.

    Args:
        root: The project's folder; it is only read.
        room: The folder of the throwaway repository, which does not exist yet.
        flags: Further options for `copier update`.
        asked: The names of the answers that `flags` change.
        answers: The answers file: the project's, or that of a component that joined it.

    Raises:
        Stop: Copier, git or a migration failed, or an answer is to no question.
    """
    copier = find_copier(root)

    def render(verb: str, *more: str) -> str:
        run([*copier, verb, "--defaults", "--quiet", "--answers-file", answers, *more, str(room)], root, env=IDENTITY)
        return commit_all(room)

    git(root, "init", "--quiet", "--template=", str(room))
    (room / ".git/objects/info/alternates").write_bytes(os.fsencode(git_path(root, "objects")) + b"\n")
    for key in ("core.autocrlf", "core.eol"):
        if value := ask(root, "config", key):
            git(room, "config", key, value)
    yours = git(room, "commit-tree", git(root, "rev-parse", "HEAD:./"), "-m", "yours", env=IDENTITY)
    old = answers_in(git(room, "checkout", yours, "--", answers) or git(room, "show", f"{yours}:{answers}"))
    try:
        base = render("recopy", "--overwrite", "--vcs-ref=:current:")
    except Stop as reason:
        names = f"{answers} names the release {old['_commit']} of {old['_src_path']}, which cannot be made again."
        raise Stop(f"{names} If the template moved, correct _src_path there and commit that.\n{reason}") from None
    theirs = render("update", *flags)
    new = answers_in(git(room, "show", f"{theirs}:{answers}"))
    have, get, before = (entries(room, side) for side in (base, theirs, yours))
    if unknown := ", ".join(sorted(asked - new.keys())):
        raise Stop(f"No question is named {unknown}; there are {', '.join(key for key in new if key[0] != '_')}.")
    if have == get:
        return Outcome(old["_commit"], new["_commit"], before, before)
    tools = Path(__file__).resolve().parent.relative_to(root)
    if (shipped := room / tools / "migrations").is_dir():
        shutil.copytree(shipped, room.parent / "migrations")

    sides = {"yours": yours, f"dagwright-{new['_commit']}": theirs}
    after, stages, said = merge(room, base, sides)
    notes = []
    if before != have:
        hold(room, yours)
        try:
            notes = differences(entries(room, render("update", WHOLE_FILE, *flags)), after, {answers, *stages, *said})
        except Stop as reason:
            notes = [f"A plain `copier update` would have failed; the merge did not. {reason}"]
    scripts = sorted((room.parent / "migrations").glob("v*.py"), key=lambda script: numbers(script.stem))
    since = numbers(old["_commit"]) if re.match(r"v?\d+\.\d+", old["_commit"]) else []
    if due := [script for script in scripts if numbers(script.stem) >= since]:
        # The new release renders no seeded file, so those that it leaves as they were are lifted on its side too.
        base, *both = (migrate(room, side, due) for side in (base, *sides.values()))
        sides = dict(zip(sides, both, strict=True))
        have, get = entries(room, base), entries(room, both[1])
        after, stages, said = merge(room, base, sides)
        notes += [f"The migration {script.name} ran." for script in due]
    outcome = Outcome(old["_commit"], new["_commit"], before, after, stages, notes=notes)
    changelog = ask(room, "show", f"{theirs}:{tools.as_posix()}/{CHANGELOG}")
    outcome.news = concerning(changelog, new.get("kind", ""), outcome.old, outcome.new)
    settle(root, outcome, have, get, said, answers)
    for key in sorted((old.keys() & new.keys()) - {*asked, "_commit", "_src_path"}):
        if re.sub(r"[\s'\"]", "", old[key]) != re.sub(r"[\s'\"]", "", new[key]):
            outcome.decide.append(f"The answer {key} was {old[key]} and is now {new[key]}: the release changed it.")
    return outcome


def collect(room: Path, outcome: Outcome, into: Path) -> None:
    """Bring the objects of an outcome into the object store of the project at `into`."""
    listing = "".join(f"{entry}\t{path}\0" for path, entry in outcome.after.items())
    git(room, "read-tree", "--empty")
    git(room, "update-index", "-z", "--index-info", stdin=listing)
    label = f"dagwright-{outcome.new}"
    merged = git(room, "commit-tree", git(room, "write-tree"), "-p", "yours", "-p", label, "-m", "merged", env=IDENTITY)
    git(room, "update-ref", "refs/heads/merged", merged)
    git(into, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", str(room), "refs/heads/merged")
