"""Compute that the policy approves: clusters of approved sizes and serverless compute, with who pays for it."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ...base import StrictModel
from ...compute.clusters import check_existing, new_cluster, serverless_budget
from ...compute.metadata import tag_value
from ...governance.policy import Policy


class JobCompute(StrictModel):
    """Where tasks run."""

    size: Annotated[
        str | None,
        dg.Resolver.default(
            description="Approved size of policy.yaml with a node_type; serverless when left out.", examples=["small"]
        ),
    ] = None
    runtime: Annotated[
        str | None,
        dg.Resolver.default(description="Runtime of a new cluster.", examples=["16.4.x-scala2.12"]),
    ] = None
    spot: Annotated[
        bool, dg.Resolver.default(description="Whether nodes besides the first may be taken back by the cloud.")
    ] = False
    existing_cluster: Annotated[
        str | None, dg.Resolver.default(description="Id of a running cluster that policy.yaml names.")
    ] = None


@dataclass(frozen=True)
class Approved:
    """Compute that may be used.

    Args:
        cluster: A new cluster in the words of the API; None for serverless compute and running clusters.
        existing: Id of a running cluster.
        budget_policy_id: What serverless compute is booked on.
        hourly_usd: Cost of all nodes, where it is known.
        tags: Who pays, and for what.
    """

    cluster: dict[str, Any] | None = None
    existing: str | None = None
    budget_policy_id: str | None = None
    hourly_usd: float | None = None
    tags: dict[str, str] = field(default_factory=dict)


def approved(policy: Policy, compute: JobCompute, owners: list[str], asset: str, where: str) -> Approved:
    """What the compute of a YAML becomes.

    Args:
        policy: The project's policy.
        compute: What is asked for.
        owners: Owners of the assets; the first one pays.
        asset: What the cost is for: an asset key or the name of a job.
        where: File and component, for the message.

    Raises:
        DagsterInvalidDefinitionError: the policy does not approve it; the message says what it approves.
    """
    tags = {"dagster_asset": tag_value(asset)}
    if owners:
        tags["cost_owner"] = tag_value(owners[0].removeprefix("team:"))
    if compute.existing_cluster:
        check_existing(policy, compute.existing_cluster, where)
        return Approved(existing=compute.existing_cluster, tags=tags)
    if not compute.size:
        return Approved(budget_policy_id=serverless_budget(policy, owners, where), tags=tags)
    cluster, hourly = new_cluster(policy, compute.size, compute.runtime, compute.spot, tags, where)
    return Approved(cluster=cluster, hourly_usd=hourly, tags=tags)
