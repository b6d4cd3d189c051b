"""The compute that policy.yaml approves: how large, and where."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from .policy_parts import Part, Variable, _day


class ComputeSize(Part):
    """Resources that a run may ask for by name."""

    threads: int = Field(ge=1, description="Threads.")
    memory_gb: float = Field(gt=0, description="Memory in gigabytes.")
    hourly_cost_usd: float = Field(ge=0, description="Cost in US dollars per hour.")
    warehouse: str | None = Field(default=None, description="Name of the warehouse in engines that have several.")
    node_type: str | None = Field(default=None, description="Node type of a cluster, in the cloud's own words.")
    workers: int = Field(default=0, ge=0, description="Nodes of a cluster besides the first.")
    pod_limits: bool = Field(
        default=False, description="Whether steps that Dagster itself starts on Kubernetes get exactly these resources."
    )


class QueryPrice(Part):
    """What a warehouse that bills by bytes asks for them."""

    per_tib_usd: float = Field(gt=0, description="US dollars for a TiB read, as the contract has it.")
    as_of: Annotated[date, BeforeValidator(_day)] = Field(description="Day the price was looked up, as YYYY-MM-DD.")


class LocalProfile(Part):
    """Jobs run as processes of this machine."""

    runs_on: Literal["local"] = Field(description="Processes of this machine.")


class ContainerProfile(Part):
    """Jobs run in a container of this machine."""

    runs_on: Literal["container"] = Field(description="Docker, or a command that takes its arguments.")
    image: str = Field(min_length=1, description="Image that the jobs start from.")
    command: str = Field(default="docker", min_length=1, description="docker, podman or nerdctl.")
    network: str = Field(default="none", min_length=1, description="Network of the container.")


class KubernetesProfile(Part):
    """Jobs run as Kubernetes jobs."""

    runs_on: Literal["kubernetes"] = Field(description="A Kubernetes cluster.")
    image: str = Field(min_length=1, description="Image that the jobs start from.")
    namespace: str = Field(default="default", min_length=1, description="Namespace of the jobs.")
    service_account: str | None = Field(default=None, description="Service account of the pods.")
    context: str | None = Field(default=None, description="Context of the kubeconfig; that in force when left out.")


class DatabricksProfile(Part):
    """Jobs run in a Databricks workspace; where and who is in the environment, as the SDK reads it."""

    runs_on: Literal["databricks"] = Field(description="A Databricks workspace.")
    workspace_folder: str = Field(default="/Workspace/Shared/dagster", description="Folder that files are put in.")
    spark_version: str | None = Field(
        default=None,
        min_length=1,
        description="Runtime of a new cluster for each job; serverless where neither it nor existing_cluster is there.",
    )
    spot: bool = Field(
        default=False, description="Whether nodes of a new cluster besides the first may be taken back by the cloud."
    )
    policy_id: str | None = Field(
        default=None,
        min_length=1,
        description="Cluster policy that new clusters follow; that of databricks.clusters when left out.",
    )
    existing_cluster: str | None = Field(
        default=None, min_length=1, description="Id of a running cluster that databricks.clusters names."
    )
    auto_termination_minutes: int | None = Field(
        default=None,
        ge=1,
        description="Idle minutes after which the running cluster ends; at most those of databricks.clusters.",
    )
    budget_policy_id: str | None = Field(default=None, description="Budget policy of serverless runs.")
    secret_scope: str | None = Field(
        default=None,
        min_length=1,
        description="Secret scope of the workspace that holds the secrets under their names.",
    )
    host_env: Variable = Field(default="DATABRICKS_HOST", description="Variable with the workspace's address.")

    @model_validator(mode="after")
    def _one_place(self) -> "DatabricksProfile":
        if self.existing_cluster and (self.spark_version or self.spot or self.policy_id):
            raise ValueError(
                "existing_cluster: a running cluster has its own spark_version, spot and policy_id already"
            )
        if not self.spark_version and (self.spot or self.policy_id):
            raise ValueError("spot and policy_id are of new clusters: they need a spark_version")
        if self.auto_termination_minutes and not self.existing_cluster:
            raise ValueError("auto_termination_minutes is of a running cluster: a new one ends with its job")
        return self


ComputeProfile = Annotated[
    LocalProfile | ContainerProfile | KubernetesProfile | DatabricksProfile, Field(discriminator="runs_on")
]
