"""What policy.yaml approves in a Databricks workspace: compute, budget policies, and grants by classification."""

from typing import Literal

from pydantic import Field

from .policy_parts import Owner, Part

Privilege = Literal[
    "SELECT", "MODIFY", "READ VOLUME", "WRITE VOLUME", "EXECUTE", "APPLY TAG", "MANAGE", "ALL PRIVILEGES"
]


class Clusters(Part):
    """Clusters that jobs and pipelines may have; each has an approved size with its ``node_type``."""

    runtimes: list[str] = Field(default_factory=list, description="Approved runtimes; any when empty.")
    max_workers: int | None = Field(default=None, ge=0, description="Most nodes besides the first.")
    max_hourly_usd: float | None = Field(default=None, gt=0, description="Most that all nodes cost an hour, in USD.")
    spot: Literal["required", "allowed", "forbidden"] = Field(
        default="allowed", description="Whether nodes may be ones that the cloud can take back."
    )
    existing: list[str] = Field(default_factory=list, description="Ids of running clusters that jobs may use.")
    auto_termination_minutes: int | None = Field(
        default=None, ge=1, description="Idle minutes after which a running cluster must end to be used."
    )
    policy_id: str | None = Field(default=None, min_length=1, description="Cluster policy that new clusters follow.")


class DatabricksPolicy(Part):
    """Rules for a Databricks workspace."""

    serverless: bool = Field(default=True, description="Whether serverless compute may be used.")
    budget_policies: dict[Owner, str] = Field(
        default_factory=dict, description="Id of the budget policy that serverless runs of an owner are booked on."
    )
    clusters: Clusters | None = Field(
        default_factory=Clusters,
        description="Clusters: those of approved sizes with a node_type when left out; null: none.",
    )
    serving_sizes: list[str] = Field(
        default_factory=lambda: ["Small"], description="Workload sizes of serving endpoints."
    )
    classification_tag: str = Field(
        default="classification", min_length=1, description="Tag of Unity Catalog that holds the classification."
    )
    grants: dict[str, dict[str, list[Privilege]]] = Field(
        default_factory=dict, description="Privileges by classification and principal."
    )
