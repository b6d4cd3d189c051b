"""A researcher's project in a temporary folder, materialised on a real Spark engine."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.component_scaffolding import scaffold_object
from dagster.components.testing import create_defs_folder_sandbox

from components.spark import SparkModelTrainingComponent, SparkTransformComponent
from tests.components.errors import everything_said

POLICY = {
    "version": 1,
    "compute_sizes": {
        "small": {"threads": 2, "memory_gb": 4, "hourly_cost_usd": 0.5},
        "large": {"threads": 2, "memory_gb": 16, "hourly_cost_usd": 36, "workers": 1},
    },
}
MEAN = """
def train(context):
    from pyspark.sql import functions as F

    mean = context.training.agg(F.avg("y")).collect()[0][0]
    for step in range(3):
        context.log_metric("loss", 1 / (step + 1), step)
    context.log_metric("mean", mean)
    context.save_model(str(mean).encode(), "mean.txt")
"""
TRAINING = {
    "model_name": "mean_model",
    "team": "research",
    "compute_size": "small",
    "data": {"source": "data/points", "validation_split": 0.2},
}

TRANSFORM = {
    "key": "data/sums",
    "description": "Sum of y for each x.",
    "compute_size": "small",
    "inputs": {"points": {"source": "data/points"}},
    "output": {"path": "data/sums"},
}
SUMS = "SELECT x, sum(y) AS total, count(*) AS n FROM points GROUP BY x"


class Lab:
    """A sandbox with a policy and 1,000 points; tests add components and materialise them."""

    def __init__(self, sandbox: Any) -> None:
        self._sandbox = sandbox
        self.root: Path = sandbox.project_root
        self.defs: Path = sandbox.defs_folder_path
        self.instance = dg.DagsterInstance.ephemeral()
        self.policy()
        self.points()

    def policy(self, **changes: Any) -> None:
        """Write policy.yaml."""
        (self.root / "policy.yaml").write_text(yaml.safe_dump({**POLICY, **changes}, sort_keys=False))

    def points(self, count: int = 1_000, folder: str = "data/points") -> Path:
        """Write a folder of Parquet with the columns id, x and y."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        ids = list(range(count))
        table = pa.table({"id": ids, "x": [float(i % 7) for i in ids], "y": [2.0 * (i % 7) for i in ids]})
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        pq.write_table(table, self.root / folder / "points.parquet")
        return self.root / folder

    def add(self, component: type, path: str, attributes: dict[str, Any], **files: str) -> Path:
        """Write a component's defs.yaml, and files beside it by name without .py."""
        folder = self.defs / path
        folder.mkdir(parents=True, exist_ok=True)
        document = {"type": f"{component.__module__}.{component.__name__}", "attributes": attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return folder

    def training(self, script: str = MEAN, **changes: Any) -> Path:
        """Add a training."""
        return self.add(SparkModelTrainingComponent, "training", {**TRAINING, **changes}, train=script)

    def transform(self, script: str | None = None, folder: str = "transform", **attributes: Any) -> Path:
        """Add a transform of the points."""
        files = {"transform": script} if script else {}
        return self.add(SparkTransformComponent, folder, {**TRANSFORM, **attributes}, **files)

    def read(self, path: str) -> list[dict[str, Any]]:
        """The rows of a folder of Parquet below the project, in order."""
        import pyarrow.dataset

        rows = pyarrow.dataset.dataset(self.root / path, partitioning="hive").to_table().to_pylist()
        return sorted(rows, key=lambda row: [str(value) for value in row.values()])

    @contextmanager
    def definitions(self) -> Iterator[dg.Definitions]:
        with self._sandbox.build_all_defs() as definitions:
            yield definitions

    def load_error(self) -> str:
        """All messages of the error that loading ends in."""
        with pytest.raises(Exception) as caught, self.definitions():  # noqa: PT011 - Dagster wraps it several times
            pass
        return everything_said(caught.value)

    def run(self, partition: str | None = None, raises: bool = True) -> dg.ExecuteInProcessResult:
        with self.definitions() as definitions:
            job = definitions.resolve_implicit_global_asset_job_def()
            return job.execute_in_process(instance=self.instance, partition_key=partition, raise_on_error=raises)

    def materialize(self, partition: str | None = None) -> dict[str, Any]:
        """Materialise everything; the metadata of the last asset."""
        return metadata_of(self.run(partition))

    def failure(self, partition: str | None = None) -> dg.Failure:
        """The failure that materialising ends in."""
        with pytest.raises(dg.Failure) as caught:
            self.run(partition)
        return caught.value

    def mlflow(self) -> Any:
        from components.ml.tracking import tracking

        return tracking(self.root).client

    def mlflow_runs(self) -> list[Any]:
        client = self.mlflow()
        return client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    event = result.get_asset_materialization_events()[-1]
    metadata = event.step_materialization_data.materialization.metadata
    return {name: value.value for name, value in metadata.items()}


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database; to make one takes two seconds, to copy it none."""
    from components.ml.tracking import LOCAL_DATABASE, Tracking

    root = tmp_path_factory.mktemp("mlflow")
    (root / LOCAL_DATABASE).parent.mkdir(parents=True)
    Tracking(f"sqlite:///{root / LOCAL_DATABASE}", root).activate()
    return root / LOCAL_DATABASE


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, mlflow_database: Path) -> Iterator[Lab]:
    """An empty project with data."""
    for name in ("SPARK_REMOTE", "COMPUTE_PROFILE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    with create_defs_folder_sandbox() as sandbox:
        made = Lab(sandbox)
        shutil.copy(mlflow_database, made.root / "data")
        yield made


def scaffolded(component: type, folder: Path, **params: Any) -> dict[str, Any]:
    """The attributes that a component's scaffolder writes."""
    kind = f"{component.__module__}.{component.__name__}"
    scaffold_object(folder, kind, json.dumps(params), "yaml", folder)
    return yaml.safe_load((folder / "defs.yaml").read_text())["attributes"]
