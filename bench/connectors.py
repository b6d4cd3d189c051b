"""`dg check defs` and `dg list defs` of a project with every connector configured, against the default starter.

    uv run python bench/connectors.py       # best of three by turns, in CPU seconds; fails above a ratio of 1.3

Every connector is every REST API that the question `sources` names; beside it stands a project with every source, which
brings Dagster's own libraries for Fivetran, Airbyte and Sling too. No variable is set, and nothing is fetched.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from bootstrap import clean_environment, run, uv  # noqa: E402 the path comes first

from tests.rendering import asked_questions, copy_template, render  # noqa: E402

CONNECTORS = ROOT / "components" / "ingestion" / "connectors"
ALLOWED = 1.3
RUNS = 3
COMMANDS = (("check", "defs"), ("list", "defs"))


def seconds(project: Path, *command: str) -> tuple[float, float]:
    """CPU seconds and wall seconds of one dg command, with those of the processes that it starts."""
    environment = clean_environment() | {"PATH": f"{project / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    before, start = os.times(), time.monotonic()
    done = subprocess.run(["dg", *command], cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"dg {' '.join(command)} failed in {project}\n{done.stdout}\n{done.stderr}")
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4]), time.monotonic() - start


def prepared(template: Path, project: Path, sources: list[str]) -> Path:
    """A project that was installed and loaded once, so that its caches are filled."""
    render(template, project, {"sources": sources})
    run([uv(), "sync", "--quiet", "--compile-bytecode"], cwd=project)
    for command in COMMANDS:
        seconds(project, *command)
    return project


def main() -> None:
    """Measure and print.

    Raises:
        SystemExit: the connectors cost more than is allowed.
    """
    sources = list(asked_questions()["sources"]["choices"].values())
    connectors = [name for name in sources if (CONNECTORS / f"{name}.yaml").is_file()]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        template = copy_template(Path(folder) / "template")
        projects = {
            "starter": prepared(template, Path(folder) / "starter", []),
            f"{len(connectors)} connectors": prepared(template, Path(folder) / "connectors", connectors),
            f"{len(sources)} sources": prepared(template, Path(folder) / "sources", sources),
        }
        for command in COMMANDS:
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in projects}
            for _ in range(RUNS):  # by turns, so that a busy machine is as unfair to the one as to the other
                for name, project in projects.items():
                    taken[name].append(seconds(project, *command))
            best = {name: min(times) for name, times in taken.items()}
            for name, (spent, passed) in best.items():
                ratio = spent / best["starter"][0]
                print(f"dg {' '.join(command)}: {name:13} {spent:6.2f} s of CPU, {passed:6.2f} s, ratio {ratio:.2f}")
            worst = max(worst, best[f"{len(connectors)} connectors"][0] / best["starter"][0])
    if worst > ALLOWED:
        sys.exit(f"Every connector costs {worst:.2f} times the starter; at most {ALLOWED} is allowed.")


if __name__ == "__main__":
    main()
