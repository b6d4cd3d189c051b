#!/usr/bin/env python3
"""Show on which release of the template each of many repositories is, what it lacks, and whether an update conflicts.

python3 fleet.py REPOSITORY …                        # folders or git addresses, as a table
python3 fleet.py --file repositories.txt --html fleet.html --json fleet.json

Each repository is cloned into a throwaway folder, and its own `update.py --check` is started there: look only at
repositories that you trust. Exit code 0: every one was seen. 1: some could not be; the table says why.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

AT_ONCE = 4
SECONDS = 600
STATES = {
    "current": "up to date",
    "updates": "updates cleanly",
    "conflicts": "needs a decision",
    "failed": "not seen",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Template releases</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .5rem; text-align: left;
  vertical-align: top }}
td:first-child, td:last-child {{ overflow-wrap: anywhere }}
.state {{ white-space: nowrap; font-weight: 600 }}
.current {{ color: light-dark(#176d31, #6fd08c) }}
.updates {{ color: light-dark(#1d57b5, #8ab6ff) }}
.conflicts {{ color: light-dark(#8a5300, #ffc069) }}
.failed {{ color: light-dark(#b3261e, #ff9d95) }}
</style></head><body>
<h1>Template releases</h1>
<p>{summary}</p>
<table><thead><tr><th>repository</th><th>kind</th><th>release</th><th>newest</th><th>state</th><th>what it lacks
and what is to decide</th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


@dataclass
class Seen:
    """What was seen of one project; `state` is one of STATES."""

    repository: str
    folder: str = "."
    kind: str = ""
    release: str = ""
    newest: str = ""
    state: str = "failed"
    lacks: list[str] = field(default_factory=list)
    decide: list[str] = field(default_factory=list)
    why: str = ""


def without_password(text: str) -> str:
    """A text without what stands between :// and @."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command for at most ten minutes."""
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
    )


def look(repository: str) -> list[Seen]:
    """Every project of a repository, each by its answers file."""
    shown = without_password(repository)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        clone = Path(folder) / "clone"
        try:
            source = str(Path(repository).resolve()) if Path(repository).is_dir() else repository
            done = run(["git", "clone", "--quiet", "--", source, str(clone)], Path(folder))
            if done.returncode:
                return [Seen(shown, why=without_password(done.stderr.strip()))]
            found = [path.parent for path in sorted(clone.rglob(".copier-answers.yml")) if ".git" not in path.parts]
            return [check(shown, clone, project) for project in found] or [Seen(shown, why="no .copier-answers.yml")]
        except subprocess.TimeoutExpired:
            return [Seen(shown, why=f"no answer within {SECONDS} seconds")]


def check(repository: str, clone: Path, project: Path) -> Seen:
    """One project of a cloned repository: what its own update command would do."""
    answers = dict(re.findall(r"^(\w+): *(.*)$", (project / ".copier-answers.yml").read_text("utf-8"), re.MULTILINE))
    seen = Seen(repository, project.relative_to(clone).as_posix(), answers.get("kind", ""), answers.get("_commit", ""))
    command = project / "tools" / "update.py"
    if not command.is_file():
        seen.why = "it has no tools/update.py"
        return seen
    for key in ("user.name", "user.email"):  # the command asks for them, though a check commits nothing
        run(["git", "config", key, "fleet"], clone)
    done = run([sys.executable, str(command), "--check"], project)
    said = without_password(done.stdout + done.stderr)
    if done.returncode == 2:
        seen.why = " ".join(said.split())[-500:]
        return seen
    moved = re.search(r"^dagwright (\S+) to (\S+):$", said, re.MULTILINE)
    seen.newest = moved[2] if moved else seen.release
    entries = re.findall(r"^- (.+(?:\n  \S.*)*)", said.partition("Good to know:")[0], re.MULTILINE)
    seen.lacks = [re.sub(r"\*\*|`", "", " ".join(entry.split())) for entry in entries]
    seen.decide = re.findall(r"^  - (.+)$", said.partition("For you to decide:")[2], re.MULTILINE)
    seen.state = "conflicts" if done.returncode else "updates" if moved else "current"
    return seen


def table(fleet: list[Seen]) -> str:
    """The projects as text columns."""
    head = ("repository", "kind", "release", "newest", "state")
    rows = [(name(seen), seen.kind, seen.release, seen.newest, STATES[seen.state]) for seen in fleet]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]
    for seen, at in zip(reversed(fleet), range(len(lines), 1, -1), strict=True):
        lines[at:at] = [f"    {line}" for line in [*seen.lacks, *seen.decide, *filter(None, [seen.why])]]
    return "\n".join(lines)


def name(seen: Seen) -> str:
    """A project's repository, and its folder in it."""
    return seen.repository if seen.folder == "." else f"{seen.repository} ({seen.folder})"


def page(fleet: list[Seen]) -> str:
    """The projects as a web page of its own."""
    rows = []
    for seen in fleet:
        notes = "<br>".join(html.escape(line) for line in [*seen.lacks, *seen.decide, *filter(None, [seen.why])])
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in (name(seen), seen.kind, seen.release, seen.newest))
        rows.append(f'<tr>{cells}<td class="state {seen.state}">{STATES[seen.state]}</td><td>{notes}</td></tr>')
    return PAGE.format(summary=summary(fleet), rows="\n".join(rows))


def summary(fleet: list[Seen]) -> str:
    """How many projects are in which state."""
    counts = [(sum(seen.state == state for seen in fleet), text) for state, text in STATES.items()]
    return f"{len(fleet)} projects: " + ", ".join(f"{count} {text}" for count, text in counts if count) + "."


def main() -> int:
    """Look at every repository, a few at once, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="*", metavar="REPOSITORY", help="folder or git address")
    parser.add_argument("--file", type=Path, help="a file with one repository a line; # begins a comment")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was seen as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    chosen = parser.parse_args()
    listed = chosen.file.read_text("utf-8").splitlines() if chosen.file else []
    wanted = [*chosen.repositories, *(line.partition("#")[0].strip() for line in listed)]
    if not any(wanted):
        parser.error("name repositories, or a --file with one a line")
    fleet: list[Seen] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(look, filter(None, wanted)):
            print(f"{name(found[0])}: {STATES[found[0].state]}", file=sys.stderr)
            fleet += found
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(seen) for seen in fleet], indent=2) + "\n", "utf-8")
    if chosen.html:
        chosen.html.write_text(page(fleet), "utf-8")
    print(f"{table(fleet)}\n\n{summary(fleet)}")
    return 1 if any(seen.state == "failed" for seen in fleet) else 0


if __name__ == "__main__":
    sys.exit(main())
