"""Bring the defs.yaml files below a folder to the form of this release: every migration, oldest first.

python -m <package>.migrations [FOLDER]            # from the installed component package
python -m <package>.migrations --check [FOLDER]    # show the difference, and change nothing
"""

import re
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # a migration imports defs_yaml, whichever way it is started

from defs_yaml import Migration, main  # noqa: E402 - the path comes first


def migrations() -> list[Migration]:
    """What every migration beside this file does, in order of version."""
    scripts = sorted(HERE.glob("v*.py"), key=lambda script: [int(part) for part in re.findall(r"\d+", script.stem)[:3]])
    return [step for script in scripts for step in runpy.run_path(str(script))["STEPS"]]


if __name__ == "__main__":
    sys.exit(main(*migrations()))
