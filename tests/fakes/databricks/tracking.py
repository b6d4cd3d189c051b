"""MLflow's tracking: MLflow's own server answers, and experiments have the names that a workspace asks for."""

import re
import threading
from functools import cached_property
from typing import Any

from starlette.responses import Response

from tests.fakes.databricks.wire import Ask, Refused, route

_FOLDERS = re.compile(r"/Shared|/Users/[^/]+")


class Tracking:
    """Experiments, runs and logged models; artifacts are files below the workspace's folder."""

    _one_at_a_time = threading.Lock()  # MLflow's server knows one store in a process

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace

    @cached_property
    def _store(self) -> Any:
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        folder = self._workspace.folder / "mlflow"
        folder.mkdir(parents=True)
        return SqlAlchemyStore(f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri())

    @property
    def runs(self) -> list[Any]:
        """Every run, the newest first."""
        everywhere = [experiment.experiment_id for experiment in self._store.search_experiments()]
        return list(self._store.search_runs(everywhere, "", 1))

    @property
    def experiments(self) -> set[str]:
        """The names of the experiments that were made."""
        return {experiment.name for experiment in self._store.search_experiments()} - {"Default"}

    @route("POST", "mlflow/experiments/create")
    def create(self, ask: Ask) -> Response:
        name = ask.body["name"]
        folder, _, last = name.rpartition("/")
        if not folder.startswith("/") or not last:
            raise Refused(
                400,
                "INVALID_PARAMETER_VALUE",
                f"Got an invalid experiment name '{name}'. An experiment name must be an absolute path within the "
                "Databricks workspace, e.g. '/Users/<some-username>/my-experiment'.",
            )
        if not _FOLDERS.fullmatch(folder):
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Workspace directory '{folder}' not found")
        return self._answer("experiments/create", ask)

    @route("GET", "mlflow/{rest}")
    @route("POST", "mlflow/{rest}")
    @route("PATCH", "mlflow/{rest}")
    @route("DELETE", "mlflow/{rest}")
    def others(self, ask: Ask) -> Response:
        return self._answer(ask["rest"], ask)

    def _answer(self, path: str, ask: Ask) -> Response:
        from mlflow.server import app, handlers

        with self._one_at_a_time:
            handlers._tracking_store = self._store
            try:
                answer = app.test_client().open(
                    f"/api/2.0/mlflow/{path}",
                    method=ask.method,
                    query_string=ask.query,
                    data=ask.raw,
                    content_type="application/json",
                )
            finally:
                handlers._tracking_store = None
        return Response(answer.data, answer.status_code, media_type="application/json")
