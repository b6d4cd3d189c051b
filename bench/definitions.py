"""`dg check defs` and `dg list defs` of the starter beside the same definitions written by hand, in one run.

    uv run python bench/definitions.py [rounds]

The hand-written project (bench/handwritten) finds dbt's manifest ready, which is the harder rival: written as the
documentation shows, with `prepare_if_dev`, it parses dbt at every load; that figure is printed too.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from bootstrap import clean_environment, run, uv  # noqa: E402 the path comes first

from tests.rendering import copy_template, render  # noqa: E402

COMMANDS = (["check", "defs"], ["list", "defs"])


def prepare(work: Path) -> tuple[Path, Path]:
    """The starter and the hand-written project, with the same dependencies and dbt project, both loaded once."""
    starter = render(copy_template(work / "template"), work / "starter")
    run([uv(), "sync", "--quiet"], cwd=starter)
    dg(starter, ["check", "defs"])
    hand = work / "handwritten"
    shutil.copytree(ROOT / "bench" / "handwritten", hand)
    for name in ("transform", "profiles.yml"):
        copy = shutil.copytree if (starter / name).is_dir() else shutil.copy2
        copy(starter / name, hand / name)
    pyproject = (starter / "pyproject.toml").read_text()
    (hand / "pyproject.toml").write_text(
        pyproject.replace("data-platform", "handwritten")
        .replace("data_platform.components", "handwritten.components.*")
        .replace("data_platform", "handwritten")
    )
    run([uv(), "sync", "--quiet"], cwd=hand)
    dg(hand, ["check", "defs"], PREPARE_DBT="1")
    return starter, hand


def dg(project: Path, command: list[str], **extra: str) -> float:
    """Seconds that one dg command takes in a project."""
    environment = clean_environment(**extra) | {"PATH": f"{project / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    start = time.perf_counter()
    done = subprocess.run(["dg", *command], cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"dg {' '.join(command)} failed in {project}\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - start


def main(rounds: int) -> None:
    """Time each command in turn on both projects and print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        starter, hand = prepare(Path(folder))
        for command in COMMANDS:
            pairs = [(dg(starter, command), dg(hand, command)) for _ in range(rounds + 1)][1:]
            parsing = statistics.median(dg(hand, command, PREPARE_DBT="1") for _ in range(2))
            ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(a / b for a, b in pairs)
            print(
                f"dg {' '.join(command)}: starter {ours:.1f} s, by hand {theirs:.1f} s, ratio {ratio:.2f}; "
                f"by hand with prepare_if_dev {parsing:.1f} s"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
