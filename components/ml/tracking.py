"""MLflow for every component: where it is, who logs what, and errors that say what to do."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

URI_VARIABLE = "MLFLOW_TRACKING_URI"
REGISTRY_VARIABLE = "MLFLOW_REGISTRY_URI"
LOCAL_DATABASE = "data/mlflow.db"
LOCAL_ARTIFACTS = "data/mlartifacts"
LOCK_SECONDS = 60

# MLflow's own defaults retry an unreachable server for minutes; what the environment says still wins.
_CLIENT_LIMITS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
_UNREACHABLE = re.compile(r"Max retries exceeded|Connection refused|timed out|NameResolution|Connection aborted", re.I)
_REFUSED = re.compile(r"\b40[13]\b|UNAUTHENTICATED|PERMISSION_DENIED|Unauthorized|Forbidden", re.I)


class TrackingError(Exception):
    """MLflow that cannot be reached or refuses, told in one message without credentials.

    ``transient`` says whether trying again later may help.
    """

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient

    def as_failure(self, what: str) -> dg.Failure:
        """The failure of the step that needed MLflow; ``what`` names it."""
        return dg.Failure(description=f"{what}: {self}", allow_retries=self.transient)


@dataclass(frozen=True)
class Tracking:
    """MLflow's tracking server and registry in force.

    Args:
        uri: What MLflow is given; may hold credentials, so it is never shown.
        project_root: Folder of the local database, and of the git repository whose commit is logged.
    """

    uri: str
    project_root: Path

    @property
    def is_local(self) -> bool:
        """Whether the database is the project's own file."""
        return self.uri.startswith("sqlite:")

    @property
    def address(self) -> str:
        """The address without credentials, parameters and passwords."""
        return re.sub(r"//[^/@]*@", "//", self.uri).split("?")[0]

    @property
    def client(self) -> Any:
        """An ``mlflow.MlflowClient``; the local database is made by the first one, whoever comes first."""
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.registry_uri)

    @property
    def registry_uri(self) -> str:
        """Where models are registered; Unity Catalog, where the runs are in Databricks."""
        on_databricks = "databricks-uc" if self.uri.startswith("databricks") else self.uri
        return os.environ.get(REGISTRY_VARIABLE) or on_databricks

    def activate(self) -> Any:
        """The ``mlflow`` module, pointed at this server; raises TrackingError where it cannot be used."""
        for name, value in _CLIENT_LIMITS.items():
            os.environ.setdefault(name, value)
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        # Models name their requirements; a lock file that happens to be in the working folder is none of them.
        os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")
        import mlflow

        with self.explained():
            if self.is_local:
                with _one_process_at_a_time(self.project_root / f"{LOCAL_DATABASE}.lock"):
                    self._prepare(mlflow)
            else:
                self._prepare(mlflow)
        return mlflow

    def _prepare(self, mlflow: Any) -> None:
        # MLflow writes both addresses into the environment, where they would look like the user's own choice.
        with _unchanged(URI_VARIABLE, REGISTRY_VARIABLE):
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.registry_uri)
        self.client.search_experiments(max_results=1)

    def experiment_name(self, name: str) -> str:
        """The name of an experiment as the server takes it: in Databricks, a path of the workspace."""
        is_plain = self.uri.startswith("databricks") and not name.startswith("/")
        return f"/Shared/{name.replace('/', '.')}" if is_plain else name

    def experiment_id(self, name: str) -> str:
        """The id of an experiment, made where there is none; several processes may ask at once."""
        from mlflow.exceptions import MlflowException

        name = self.experiment_name(name)
        with self.explained():
            client = self.client
            found = client.get_experiment_by_name(name)
            if found is None:
                folder = self.project_root / LOCAL_ARTIFACTS
                try:
                    return client.create_experiment(
                        name, artifact_location=folder.absolute().as_uri() if self.is_local else None
                    )
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                    found = client.get_experiment_by_name(name)
            if found.lifecycle_stage == "deleted":
                raise TrackingError(
                    f"the MLflow experiment {name!r} at {self.address} is deleted; restore it with "
                    f"'mlflow experiments restore --experiment-id {found.experiment_id}' or name another experiment",
                    transient=False,
                )
            return found.experiment_id

    @contextmanager
    def run(self, experiment: str, name: str, tags: Mapping[str, str]) -> Iterator[Any]:
        """An MLflow run that ends FINISHED, or FAILED where the block raises.

        Args:
            experiment: Name of the experiment.
            name: Name of the run.
            tags: Tags of the run, such as those of ``context_tags``.

        Raises:
            TrackingError: MLflow cannot be reached or refuses.
        """
        mlflow = self.activate()
        experiment_id = self.experiment_id(experiment)
        with self.explained():
            # mlflow.start_run would look for a Spark session, and where only Spark's client is installed that search
            # ends the process.
            made = self.client.create_run(experiment_id, run_name=name, tags=dict(tags))
            with mlflow.start_run(run_id=made.info.run_id) as run:
                yield run

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what MLflow's client raises into a TrackingError that names the address and what to check."""
        import requests
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, requests.RequestException, sqlite3.Error) as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> TrackingError:
        words = " ".join(self._without_credentials(str(error)).split())
        if "database is locked" in words:
            told = f"the MLflow database {self.address} is locked by another program; close it, or use a server"
            return TrackingError(f"{told} ({URI_VARIABLE})", transient=True)
        if _UNREACHABLE.search(words):
            return TrackingError(
                f"MLflow at {self.address} does not answer. Check {URI_VARIABLE} and that the server runs.",
                transient=True,
            )
        if _REFUSED.search(words):
            return TrackingError(
                f"MLflow at {self.address} refuses the login. Check MLFLOW_TRACKING_USERNAME and "
                f"MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
                transient=False,
            )
        return TrackingError(f"MLflow at {self.address}: {words[:500]}", transient=False)

    def _without_credentials(self, text: str) -> str:
        text = text.replace(self.uri, self.address)
        secrets = [os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("PASSWORD", "TOKEN")]
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return re.sub(r"//[^/@\s]*@", "//", text)


def tracking(project_root: Path) -> Tracking:
    """The tracking server that ``MLFLOW_TRACKING_URI`` names, or a SQLite file of the project.

    Nothing is imported, opened or made before it is used.
    """
    uri = os.environ.get(URI_VARIABLE)
    if not uri:
        file = (project_root / LOCAL_DATABASE).absolute()
        uri = f"sqlite:///{file.as_posix()}?timeout=30"  # seconds that a writer waits for another
    return Tracking(uri=uri, project_root=project_root)


def context_tags(context: dg.AssetExecutionContext, owners: list[str], project_root: Path) -> dict[str, str]:
    """Tags that lead from an MLflow run back to the Dagster run, the asset, its owners and the code."""
    tags = {
        "dagster.run_id": context.run.run_id,
        "dagster.asset_key": context.asset_key.to_user_string(),
        "dagster.owners": ",".join(owners),
        "mlflow.user": owners[0] if owners else "dagster",
        "mlflow.source.name": context.asset_key.to_user_string(),
    }
    if context.has_partition_key:
        tags["dagster.partition"] = context.partition_key
    if commit := git_commit(project_root):
        tags["mlflow.source.git.commit"] = commit
    return tags


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out, or None outside a repository or without git."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


@contextmanager
def _one_process_at_a_time(lock: Path) -> Iterator[None]:
    """Hold SQLite's own lock on a file beside the database: it ends with the process, on every system."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(lock, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _unchanged(*variables: str) -> Iterator[None]:
    """Put environment variables back to what they were."""
    before = {name: os.environ.get(name) for name in variables}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
