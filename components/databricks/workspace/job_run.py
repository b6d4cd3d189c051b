"""One step that runs a job of the workspace: its files, its start, its Pipes sessions, its results."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import dagster as dg

from ...compute.clusters import idle_problem
from .client import Workspace
from .errors import WorkspaceError
from .files import upload
from .job_settings import checked_settings, job_settings, pipes_parameters
from .runs import RunResult, find_job, published_job, run_published

if TYPE_CHECKING:
    from .jobs import DatabricksJobComponent


def run_step(
    context: dg.AssetExecutionContext,
    job: "DatabricksJobComponent",
    keys: dict[str, dg.AssetKey],
    project_root: Path,
    where: str,
) -> Iterator[Any]:
    """Run the chosen tasks, and say what came of each.

    Args:
        context: The step.
        job: The component.
        keys: Asset keys by task.
        project_root: Folder of policy.yaml, which files are named from.
        where: File and component, for messages.

    Raises:
        Failure: the workspace refuses, or a task did not succeed; those that did are materialised.
    """
    workspace = Workspace(project_root)
    chosen = [task for task, key in keys.items() if key in context.selected_asset_keys]
    parameters = {**job.parameters, **context.op_execution_context.op_config["parameters"]}
    limit = job.max_runtime_minutes * 60
    try:
        _check_cluster(workspace, job)
        job_id = _job_id(workspace, job, project_root, where)
        with ExitStack() as stack:
            sessions = _sessions(stack, context, job, chosen, workspace)
            for session, names in sessions:
                values = _bootstrap(session)
                parameters |= dict(zip(names, values, strict=True))
            only = chosen if len(chosen) < len(keys) else None
            token = f"{context.run.run_id}-{context.op_execution_context.retry_number}-{job.name}"
            result = run_published(workspace, job_id, only, parameters, token, limit, context.log.info)
    except WorkspaceError as error:
        raise error.as_failure(where) from None
    told = _told(sessions)
    for task in chosen:
        outcome, task_run = result.tasks.get(task, ("NOT_RUN", 0))
        if outcome != "SUCCESS" and not (result.result == "SUCCESS" and outcome in ("SUCCESS_WITH_FAILURES",)):
            continue
        metadata, checks = told.get(keys[task], ({}, []))
        yield dg.MaterializeResult(
            asset_key=keys[task], metadata={**_metadata(result, task_run), **metadata}, check_results=checks
        )
    if result.result != "SUCCESS":
        problems = "\n".join([*result.problems, result.url or ""]).strip()
        raise dg.Failure(
            description=f"{where}: run {result.run_id} ended as {result.result}: {problems}",
            allow_retries=result.result not in ("CANCELED", "EXCLUDED"),
        )


def _job_id(workspace: Workspace, job: "DatabricksJobComponent", root: Path, where: str) -> int:
    if job.deployed_by == "bundle":
        found = find_job(workspace, job.name)
        if found is None:
            raise WorkspaceError(f"the workspace has no job {job.name!r}; deploy the bundle first", transient=False)
        return found
    place = _placed(workspace, job.name, root)
    return published_job(workspace, checked_settings(job_settings(job, workspace.policy, place, where), where))


def _placed(workspace: Workspace, name: str, root: Path) -> Callable[[str], str]:
    """Where a file is in the workspace; one that is not there yet is uploaded."""

    def place(path: str) -> str:
        if path.startswith("/"):
            return path
        file = root / path
        if not file.is_file():
            raise WorkspaceError(f"{path} is not there (looked for {file})", transient=False)
        return upload(workspace, name, file, PurePosixPath(path))

    return place


def _check_cluster(workspace: Workspace, job: "DatabricksJobComponent") -> None:
    """A running cluster must end by itself as soon as the policy says, or its idle hours are paid for."""
    rules = workspace.policy.databricks.clusters
    if not rules or not rules.auto_termination_minutes:
        return
    used = {each.existing_cluster for each in [job.compute, *(task.compute for task in job.tasks)] if each}
    for cluster in sorted(filter(None, used)):
        query = {"cluster_id": cluster}
        found = workspace.do(f"looking at cluster {cluster}", "GET", "/api/2.1/clusters/get", query=query)
        if problem := idle_problem(cluster, found.get("autotermination_minutes"), rules.auto_termination_minutes):
            raise WorkspaceError(problem, transient=False)


def _sessions(
    stack: ExitStack, context: Any, job: "DatabricksJobComponent", chosen: list[str], workspace: Workspace
) -> list[tuple[Any, tuple[str, str]]]:
    """A Pipes session for each task that speaks Pipes, and the parameters that carry it."""
    speaking = [task.key for task in job.tasks if task.key in chosen and task.script and task.script.pipes]
    if not speaking:
        return []
    try:
        from dagster_databricks.pipes import (
            PipesUnityCatalogVolumesContextInjector,
            PipesUnityCatalogVolumesMessageReader,
        )
    except ImportError:
        raise WorkspaceError("pipes needs the package dagster-databricks beside this one", transient=False) from None

    found = []
    for key in speaking:
        client, volume = workspace.client, str(job.pipes_volume)
        session = stack.enter_context(
            dg.open_pipes_session(
                context,
                context_injector=PipesUnityCatalogVolumesContextInjector(client=client, volume_path=volume),
                message_reader=PipesUnityCatalogVolumesMessageReader(client=client, volume_path=volume),
            )
        )
        found.append((session, pipes_parameters(key)))
    return found


def _bootstrap(session: Any) -> tuple[str, str]:
    arguments = session.get_bootstrap_cli_arguments()
    return arguments["--dagster-pipes-context"], arguments["--dagster-pipes-messages"]


def _told(sessions: list[tuple[Any, Any]]) -> dict[dg.AssetKey, tuple[dict[str, Any], list[Any]]]:
    """Metadata and checks that tasks reported, by asset."""
    found: dict[dg.AssetKey, tuple[dict[str, Any], list[Any]]] = {}
    for session, _ in sessions:
        for each in session.get_results(implicit_materializations=False):
            if isinstance(each, dg.MaterializeResult) and each.asset_key is not None:
                found[dg.AssetKey.from_coercible(each.asset_key)] = (
                    dict(each.metadata or {}),
                    list(each.check_results or []),
                )
    return found


def _metadata(result: RunResult, task_run: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "databricks/run_id": str(result.run_id),
        "databricks/task_run_id": str(task_run),
        "run_seconds": result.seconds,
    }
    if result.url:
        metadata["run_url"] = dg.MetadataValue.url(result.url)
    return metadata
