"""What a pipeline is in a workspace: its files, its settings, its compute."""

from pathlib import PurePosixPath
from typing import Any

from ...governance.policy import Policy
from ..pipeline.spec import PipelineSpec
from .client import Workspace
from .compute import Approved, JobCompute, approved
from .files import own_folder, upload


def published(workspace: Workspace, spec: PipelineSpec, run_id: str) -> str:
    """The id of the pipeline, with its files and settings as they are here.

    Args:
        workspace: Where.
        spec: The pipeline.
        run_id: Id of the Dagster run that wants it so.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    folder = spec.workspace_folder or own_folder(workspace, spec.name)
    paths = [
        upload(workspace, spec.name, file, PurePosixPath(file.relative_to(spec.root).as_posix()), folder)
        for file in spec.files
    ]
    compute = pipeline_compute(workspace.policy, spec)
    settings = pipeline_settings(spec, compute, paths)
    settings["configuration"] = {**settings["configuration"], "dagster.run_id": run_id}
    if pipeline := find_pipeline(workspace, spec.name):
        body = {**settings, "id": pipeline}
        workspace.do(f"changing {spec.name}", "PUT", f"/api/2.0/pipelines/{pipeline}", body=body)
        return pipeline

    def there() -> dict[str, str] | None:
        found = find_pipeline(workspace, spec.name)
        return {"pipeline_id": found} if found else None

    made = workspace.make(f"creating the pipeline {spec.name}", "/api/2.0/pipelines", settings, there)
    return str(made["pipeline_id"])


def find_pipeline(workspace: Workspace, name: str) -> str | None:
    """The id of the pipeline of a name.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    like = name.replace("'", "''")
    what = f"looking for the pipeline {name}"
    found = workspace.call(what, lambda client: list(client.pipelines.list_pipelines(filter=f"name LIKE '{like}'")))
    return next((each.pipeline_id for each in found if each.name == name), None)


def pipeline_settings(spec: PipelineSpec, compute: Approved, paths: list[str]) -> dict[str, Any]:
    """The settings of a pipeline, in the words of the API and of a bundle.

    Args:
        spec: The pipeline.
        compute: What the policy approved.
        paths: Its files in the workspace.
    """
    settings: dict[str, Any] = {
        "name": spec.name,
        "catalog": spec.catalog,
        "schema": spec.schema,
        "continuous": False,
        "development": False,
        "configuration": dict(spec.configuration),
        "libraries": [{"file": {"path": path}} for path in paths],
        "tags": compute.tags,
    }
    if compute.cluster is None:
        settings["serverless"] = True
        if compute.budget_policy_id:
            settings["budget_policy_id"] = compute.budget_policy_id
    else:
        known = ("node_type_id", "num_workers", "custom_tags", "spark_conf", "policy_id")
        places = ("aws_attributes", "azure_attributes", "gcp_attributes")
        cluster = {key: compute.cluster[key] for key in (*known, *places) if key in compute.cluster}
        settings["clusters"] = [{"label": "default", **cluster}]
    return settings


def pipeline_compute(policy: Policy, spec: PipelineSpec) -> Approved:
    """What a pipeline runs on.

    Raises:
        DagsterInvalidDefinitionError: the policy does not approve it.
    """
    owners = [spec.owner] if spec.owner else []
    # Pipelines bring their own runtime; the policy's list is of those for jobs.
    runtime = next(iter(policy.databricks.clusters.runtimes), "pipeline") if policy.databricks.clusters else "pipeline"
    compute = JobCompute(size=None if spec.serverless else spec.compute_size, runtime=runtime)
    return approved(policy, compute, owners, spec.name, f"pipeline {spec.name}")


def hourly_usd(policy: Policy, spec: PipelineSpec) -> float | None:
    """What a pipeline's cluster costs an hour; None for serverless compute, whose price the bill tells later."""
    return pipeline_compute(policy, spec).hourly_usd
