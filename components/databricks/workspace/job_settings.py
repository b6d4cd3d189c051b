"""A job in the words of the Jobs API: every task, parameter, cluster, environment and limit of the YAML."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dagster as dg

from ...governance.policy import Policy
from .compute import Approved, approved
from .job_attributes import Task

if TYPE_CHECKING:
    from .jobs import DatabricksJobComponent

ENVIRONMENT_VERSION = "3"
_SERVERLESS_SCRIPTS = ("spark_python_task", "python_wheel_task", "dbt_task")
_ON_COMPUTE = (*_SERVERLESS_SCRIPTS, "notebook_task", "spark_jar_task", "spark_submit_task")
PIPES = ("context", "messages")


def job_settings(
    job: "DatabricksJobComponent", policy: Policy, place: Callable[[str], str], where: str
) -> dict[str, Any]:
    """The settings of a job, for the API and for a bundle.

    Args:
        job: The component.
        policy: The project's policy.
        place: Gives the path in the workspace of a file that the YAML names.
        where: File and component, for messages.

    Raises:
        DagsterInvalidDefinitionError: the policy does not approve its compute.
    """
    compute = approved(policy, job.compute, job.owners, job.name, where)
    settings: dict[str, Any] = {
        "name": job.name,
        "tasks": [],
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},  # a second run waits; Databricks would skip it
        "timeout_seconds": int(job.max_runtime_minutes * 60),
        "tags": compute.tags,
    }
    pipes = [task.key for task in job.tasks if task.script and task.script.pipes]
    parameters = {**job.parameters, **{name: "" for key in pipes for name in pipes_parameters(key)}}
    if parameters:
        settings["parameters"] = [{"name": name, "default": value} for name, value in parameters.items()]
    clusters: dict[str, dict[str, Any]] = {}
    needs_environment = False
    for task in job.tasks:
        mine = approved(policy, task.compute, job.owners, job.name, where) if task.compute else compute
        made = _task(task, place)
        on_compute = next((kind for kind in _ON_COMPUTE if kind in made), None)
        if on_compute:
            needs_environment |= _give_compute(made, on_compute, task, mine, clusters, bool(job.dependencies))
        settings["tasks"].append(made)
    if clusters:
        settings["job_clusters"] = [{"job_cluster_key": key, "new_cluster": each} for key, each in clusters.items()]
        for task in settings["tasks"]:
            if "job_cluster_key" in task and job.dependencies:
                task["libraries"] = [
                    *task.get("libraries", []),
                    *({"pypi": {"package": each}} for each in job.dependencies),
                ]
    if needs_environment:
        spec: dict[str, Any] = {"environment_version": ENVIRONMENT_VERSION}
        if job.dependencies:
            spec["dependencies"] = list(job.dependencies)
        settings["environments"] = [{"environment_key": "default", "spec": spec}]
    if compute.budget_policy_id:
        settings["budget_policy_id"] = compute.budget_policy_id
    return settings


def pipes_parameters(task: str) -> tuple[str, str]:
    """Names of the job parameters that carry what Dagster Pipes tells a task."""
    context, messages = (f"dagster_pipes_{part}_{task}" for part in PIPES)
    return context, messages


def checked_settings(settings: dict[str, Any], where: str) -> dict[str, Any]:
    """The settings, in which every field is one of the Jobs API.

    Raises:
        Failure: a field is unknown, or of another type.
    """
    from databricks.sdk.service.jobs import JobSettings

    try:
        understood = JobSettings.from_dict(settings).as_dict()
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise dg.Failure(f"{where}: the Jobs API does not take these settings: {error}", allow_retries=False) from None
    if lost := sorted(_lost(settings, understood, "")):
        message = f"{where}: the Jobs API has no {', '.join(lost)}; see settings of the task"
        raise dg.Failure(message, allow_retries=False)
    return settings


def _lost(given: Any, understood: Any, place: str) -> list[str]:
    """The places of what is not there any more."""
    if isinstance(given, dict) and isinstance(understood, dict):
        found = []
        for key, value in given.items():
            if key not in understood:
                found += [] if value in (None, "", [], {}, 0, False) else [f"{place}{key}"]
            else:
                found += _lost(value, understood[key], f"{place}{key}.")
        return found
    if isinstance(given, list) and isinstance(understood, list):
        return [lost for a, b in zip(given, understood, strict=False) for lost in _lost(a, b, place)]
    return []


def _task(task: Task, place: Callable[[str], str]) -> dict[str, Any]:
    made: dict[str, Any] = {"task_key": task.key}
    if task.description:
        made["description"] = task.description
    if task.depends_on:
        made["depends_on"] = [{"task_key": before} for before in task.depends_on]
        made["run_if"] = task.run_if
    if task.notebook:
        made["notebook_task"] = {"notebook_path": place(task.notebook.path), "source": "WORKSPACE"}
        if task.notebook.parameters:
            made["notebook_task"]["base_parameters"] = dict(task.notebook.parameters)
    if task.script:
        made["spark_python_task"] = {"python_file": place(task.script.file), "source": "WORKSPACE"}
        arguments = list(task.script.arguments)
        if task.script.pipes:
            context, messages = pipes_parameters(task.key)
            for flag, name in (("context", context), ("messages", messages)):
                arguments += [f"--dagster-pipes-{flag}", "{{" + f"job.parameters.{name}" + "}}"]
        if arguments:
            made["spark_python_task"]["parameters"] = arguments
    if task.timeout_seconds:
        made["timeout_seconds"] = task.timeout_seconds
    if task.max_retries:
        made["max_retries"] = task.max_retries
    return {**made, **task.settings}


def _give_compute(
    made: dict[str, Any], kind: str, task: Task, compute: Approved, clusters: dict[str, Any], has_dependencies: bool
) -> bool:
    """Say where a task runs; whether it needs the environment of serverless compute."""
    if compute.existing:
        made["existing_cluster_id"] = compute.existing
        return False
    if compute.cluster:
        size = (task.compute.size if task.compute else None) or "default"
        clusters.setdefault(size, compute.cluster)
        made["job_cluster_key"] = size
        return False
    if kind in _SERVERLESS_SCRIPTS or has_dependencies:
        made["environment_key"] = "default"
        return True
    return False
