"""Run the repository's tests: everything, or only the fast ones.

python3 tools/test.py              # all, end-to-end ones too; installs what they need
python3 tools/test.py --fast       # on every save: under two minutes
python3 tools/test.py -k policy    # other arguments go to pytest

A full run writes docs/reference/status.md from its results.
"""

import shutil
import sys
from pathlib import Path

from bootstrap import ROOT, debian, run, uv

SLOW = "e2e or browser or postgres or mariadb"


def main(arguments: list[str]) -> None:
    """Install the development environment and start pytest in it."""
    fast = "--fast" in arguments
    if not fast:
        browser_and_server()
    run([uv(), "sync", "--quiet"], cwd=ROOT)
    # A file's tests stay together, as they share installed projects and servers; long ones first, by tests/conftest.py.
    pytest = [uv(), "run", "--no-sync", "pytest", "--numprocesses", "auto"]
    pytest += ["--dist", "loadfile", "--no-loadscope-reorder"]
    pytest += [argument for argument in arguments if argument != "--fast"]
    if arguments:
        run([*pytest, "-m", f"not ({SLOW})"] if fast else pytest, cwd=ROOT)
        return
    try:
        run([*pytest, "--slot-results", "build/slots.json"], cwd=ROOT)
    finally:
        run([uv(), "run", "--no-sync", "python", "tools/status.py"], cwd=ROOT)


def browser_and_server() -> None:
    """Install what the end-to-end tests drive, where it is missing: Chromium, PostgreSQL, MariaDB, Node and Java."""
    missing = []
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        missing += ["chromium", "chromium-driver"]
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        missing += ["postgresql"]
    if not (shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")):
        missing += ["mariadb-server"]
    if not shutil.which("npm"):
        missing += ["nodejs", "npm"]
    if not shutil.which("java"):
        missing += ["default-jre-headless"]
    if missing:
        debian(*missing)


if __name__ == "__main__":
    main(sys.argv[1:])
