"""`dg check defs` of the lakehouse starter beside the same definitions written by hand, in CPU seconds, by turns.

uv run python bench/lakehouse_definitions.py [rounds]
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from bootstrap import clean_environment, run, uv  # noqa: E402 the path comes first

from tests.rendering import copy_template, render  # noqa: E402


def prepare(work: Path, kind: str, by_hand: str) -> dict[str, Path]:
    """The starter and the hand-written project, with the same dependencies."""
    starter = render(copy_template(work / "template"), work / "starter", {"kind": kind})
    hand = work / "handwritten"
    shutil.copytree(ROOT / "bench" / by_hand, hand)
    settings = (starter / "pyproject.toml").read_text().replace("data-platform", "handwritten")
    settings = settings.replace('registry_modules = ["data_platform.components"]\n', "")
    (hand / "pyproject.toml").write_text(settings.replace("data_platform", "handwritten"))
    for project in (starter, hand):
        run([uv(), "sync", "--quiet"], cwd=project)
        cpu_seconds(project)
    return {"starter": starter, "by hand": hand}


def cpu_seconds(project: Path) -> float:
    """CPU seconds that `dg check defs` takes in a project, which a busy machine changes least."""
    environment = clean_environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [project / ".venv" / "bin" / "dg", "check", "defs"],
        cwd=project,
        env=environment | {"PATH": f"{project / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"},
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(kind: str, by_hand: str) -> None:
    """Measure the starter of a kind and a folder of bench/ by turns, and print the medians and their ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        projects = prepare(Path(folder), kind, by_hand)
        taken: dict[str, list[float]] = {name: [] for name in projects}
        for _ in range(rounds):
            for name, project in projects.items():
                taken[name].append(cpu_seconds(project))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, median in medians.items():
        print(f"{name:>8}  {median:6.2f} CPU s  (best {min(taken[name]):.2f})")
    print(f"   ratio  {medians['starter'] / medians['by hand']:6.2f}")


if __name__ == "__main__":
    main("databricks", "handwritten_lakehouse")
