"""Accept the newest figures of an evaluation: later runs are held against them.

python -m <package>.retrieval.accept search/handbook_quality
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .figures import accept, accepted_file, history_file, read_history
from .names import index_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the accepted figures; the exit code."""
    parser = argparse.ArgumentParser(description="Accept the newest figures of an evaluation.")
    parser.add_argument("key", help="asset key of the evaluation, as search/handbook_quality")
    parser.add_argument("--project", type=Path, default=Path(), help="the project's root; this folder by default")
    chosen = parser.parse_args(arguments)
    name = index_name(chosen.key)
    history = read_history(history_file(chosen.project, name))
    if not history:
        print(f"{chosen.key} has no figures in {chosen.project.resolve()}; materialize it first", file=sys.stderr)
        return 1
    file = accepted_file(chosen.project, name)
    accept(file, chosen.key, f"{__package__}.accept", history[-1])
    values = ", ".join(f"{figure} {value:.3f}" for figure, value in history[-1].values.items())
    print(f"{file}: {values}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
