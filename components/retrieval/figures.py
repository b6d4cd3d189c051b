"""Figures over time: each run's, those that were last accepted, and a chart of both."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

HISTORY = "data/evaluations"
ACCEPTED = "evaluations"
_SHOWN = 40
_COLOURS = {"recall": "#2563eb", "mrr": "#9333ea", "ndcg": "#0d9488"}
_ACCEPTED_HEAD = """\
# The figures that later runs of {key} are held against. Written by
#   python -m {module} {key}
# Commit it: who accepts worse figures does so by a reviewed change.
"""


@dataclass(frozen=True)
class Figures:
    """The figures of one run.

    Args:
        moment: When, in UTC, as ISO 8601.
        baseline: The same figures of a search by BM25 over the same chunks; empty where it was not possible.
        passages: Chunks in the index.
    """

    moment: str
    run_id: str
    collection: str
    questions: int
    values: dict[str, float]
    baseline: dict[str, float]
    passages: int = 0


def history_file(project_root: Path, name: str) -> Path:
    """Where each run's figures are kept."""
    return project_root / HISTORY / f"{name}.jsonl"


def accepted_file(project_root: Path, name: str) -> Path:
    """Where the accepted figures are kept, under version control."""
    return project_root / ACCEPTED / f"{name}.yaml"


def now() -> str:
    """This moment."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def add_to_history(file: Path, figures: Figures) -> list[Figures]:
    """Note a run's figures; those of all runs, the oldest first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", newline="\n") as opened:
        opened.write(json.dumps(asdict(figures)) + "\n")
    return read_history(file)


def read_history(file: Path) -> list[Figures]:
    """The figures of all runs, the oldest first; a line that was cut off is left out."""
    if not file.is_file():
        return []
    found = []
    for line in file.read_text("utf-8").splitlines():
        try:
            found.append(Figures(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def read_accepted(file: Path) -> dict[str, float]:
    """The accepted figures; none before any were accepted.

    Raises:
        ValueError: the file is not as the command writes it.
    """
    if not file.is_file():
        return {}
    try:
        values = yaml.safe_load(file.read_text("utf-8"))["figures"]
        return {str(name): float(value) for name, value in values.items()}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError):
        raise ValueError(f"{file} is not valid; expected figures: with a number for each, as recall: 0.9") from None


def accept(file: Path, key: str, module: str, figures: Figures) -> None:
    """Write the figures of a run as those that later ones are held against."""
    document = {
        "accepted": figures.moment,
        "questions": figures.questions,
        "figures": {name: round(value, 4) for name, value in sorted(figures.values.items())},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    head = _ACCEPTED_HEAD.format(key=key, module=module)
    file.write_text(head + yaml.safe_dump(document, sort_keys=False), encoding="utf-8", newline="\n")


def chart(history: Sequence[Figures], accepted: dict[str, float], lines: Sequence[str]) -> str:
    """The figures of the last runs as a Markdown picture."""
    shown, width, height = history[-_SHOWN:], 640, 220
    step = (width - 90) / max(1, len(shown) - 1)

    def y(value: float) -> float:
        return 15 + (1 - value) * (height - 45)

    parts = [
        f'<line x1="40" x2="{width - 50}" y1="{y(at):.0f}" y2="{y(at):.0f}" stroke="#d1d5db"/>'
        f'<text x="34" y="{y(at) + 4:.0f}" text-anchor="end">{at:g}</text>'
        for at in (0, 0.25, 0.5, 0.75, 1)
    ]
    for place, name in enumerate(lines):
        colour = _COLOURS.get(name, "#4b5563")
        points = [(40 + step * at, y(item.values[name])) for at, item in enumerate(shown) if name in item.values]
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{colour}"/>' for left, top in points]
        if name in accepted:
            top = y(accepted[name])
            parts.append(
                f'<line x1="40" x2="{width - 50}" y1="{top:.1f}" y2="{top:.1f}" '
                f'stroke="{colour}" stroke-dasharray="4 4"/>'
            )
        parts.append(f'<text x="{40 + 110 * place}" y="{height - 6}" fill="{colour}">{name}</text>')
    image = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="12">{"".join(parts)}</svg>'
    )
    return f"![figures over time](data:image/svg+xml;base64,{base64.b64encode(image.encode()).decode()})"


def as_rows(values: dict[str, float], baseline: dict[str, float], accepted: dict[str, float]) -> str:
    """The figures as a Markdown table."""
    lines = ["| figure | now | accepted | BM25 |", "| --- | ---: | ---: | ---: |"]

    def cell(value: Any) -> str:
        return "" if value is None else f"{value:.3f}"

    for name, value in values.items():
        lines.append(f"| {name} | {cell(value)} | {cell(accepted.get(name))} | {cell(baseline.get(name))} |")
    return "\n".join(lines)
