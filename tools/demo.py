"""Generate the modern-data starter with default answers, install it and materialise everything.

    python3 tools/demo.py [folder]        # default: build/data-platform

Shows each phase, each asset as it is materialised, and where to look afterwards.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap import COPIER, ROOT, clean_environment, phase, run, say, uv

MATERIALISED = re.compile(r"ASSET_MATERIALIZATION - (?:Materialized value )?(?P<key>[^\n]+?)\.?$")
CHECKED = re.compile(r"ASSET_CHECK_EVALUATION - (?P<check>[^\n]+)")


def main(folder: Path) -> None:
    """Run the phases in ``folder``, which must not exist or be empty."""
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty. Name another folder: python3 tools/demo.py FOLDER")
    timings: dict[str, float] = {}
    with phase("Generate the project", timings):
        copier = [uv(), "tool", "run", "--quiet", "--from", COPIER, "copier"]
        run([*copier, "copy", "--defaults", "--quiet", "--vcs-ref", "HEAD", str(ROOT), str(folder)])
        say(f"   {folder}")
    with phase("Install it", timings):
        run([uv(), "sync", "--quiet"], cwd=folder)
    with phase("Load the data, build the tables, draw the dashboard", timings):
        launch(folder)
    report(folder, timings)


def launch(folder: Path) -> None:
    """Materialise every asset, one line each as it is done; the whole output goes to a log file."""
    log = folder / "data" / "demo.log"
    log.parent.mkdir(exist_ok=True)
    command = [uv(), "run", "--no-sync", "dg", "launch", "--assets", "*"]
    assets, checks = set(), 0
    with log.open("w") as sink:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for line in process.stdout or ():
            sink.write(line)
            if found := MATERIALISED.search(line.rstrip()):
                assets.add(key := found["key"].replace(" ", "/"))
                say(f"   {len(assets):3}  {key}")
            checks += bool(CHECKED.search(line))
    if process.wait():
        tail = "".join(log.read_text().splitlines(keepends=True)[-40:])
        sys.exit(f"{tail}\nThe run failed; the whole log is {log}")
    say(f"   {len(assets)} assets, {checks} checks")


def report(folder: Path, timings: dict[str, float]) -> None:
    """Say how long each phase took and where to look."""
    say("\n" + "\n".join(f"{seconds:6.1f} s  {name}" for name, seconds in timings.items()))
    say(f"{sum(timings.values()):6.1f} s  in all\n")
    say(f"The dashboard:   {folder / 'dashboards' / 'flights.html'}")
    say(f"The tables:      {folder / 'data' / 'warehouse.duckdb'}")
    say(f"The web UI:      cd {folder} && {'uv' if shutil.which('uv') else uv()} run dg dev")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "data-platform").resolve())
