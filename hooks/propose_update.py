#!/usr/bin/env python3
"""Propose an update of this project as a pull or merge request: what the scheduled CI job runs.

python3 tools/propose_update.py github    # needs gh and its token in GH_TOKEN
python3 tools/propose_update.py gitlab    # needs a remote that may be pushed to

It updates on a branch, runs the project's tests there, and opens the request with what the changelog says. An update
that a person has to settle is not proposed: the job fails and lists what there is to decide.
Exit code 0: nothing to do, or proposed. 1: proposed, but the tests fail. 2: not proposed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIER = "copier>=9.18,<10"
AVAILABLE = 2  # exit code of `copier check-update --quiet`
CHECKS = (
    ["uv", "sync", "--quiet"],
    ["uv", "run", "dg", "utils", "refresh-defs-state"],
    ["uv", "run", "dg", "check", "defs"],
    ["uv", "run", "pytest"],
)
AUTHOR = {f"GIT_{who}_NAME": "dagwright" for who in ("AUTHOR", "COMMITTER")}
AUTHOR |= {f"GIT_{who}_EMAIL": "dagwright@localhost" for who in ("AUTHOR", "COMMITTER")}
MARKS = r"^(<{7}|>{7}) "


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project; its output is kept."""
    own = AUTHOR | dict(os.environ)
    return subprocess.run(command, cwd=ROOT, env=own, text=True, capture_output=True, errors="replace", check=False)


def must(*command: str) -> str:
    """The output of a command that has to succeed; raises SystemExit with what it said."""
    done = run(*command)
    if done.returncode:
        print(f"`{' '.join(command[:2])} …` failed:\n{(done.stderr or done.stdout).strip()}", file=sys.stderr)
        raise SystemExit(2)
    return done.stdout.strip()


def is_available() -> bool:
    """Whether the template has a newer release; raises SystemExit where that cannot be told."""
    done = run("uvx", "--from", COPIER, "copier", "check-update", "--quiet")
    if done.returncode not in (0, AVAILABLE):
        print(f"The template could not be asked: {(done.stderr or done.stdout).strip()[-2000:]}", file=sys.stderr)
        raise SystemExit(2)
    return done.returncode == AVAILABLE


def marked_files() -> list[str]:
    """Files with conflict markers."""
    found = run("git", "grep", "-lIE", MARKS, "--", ".")
    return found.stdout.split("\n")[:-1]


def failed_check() -> tuple[str, str] | None:
    """The first of the project's checks that fails, and the end of what it said."""
    for command in CHECKS:
        done = run(*command)
        if done.returncode:
            return " ".join(command), (done.stdout + done.stderr)[-3000:]
    return None


def propose(host: str, title: str, body: str) -> str:
    """Push the branch and open the request; return what the host said."""
    branch = must("git", "symbolic-ref", "--short", "HEAD")
    if host == "gitlab":
        lines = "<br>".join(body.splitlines())
        options = ["merge_request.create", f"merge_request.title={title}", f"merge_request.description={lines}"]
        push = run("git", "push", "--force", *(word for each in options for word in ("-o", each)), "origin", branch)
        if push.returncode:
            raise SystemExit(f"The branch {branch} could not be pushed: {push.stderr.strip()}")
        return push.stderr.strip()
    must("git", "push", "--quiet", "--force", "origin", branch)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body.md"
        file.write_text(body, encoding="utf-8")
        if run("gh", "pr", "view", branch, "--json", "url").returncode == 0:
            return must("gh", "pr", "edit", branch, "--title", title, "--body-file", str(file))
        return must("gh", "pr", "create", "--head", branch, "--title", title, "--body-file", str(file))


def main() -> int:
    """Carry out the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host", choices=["github", "gitlab"], help="where the repository is")
    host = parser.parse_args().host
    if not is_available():
        print("This project has the newest release of its template.")
        return 0
    update = run(sys.executable, str(Path(__file__).with_name("update.py")))
    print(update.stdout + update.stderr)
    if update.returncode or (left := marked_files()):
        files = "" if update.returncode else f" Conflict markers are in {', '.join(left)}."
        print(f"Not proposed: somebody has to settle it, with python3 tools/update.py.{files}", file=sys.stderr)
        return 2
    versions = re.search(r"^dagwright (\S+) to (\S+):$", update.stdout, re.MULTILINE)
    title = f"Update dagwright from {versions[1]} to {versions[2]}" if versions else "Update dagwright"
    failed = failed_check()
    verdict = f"`{failed[0]}` fails:\n\n```text\n{failed[1]}\n```" if failed else "The project's checks and tests pass."
    report = update.stdout.partition("You are on the branch")[0].strip()
    must("git", "add", "--all")
    must("git", "commit", "--quiet", "--no-verify", "--message", title)
    print(propose(host, title, f"{verdict}\n\n{report}\n"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
