"""Calls of a Databricks workspace for one run, repeated where that is safe."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from ..governance.policy_compute import DatabricksProfile
from .databricks_calls import is_permanent, repeated
from .job import JobError

_T = TypeVar("_T")


class Workspace:
    """A workspace, and the folder of one run in it.

    Args:
        profile: Which; login is what the SDK finds in the environment.
        name: Name of the folder.

    Raises:
        JobError: the environment does not say where the workspace is or who logs in.
    """

    def __init__(self, profile: DatabricksProfile, name: str) -> None:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config

        host = os.environ.get(profile.host_env)
        if not host:
            raise JobError(
                f"compute profile: the environment variable {profile.host_env} is not set; expected the workspace"
            )
        try:
            self._client = WorkspaceClient(config=Config(host=host, http_timeout_seconds=60))
        except ValueError as error:
            raise JobError(f"compute profile: no login for Databricks: {str(error).splitlines()[0]}") from None
        root = profile.workspace_folder.rstrip("/")
        root = root if root.startswith("/Workspace/") else f"/Workspace{root}"
        self.folder = f"{root}/{name}"
        self._made = False

    def upload(self, name: str, content: bytes) -> None:
        """Put a file into the run's folder."""
        from databricks.sdk.service.workspace import ImportFormat

        if not self._made:
            self._made = True
            self._again(lambda: self._client.workspace.mkdirs(self.folder))
        path = f"{self.folder}/{name}"
        self._again(lambda: self._client.workspace.upload(path, content, format=ImportFormat.AUTO, overwrite=True))

    def download(self, name: str) -> bytes | None:
        """A file of the run's folder, if it is there."""
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.workspace import ExportFormat

        path = f"{self.folder}/{name}"
        with suppress(NotFound):
            return self._again(lambda: self._client.workspace.download(path, format=ExportFormat.AUTO).read())
        return None

    def submit(self, **submission: Any) -> int:
        """Start a run; its token makes sure that it is one, however often this is sent."""
        return self._again(lambda: int(self._client.jobs.submit(**submission).run_id))

    def idle_minutes(self, cluster: str) -> int | None:
        """Minutes without work after which a running cluster ends; 0 or None for never."""
        found = self._again(lambda: self._client.clusters.get(cluster))
        return found.autotermination_minutes

    def run(self, run_id: int | None) -> Any:
        """A run, as it is now."""
        return self._again(lambda: self._client.jobs.get_run(int(run_id or 0)))

    def output(self, task_run_id: int | None) -> Any:
        """Log and error of a task's run; None where there are none."""
        try:
            return self._again(lambda: self._client.jobs.get_run_output(int(task_run_id or 0)))
        except JobError:
            return None  # runs that never started have no output

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a run."""
        self._again(lambda: self._client.jobs.cancel_run(run_id))

    def clean_up(self) -> None:
        """Delete the run's folder."""
        from databricks.sdk.errors import NotFound

        if self._made:
            with suppress(NotFound):
                self._again(lambda: self._client.workspace.delete(self.folder, recursive=True))

    def _again(self, call: Callable[[], _T]) -> _T:
        """The answer of a call; NotFound is left to the caller."""
        from databricks.sdk.errors import DatabricksError, NotFound
        from requests.exceptions import RequestException

        try:
            return repeated(call)
        except NotFound:
            raise
        except (DatabricksError, RequestException, TimeoutError, OSError) as error:
            said = "Databricks refused" if is_permanent(error) else "Databricks does not answer"
            raise JobError(f"{said}: {error}") from None
