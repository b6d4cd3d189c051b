"""How much the full component package adds to `dg list components`, against an empty project in the same environment.

    uv run python bench/listing.py          # best of five, in CPU seconds; fails above a ratio of 1.2

Both environments hold the libraries of every extra; in the first the package itself is not installed yet.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from bootstrap import clean_environment, uv  # noqa: E402 the path comes first

from tests.rendering import copy_template, render  # noqa: E402

ALLOWED = 1.2
RUNS = 5
EMPTY = '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "empty"\n'


def seconds(dg: Path, folder: Path) -> tuple[float, float]:
    """CPU seconds and wall seconds of one listing."""
    before, start = os.times(), time.monotonic()
    done = subprocess.run([dg, "list", "components"], cwd=folder, env=clean_environment(), capture_output=True)
    if done.returncode:
        sys.exit(done.stderr.decode())
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4]), time.monotonic() - start


def main() -> None:
    """Measure and print.

    Raises:
        SystemExit: the package costs more than is allowed.
    """
    with tempfile.TemporaryDirectory() as folder:
        package = render(
            copy_template(Path(folder) / "template"), Path(folder) / "package", {"kind": "component-package"}
        )
        empty = Path(folder) / "project"
        (empty / "src" / "empty" / "defs").mkdir(parents=True)
        for place in (empty / "src" / "empty", empty / "src" / "empty" / "defs"):
            (place / "__init__.py").touch()
        (empty / "pyproject.toml").write_text(EMPTY)
        dg = package / ".venv" / "bin" / "dg"
        taken: dict[str, list[tuple[float, float]]] = {"--no-install-project": [], "--compile-bytecode": []}
        for _ in range(RUNS):  # by turns, so that a busy machine is as unfair to the one as to the other
            for option, times in taken.items():
                sync = [uv(), "sync", "--quiet", "--all-extras", option]
                subprocess.run(sync, cwd=package, env=clean_environment(), check=True)
                seconds(dg, empty)  # fills the caches
                times.append(seconds(dg, empty))
    without, with_package = (min(times) for times in taken.values())
    for name, (spent, passed) in {"empty project": without, "with the package": with_package}.items():
        print(f"{name:18} {spent:6.2f} s of CPU, {passed:6.2f} s")
    ratio = with_package[0] / without[0]
    print(f"{'ratio':18} {ratio:6.2f}")
    if ratio > ALLOWED:
        sys.exit(f"Listing costs {ratio:.2f} times an empty project; at most {ALLOWED} is allowed.")


if __name__ == "__main__":
    main()
