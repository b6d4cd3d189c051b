"""What both Databricks components have in common: a login, and jobs of the workspace whose tasks are assets."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import uuid4

import dagster as dg

from ..base import StrictModel
from .attributes import Secret, Url
from .component import StockComponent
from .keys import Keys
from .running import Metadata, Unit

_UNTOUCHED = ("DISABLED", "EXCLUDED")  # what a condition leaves out
TASK, UNIT = "task_key", "dagster-databricks/job"


class ServicePrincipal(StrictModel):
    """Names of the secrets of a service principal (OAuth, machine to machine)."""

    client_id: Secret = "DATABRICKS_CLIENT_ID"
    client_secret: Secret = "DATABRICKS_CLIENT_SECRET"  # noqa: S105 a name


@dataclass(kw_only=True)
class DatabricksJobsComponent(StockComponent):
    """Base of components whose assets are tasks of jobs: a run of some tasks runs these tasks of the job.

    The job itself is run, so its parameters, clusters, environments, time-outs and retries hold. It is waited for as
    long as ``max_runtime_minutes`` says, cancelled with the run, and a run that ends in any other way than in success
    fails the step; tasks that succeeded before are materialised.
    """

    host: Url
    token: Secret = "DATABRICKS_TOKEN"  # noqa: S105 a name
    service_principal: Annotated[
        ServicePrincipal | None,
        dg.Resolver.default(description="Secrets of a service principal, by name; logs in instead of the token."),
    ] = None
    max_runtime_minutes: Annotated[
        float,
        dg.Resolver.default(
            description="Minutes after which a run on Databricks is cancelled.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 24 * 60

    vendor: ClassVar[str] = "databricks"
    title: ClassVar[str] = "Databricks"

    def login(self, secret: Keys) -> dict[str, Any]:
        """What the SDK's ``WorkspaceClient`` needs to log in."""
        # Without auth_type another login in the environment would make the client refuse this one.
        if self.service_principal:
            named = self.service_principal
            found = {"client_id": secret(named.client_id), "client_secret": secret(named.client_secret)}
            return {"host": self.host, **found, "auth_type": "oauth-m2m"}
        return {"host": self.host, "token": secret(self.token), "auth_type": "pat"}

    def task_spec(self, spec: dg.AssetSpec, task: str, unit: str) -> dg.AssetSpec:
        """The spec of a task, which a condition of the job may leave out.

        Args:
            spec: What Dagster's component makes of it.
            task: Its key.
            unit: What finds its job.
        """
        return spec.replace_attributes(skippable=True, metadata={**spec.metadata, TASK: task, UNIT: unit})

    def unit(self, spec: dg.AssetSpec) -> str | None:
        """The job, which runs its tasks together."""
        return str(spec.metadata[UNIT])

    @abstractmethod
    def job_id(self, client: Any, unit: str) -> int:
        """The job of a unit in the workspace.

        Raises:
            Failure: it is not there.
        """

    def run_unit(self, unit: Unit, keys: Keys) -> Iterator[Metadata | None]:
        """Run the chosen tasks of a job to their end.

        Raises:
            Failure: a task did not succeed, or it took too long.
        """
        from dagster_databricks.utils import build_job_run_url
        from databricks.sdk import WorkspaceClient

        client = WorkspaceClient(**self.login(keys))
        job_id = self.job_id(client, unit.name)
        tasks = [str(spec.metadata[TASK]) for spec in unit.chosen]
        only = tasks if len(unit.chosen) < len(unit.every) else None
        run_id = client.jobs.run_now(job_id, only=only, idempotency_token=uuid4().hex).run_id
        url = build_job_run_url(self.host, job_id, run_id)
        unit.log.info(f"Databricks run: {url}")
        run = self._ended(client, run_id)
        results = {task.task_key: _result(task) for task in run.tasks or []}
        for task in tasks:
            told = {"job_id": job_id, "run_id": run_id, "run_url": dg.MetadataValue.url(url), "task_key": task}
            succeeded = results.get(task) == "SUCCESS"
            yield {f"dagster-databricks/{name}": value for name, value in told.items()} if succeeded else None
        if (result := _result(run)) != "SUCCESS":
            causes = "".join(f"\ntask {cause}" for cause in _causes(client, run))
            message = f"run {run_id} ended as {result}: {run.state.state_message or 'no message'}{causes}"
            raise dg.Failure(f"{message}\n{run.run_page_url or ''}".rstrip(), allow_retries=result != "CANCELED")

    def _ended(self, client: Any, run_id: int) -> Any:
        """The run when it is over; one that nobody waits for any more is cancelled.

        Raises:
            Failure: it took too long.
        """
        from datetime import timedelta

        from databricks.sdk.errors import OperationFailed

        limit = timedelta(minutes=self.max_runtime_minutes)
        try:
            return client.jobs.wait_get_run_job_terminated_or_skipped(run_id, timeout=limit)
        except OperationFailed:  # a fault of the platform: the run says which
            return client.jobs.get_run(run_id)
        except BaseException as error:
            client.jobs.cancel_run(run_id)
            if not isinstance(error, TimeoutError):
                raise
            limited = f"max_runtime_minutes ({self.max_runtime_minutes:g})"
            message = f"run {run_id} took longer than {limited} and was cancelled"
            raise dg.Failure(message, allow_retries=False) from None


def parsed_task(settings: Mapping[str, Any], job: str) -> Any:
    """A task in the classes of Dagster's components, also one of a type that these do not know.

    Args:
        settings: The task as the Jobs API has it.
        job: What its job is called.
    """
    from dagster_databricks.components.databricks_asset_bundle import configs

    named = {**settings, "job_name": job}
    return configs.parse_task_from_config(named) or configs.DatabricksUnknownTask.from_job_task_config(named)


def task_kind(settings: Mapping[str, Any]) -> str | None:
    """The type of a task, in the words of the Jobs API: ``sql`` of ``sql_task``."""
    return next((name.removesuffix("_task") for name in settings if name.endswith("_task")), None)


def _result(run: Any) -> str:
    """How a run or a task of it ended, in the words of Databricks."""
    state = run.state.result_state or run.state.life_cycle_state
    return str(state.value)


def _causes(client: Any, run: Any) -> Iterator[str]:
    """The tasks that did not succeed, with what each has to say."""
    from databricks.sdk.errors import DatabricksError

    for task in run.tasks or []:
        if _result(task) in ("SUCCESS", *_UNTOUCHED):
            continue
        try:
            said = client.jobs.get_run_output(task.run_id).error
        except DatabricksError:  # a task that never started has no output
            said = None
        yield f"{task.task_key} ({_result(task)}): {said or task.state.state_message or 'no message'}"
