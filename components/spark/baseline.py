"""Comparing a model's metrics with those of the model that it is to replace."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from .attributes import Experiment

ACCEPTED = "dagster.accepted"
CHECK = "comparison_baseline"
_LOWER = re.compile(r"loss|error|perplexity|(^|_)(mae|mse|rmse|mape)($|_)", re.IGNORECASE)


@dataclass(frozen=True)
class Baseline:
    """The metrics of an earlier model, and where they come from."""

    metrics: dict[str, float]
    origin: str


def check_record(name: str, folder: Path) -> None:
    """Look at a baseline's JSON record when definitions load, if there is one.

    Raises:
        DagsterInvalidDefinitionError: it holds something else than numbers by name.
    """
    _record(name, folder)


def find_baseline(name: str, folder: Path, client: Any) -> Baseline | None:
    """The metrics of a baseline: of its JSON record, or of its last accepted MLflow run.

    Args:
        name: ``comparison_baseline``.
        folder: Folder of the YAML; the record is ``baselines/<name>.json`` in it.
        client: An ``mlflow.MlflowClient``.
    """
    if record := _record(name, folder):
        return record
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    quoted = name.replace("'", "")
    runs = client.search_runs(
        experiments,
        filter_string=f"attributes.run_name = '{quoted}' and tags.`{ACCEPTED}` = 'true'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if not runs:
        return None
    return Baseline(dict(runs[0].data.metrics), f"MLflow run {runs[0].info.run_id}")


def _record(name: str, folder: Path) -> Baseline | None:
    file = folder / "baselines" / f"{name}.json"
    if not file.is_file():
        return None
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        metrics = {str(key): float(value) for key, value in read.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise dg.DagsterInvalidDefinitionError(
            f'{file}: expected numbers by metric, such as {{"loss": 0.31}} ({error})'
        ) from None
    return Baseline(metrics, f"baselines/{file.name}")


def verdict(experiment: Experiment, metrics: dict[str, float], baseline: Baseline | None) -> dg.AssetCheckResult:
    """Whether a model holds against its baseline, as an asset check.

    Every tracked metric that both have must be at least as good, within the tolerance. Without a baseline, or without
    a metric in common, the check fails as a warning: there was nothing to compare with.

    Args:
        experiment: What is tracked, and what the model is compared with.
        metrics: The model's own.
        baseline: What was found under the baseline's name.
    """
    name = experiment.comparison_baseline
    if baseline is None:
        told = f"{name} has no accepted run in MLflow, and there is no baselines/{name}.json: nothing to compare with"
        return _result(False, dg.AssetCheckSeverity.WARN, told, {})
    wanted = experiment.metrics_to_track or list(metrics)
    common = [metric for metric in wanted if metric in metrics and metric in baseline.metrics]
    if not common:
        told = f"{name} has none of the metrics {', '.join(wanted)}; it has: {', '.join(baseline.metrics) or 'none'}"
        return _result(False, dg.AssetCheckSeverity.WARN, told, {})
    lines = ["| metric | this model | baseline | better when | verdict |", "| --- | ---: | ---: | --- | --- |"]
    worse = []
    for metric in common:
        lower = is_lower_better(metric, experiment)
        ours, theirs = metrics[metric], baseline.metrics[metric]
        lost = (ours - theirs if lower else theirs - ours) > abs(theirs) * experiment.tolerance
        worse += [metric] if lost else []
        direction = "lower" if lower else "higher"
        lines.append(f"| {metric} | {ours:.5g} | {theirs:.5g} | {direction} | {'worse' if lost else 'holds'} |")
    told = f"worse than {name} in {', '.join(worse)}" if worse else f"holds against {name} in {', '.join(common)}"
    table = {"comparison": dg.MetadataValue.md("\n".join(lines)), "baseline": baseline.origin}
    return _result(not worse, dg.AssetCheckSeverity.ERROR, told, table)


def is_lower_better(metric: str, experiment: Experiment) -> bool:
    """Whether a metric is better when it is lower."""
    if experiment.lower_is_better is not None:
        return metric in experiment.lower_is_better
    return bool(_LOWER.search(metric))


def _result(
    passed: bool, severity: dg.AssetCheckSeverity, description: str, metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK, passed=passed, severity=severity, description=description, metadata=metadata
    )
