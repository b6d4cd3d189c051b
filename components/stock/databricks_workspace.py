"""Databricks jobs of a workspace, which run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import dagster as dg

from .component import Secret, StockComponent, Url, scaffolder
from .keys import Keys

Minutes = Annotated[
    float,
    dg.Resolver.default(
        description="Minutes after which a run on Databricks is cancelled.", json_schema_extra={"exclusiveMinimum": 0}
    ),
]


@dg.scaffold_with(scaffolder(host="https://your-workspace.cloud.databricks.com", token="DATABRICKS_TOKEN"))  # noqa: S106
@dataclass(kw_only=True)
class DatabricksWorkspaceComponent(StockComponent):
    """Jobs of a Databricks workspace, an asset a task; only the chosen tasks of a job run.

    ``dg utils refresh-defs-state`` asks the workspace for its jobs; loading asks nothing.

    .. code-block:: yaml

        type: components.DatabricksWorkspaceComponent
        attributes:
          host: https://acme.cloud.databricks.com
          token: DATABRICKS_TOKEN
          job_ids: [1001]
          max_runtime_minutes: 90
          owners: ["team:data"]
          group: databricks
          tags: {domain: sales}
    """

    host: Url
    token: Secret = "DATABRICKS_TOKEN"  # noqa: S105 a name
    job_ids: Annotated[
        list[int] | None, dg.Resolver.default(description="Jobs that become assets; all when left out.")
    ] = None
    max_runtime_minutes: Minutes = 24 * 60

    vendor: ClassVar[str] = "databricks"
    title: ClassVar[str] = "Databricks"

    @property
    def place(self) -> str:
        """The workspace's address."""
        return self.host

    def stock(self, secret: Keys) -> Any:
        """Dagster's workspace component, with standard specs."""
        from dagster_databricks import DatabricksWorkspaceComponent as Stock
        from dagster_databricks.components.databricks_workspace.schema import DatabricksFilter
        from dagster_databricks.utils import snake_case

        ours, wanted = self, set(self.job_ids or [])

        def include(job: Any) -> bool:
            return not wanted or (job["job_id"] if isinstance(job, dict) else job.job_id) in wanted

        class Standardised(Stock):
            def get_asset_specs(self, task: Any, job_name: str) -> list[dg.AssetSpec]:
                known = (self.assets_by_job_task_key or {}).get(job_name, {})
                if task.task_key in known:
                    return known[task.task_key]
                before = [dg.AssetKey([snake_case(job_name), snake_case(dep.task_key)]) for dep in task.depends_on]
                own = {key: ours.standard_key(key) for key in before}
                specs = super().get_asset_specs(task, job_name)
                return [ours.standard_spec(spec.replace_attributes(deps=before), own) for spec in specs]

            def build_defs_from_state(self, context: Any, state_path: Path | None) -> dg.Definitions:
                from dagster_databricks.components.databricks_workspace.component import DatabricksWorkspaceData

                state = dg.deserialize_value(Path(str(state_path)).read_text(encoding="utf-8"), DatabricksWorkspaceData)
                # With a task for every asset, a run of some assets starts their tasks and not the whole job.
                self.assets_by_job_task_key = {
                    job.name: {task.task_key: self.get_asset_specs(task, job.name) for task in job.tasks or []}
                    for job in state.jobs
                }
                return super().build_defs_from_state(context, state_path)

        seconds = self.max_runtime_minutes * 60
        workspace = capped_workspace(self.host, secret(self.token), partial(self.secret, self.token), seconds)
        return Standardised(workspace=workspace, databricks_filter=DatabricksFilter(include_job=include))

    def standardised(self, found: dg.Definitions) -> dg.Definitions:
        """The definitions as they are: their specs were made standard before jobs became of them."""
        return found


def capped_workspace(host: str, token: str, read: Callable[[], str], seconds: float) -> Any:
    """A workspace whose client reads its token when a run needs it, and cancels a run that takes too long.

    Args:
        host: The workspace's address.
        token: The token for fetching state, or a stand-in while loading.
        read: Gives the token of a run.
        seconds: The cap.
    """
    from dagster_databricks.components.databricks_asset_bundle.resource import DatabricksWorkspace
    from databricks.sdk import WorkspaceClient

    class CappedWorkspace(DatabricksWorkspace):
        def get_client(self) -> WorkspaceClient:
            # Without auth_type another login in the environment would make the client refuse this one.
            client = WorkspaceClient(host=host, token=read(), auth_type="pat")
            wait = client.jobs.wait_get_run_job_terminated_or_skipped
            capped = partial(_wait, client, wait, seconds)
            client.jobs.wait_get_run_job_terminated_or_skipped = capped  # type: ignore[method-assign]
            return client

    return CappedWorkspace(host=host, token=token)


def _wait(client: Any, wait: Callable[..., Any], seconds: float, run_id: int) -> Any:
    """Wait for a run; the library alone gives up after 20 minutes and leaves it running.

    Raises:
        Failure: the run failed or was cancelled, or the cap is reached and the run was cancelled here.
    """
    from datetime import timedelta

    from databricks.sdk.errors import OperationFailed

    try:
        run = wait(run_id, timeout=timedelta(seconds=seconds))
    except TimeoutError:
        client.jobs.cancel_run(run_id)
        message = f"run {run_id} took longer than max_runtime_minutes ({seconds / 60:g}) and was cancelled"
        raise dg.Failure(message, allow_retries=False) from None
    except OperationFailed:
        run = client.jobs.get_run(run_id)
    result = _result(run)
    if result != "SUCCESS":
        causes = "".join(f"\ntask {cause}" for cause in _causes(client, run))
        message = f"run {run_id} ended as {result}: {run.state.state_message or 'no message'}{causes}"
        raise dg.Failure(f"{message}\n{run.run_page_url or ''}".rstrip(), allow_retries=result != "CANCELED")
    return run


def _result(run: Any) -> str:
    """How a run or a task of it ended, in the words of Databricks."""
    state = run.state.result_state or run.state.life_cycle_state
    return str(state.value)


def _causes(client: Any, run: Any) -> Iterator[str]:
    """The tasks that did not succeed, with what each has to say."""
    from databricks.sdk.errors import DatabricksError

    for task in run.tasks or []:
        if _result(task) in ("SUCCESS", "DISABLED", "EXCLUDED"):
            continue
        try:
            said = client.jobs.get_run_output(task.run_id).error
        except DatabricksError:  # a task that never started has no output
            said = None
        yield f"{task.task_key} ({_result(task)}): {said or task.state.state_message or 'no message'}"
