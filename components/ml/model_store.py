"""Models in MLflow: logging a trained one, finding the latest, and loading one to predict with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from .job import Finished
from .loaded import TRUSTED, Loaded, load_pipeline
from .tracking import Tracking

PROFILE, HELD_OUT, TRIALS = "profile.json", "held_out.parquet", "trials.json"


@dataclass(frozen=True)
class Candidate:
    """The latest model of a training."""

    run_id: str
    model_uri: str
    task: str
    target: str
    features: list[str]
    metrics: dict[str, float]


def log_training(tracking: Tracking, request: dict[str, Any], finished: Finished) -> str:
    """Log a finished training to the run that is active; the address of the model.

    Args:
        tracking: MLflow in force.
        request: What was asked of the training.
        finished: What came of it.
    """
    import pandas as pd

    mlflow = tracking.activate()
    report = finished.report
    with tracking.explained():
        mlflow.log_params(_parameters(request, report))
        mlflow.log_metrics(report["metrics"])
        mlflow.set_tags({"task": request["task"], "target": request["target"], "algorithm": request["algorithm"]})
        for name, svg in report["charts"].items():
            mlflow.log_text(svg, f"charts/{name}.svg")
        described = {name: report[name] for name in ("profile", "classes", "feature_importance", "versions")}
        asked = {name: request[name] for name in ("task", "target", "features", "algorithm", "seed")}
        one_hot = request["preprocessing"]["one_hot"]
        mlflow.log_text(json.dumps({**described, **asked, "one_hot": one_hot}), PROFILE)
        if report["trials"]:
            mlflow.log_text(json.dumps(report["trials"], indent=1), TRIALS)
        if request["held_out_rows"]:
            mlflow.log_artifact(str(finished.held_out))
        pipeline = load_pipeline(finished.model)
        held_out = pd.read_parquet(finished.held_out)[request["features"]]
        info = mlflow.sklearn.log_model(
            pipeline,
            name="model",
            serialization_format="skops",
            skops_trusted_types=sorted(TRUSTED),
            signature=mlflow.models.infer_signature(held_out, pipeline.predict(held_out)),
            pip_requirements=[f"{name}=={version}" for name, version in report["versions"].items()],
        )
        return info.model_uri


def latest_candidate(tracking: Tracking, training: str, experiment: str | None, what: str) -> Candidate:
    """The model of the latest finished run of a training.

    Args:
        tracking: MLflow in force.
        training: Asset key of the training.
        experiment: Name of the experiment; the asset key of the training where it is None.
        what: Who asks, for the message.

    Raises:
        dg.Failure: there is none.
    """
    tracking.activate()
    name = tracking.experiment_name(experiment or training)
    with tracking.explained():
        found = tracking.client.get_experiment_by_name(name)
        runs = (
            tracking.client.search_runs(
                [found.experiment_id],
                filter_string=f"tags.`dagster.asset_key` = '{training}' and attributes.status = 'FINISHED'",
                order_by=["attributes.start_time DESC"],
                max_results=1,
            )
            if found
            else []
        )
        if not runs:
            raise dg.Failure(
                description=f"{what}: there is no finished run of {training} in the MLflow experiment "
                f"{name!r} at {tracking.address}; materialise {training} first",
                allow_retries=False,
            )
        tags, metrics = runs[0].data.tags, dict(runs[0].data.metrics)
        run_id = runs[0].info.run_id
        known = _profile(tracking, run_id)
        return Candidate(run_id, tags["model_uri"], tags["task"], tags["target"], known["features"], metrics)


def load_model(tracking: Tracking, model_uri: str, run_id: str) -> Loaded:
    """A model that a training logged.

    Args:
        tracking: MLflow in force.
        model_uri: Address of the model.
        run_id: The run that logged it.
    """
    mlflow = tracking.activate()
    with tracking.explained():
        known = _profile(tracking, run_id)
        pipeline = mlflow.sklearn.load_model(model_uri)
    names = ("classes", "profile", "task", "features", "one_hot", "versions")
    return Loaded(pipeline=pipeline, **{name: known[name] for name in names})


def version_by_alias(tracking: Tracking, name: str, alias: str) -> Any | None:
    """The version of a registered model that has an alias, or None where there is no such model or alias."""
    from mlflow.exceptions import MlflowException

    with tracking.explained():
        try:
            return tracking.client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise


def held_out_rows(tracking: Tracking, run_id: str, folder: Path) -> Any | None:
    """The rows that a training held out, or None where it kept none."""
    import pandas as pd

    with tracking.explained():
        if HELD_OUT not in {artifact.path for artifact in tracking.client.list_artifacts(run_id)}:
            return None
        return pd.read_parquet(tracking.client.download_artifacts(run_id, HELD_OUT, str(folder)))


def _profile(tracking: Tracking, run_id: str) -> dict[str, Any]:
    mlflow = tracking.activate()
    return dict(json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/{PROFILE}")))


def _parameters(request: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    split = {f"split_{name}": value for name, value in request["split"].items() if value is not None}
    asked = {"algorithm": request["algorithm"], "seed": request["seed"], "features": len(request["features"]), **split}
    return asked | {f"rows_{name}": count for name, count in report["rows"].items()} | report["parameters"]
