"""Databricks jobs of a workspace, which run."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from .component import scaffolder
from .databricks_jobs import DatabricksJobsComponent, parsed_task
from .keys import Keys

_REQUESTS_AT_ONCE = 8


@dg.scaffold_with(scaffolder(host="https://your-workspace.cloud.databricks.com", token="DATABRICKS_TOKEN"))  # noqa: S106
@dataclass(kw_only=True)
class DatabricksWorkspaceComponent(DatabricksJobsComponent):
    """Jobs of a Databricks workspace, an asset a task; only the chosen tasks of a job run.

    ``dg utils refresh-defs-state`` asks the workspace for its jobs; loading asks nothing.

    .. code-block:: yaml

        type: components.DatabricksWorkspaceComponent
        attributes:
          host: https://acme.cloud.databricks.com
          service_principal: {client_id: DATABRICKS_CLIENT_ID, client_secret: DATABRICKS_CLIENT_SECRET}
          job_ids: [1001]
          max_runtime_minutes: 90
          owners: ["team:data"]
          group: databricks
          tags: {domain: sales}
    """

    job_ids: Annotated[
        list[int] | None, dg.Resolver.default(description="Jobs that become assets; all when left out.")
    ] = None

    @property
    def place(self) -> str:
        """The workspace's address."""
        return self.host

    def stock(self, secret: Keys) -> Any:
        """Dagster's workspace component, which asks for jobs with any login."""
        from dagster_databricks import DatabricksWorkspaceComponent as Stock
        from dagster_databricks.components.databricks_asset_bundle.resource import DatabricksWorkspace

        ours, login = self, self.login(secret)

        class WithAnyLogin(Stock):
            def write_state_to_path(self, state_path: Path) -> None:  # type: ignore[override]  # nothing to wait for
                from dagster_databricks.components.databricks_workspace.component import DatabricksWorkspaceData

                data = DatabricksWorkspaceData(jobs=_jobs(login, ours.job_ids))
                state_path.write_text(dg.serialize_value(data), encoding="utf-8")

        return WithAnyLogin(workspace=DatabricksWorkspace(host=self.host, token=""))

    def from_state(self, stock: Any, context: dg.ComponentLoadContext, state_path: Path) -> dg.Definitions:
        """The tasks of the state."""
        from dagster_databricks.components.databricks_workspace.component import DatabricksWorkspaceData
        from dagster_databricks.utils import snake_case

        state = dg.deserialize_value(state_path.read_text(encoding="utf-8"), DatabricksWorkspaceData)
        made = []
        for job in state.jobs:
            for task in job.tasks or []:
                before = [dg.AssetKey([snake_case(job.name), snake_case(each.task_key)]) for each in task.depends_on]
                for spec in stock.get_asset_specs(task, job.name):
                    spec = spec.replace_attributes(deps=before)
                    made.append(self.task_spec(spec, task.task_key, str(job.job_id)))
        return dg.Definitions(assets=made)

    def job_id(self, client: Any, unit: str) -> int:
        """The job's id, which the state has."""
        return int(unit)


def _jobs(login: dict[str, Any], wanted: Iterable[int] | None) -> list[Any]:
    """The jobs of a workspace with their tasks.

    Raises:
        Failure: a wanted job is not there, or is not shown to this login.
    """
    from dagster_databricks.components.databricks_asset_bundle.configs import DatabricksJob
    from databricks.sdk import WorkspaceClient

    client, chosen = WorkspaceClient(**login), set(wanted or [])
    there = [job.job_id for job in client.jobs.list() if not chosen or job.job_id in chosen]
    if missing := sorted(chosen - set(there)):
        raise dg.Failure(f"job_ids: {client.config.host} shows no job {', '.join(map(str, missing))} to this login")
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        found = [job.as_dict() for job in pool.map(client.jobs.get, there)]
    return [
        DatabricksJob(
            job_id=job["job_id"],
            name=(name := job["settings"].get("name", "Unnamed Job")),
            tasks=[parsed_task(task, name) for task in job["settings"].get("tasks", [])],
        )
        for job in found
    ]
