"""Rendering a starter beside Copier copying the same number of plain files of the same size, in one run.

    uv run python bench/render.py [rounds]

Cost grows with the number of files: Copier spends 5 to 6 ms on each.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import copier

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.rendering import copy_template, render  # noqa: E402 the path comes first


def plain_template(project: Path, folder: Path) -> Path:
    """A template with the same files as ``project``, none of them rendered."""
    for path in project.rglob("*"):
        if path.is_file():
            target = folder / "payload" / path.relative_to(project)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (folder / "copier.yml").write_text("_subdirectory: payload\n")
    return folder


def seconds(action: object) -> float:
    """How long a call takes, in seconds."""
    start = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - start


def main(rounds: int) -> None:
    """Time both in turn and print the medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        template = copy_template(work / "template")
        project = render(template, work / "project")
        plain = plain_template(project, work / "plain")
        count = sum(path.is_file() for path in project.rglob("*"))
        ours, copiers = [], []
        for turn in range(rounds + 1):  # the first turn warms both up and is dropped
            ours.append(seconds(lambda turn=turn: render(template, work / f"a{turn}")))
            copiers.append(seconds(lambda turn=turn: copier.run_copy(str(plain), work / f"b{turn}", quiet=True)))
        mine, theirs = statistics.median(ours[1:]), statistics.median(copiers[1:])
        print(f"{count} files: template {mine:.3f} s, plain files {theirs:.3f} s, ratio {mine / theirs:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
