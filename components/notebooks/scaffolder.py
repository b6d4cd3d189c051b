"""The first notebook and its defs.yaml: both run as they are."""

import json
from typing import Any

import dagster as dg
from pydantic import BaseModel, Field

_INTRODUCTION = """# {title}

Values of the next cell come from `defs.yaml` when Dagster runs this notebook; here they are defaults.
"""
_PARAMETERS = """# This cell has the tag "parameters": parameters of defs.yaml replace these values.
rows = 200
seed = 7
run_context = {}  # filled in by Dagster: experiment_id, run_id, run_date, environment, asset_key, partition_key
"""
_WORK = """import random

random.seed(seed)
values = [random.gauss(100, 15) for _ in range(rows)]
mean = sum(values) / len(values)
print(f"{len(values)} values, mean {mean:.2f}")
"""
_CHART = """from collections import Counter

from IPython.display import SVG

bins = Counter(int(value // 10) * 10 for value in values)
bars, labels = [], []
for column, low in enumerate(range(min(bins), max(bins) + 10, 10)):
    height = 120 * bins[low] / max(bins.values())
    bars.append(f'<rect x="{column * 44}" y="{130 - height:.0f}" width="40" height="{height:.0f}" fill="#4f6df5"/>')
    labels.append(f'<text x="{column * 44 + 20}" y="146" font-size="11" text-anchor="middle">{low}</text>')
SVG(f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(bars) * 44}" height="150">{"".join(bars + labels)}</svg>')
"""
_METRICS = """# What is displayed as this type becomes metadata of the asset in Dagster.
from IPython.display import display

metrics = {"rows": len(values), "mean": round(mean, 3)}
display({"application/vnd.dagster.metadata+json": metrics, "text/plain": repr(metrics)}, raw=True)
"""


class NotebookParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_]+/[A-Za-z0-9_]+)?$",
        description="Asset key; research/ and the folder's name if absent",
    )
    compute_size: str = Field(default="small", description="Compute size that policy.yaml approves")
    owner: str = Field(default="team:research", description="Who answers for the notebook")


class NotebookScaffolder(dg.Scaffolder[NotebookParams]):
    """Writes a notebook with parameters, a chart and a metric, and the YAML that runs it."""

    @classmethod
    def get_scaffold_params(cls) -> type[NotebookParams]:
        """Asset key, compute size and owner."""
        return NotebookParams

    def scaffold(self, request: dg.ScaffoldRequest[NotebookParams]) -> None:
        """Write ``defs.yaml`` and the notebook."""
        params = request.params
        name = (params.key.split("/")[1] if params.key else request.target_path.name).replace("-", "_")
        request.target_path.mkdir(parents=True, exist_ok=True)
        file = request.target_path / f"{name}.ipynb"
        file.write_text(json.dumps(first_notebook(name), indent=1) + "\n", encoding="utf-8")
        dg.scaffold_component(
            request,
            {
                "key": params.key or f"research/{name}",
                "description": "Say what the notebook finds out, and for whom.",
                "notebook": file.name,
                "compute_size": params.compute_size,
                "parameters": {"rows": 500},
                "max_runtime_minutes": 30,
                "max_cost_usd": 1.0,
                "experiment": {"id": name, "tags": ["first-run"]},
                "owners": [params.owner],
                "group": "research",
            },
        )


def first_notebook(name: str) -> dict[str, Any]:
    """A notebook, as JSON, that runs with nothing but a Python kernel.

    Args:
        name: Name of the notebook; its title too.
    """
    title = name.replace("_", " ").capitalize()
    cells = [
        _cell("introduction", "markdown", _INTRODUCTION.format(title=title)),
        _cell("parameters", "code", _PARAMETERS, tags=["parameters"]),
        _cell("work", "code", _WORK),
        _cell("chart", "code", _CHART),
        _cell("metrics", "code", _METRICS),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(name: str, kind: str, source: str, tags: list[str] | None = None) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {"tags": tags} if tags else {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {**cell, "source": source.rstrip("\n").splitlines(keepends=True)}
