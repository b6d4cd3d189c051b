"""Compute that the policy approves: clusters of approved sizes and serverless compute, with who pays for it."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any

import dagster as dg

from ...base import StrictModel
from ...compute import approved_size
from ...compute.metadata import tag_value
from ...governance.policy import Policy
from ...governance.policy_databricks import Clusters


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
    rules = policy.databricks.clusters
    tags = {"dagster_asset": tag_value(asset)}
    if owners:
        tags["cost_owner"] = tag_value(owners[0].removeprefix("team:"))
    if not compute.size and not compute.existing_cluster:
        if not policy.databricks.serverless:
            raise _refused(where, "serverless compute is not approved", _allowed(policy, rules))
        budgets = policy.databricks.budget_policies
        paying = next((budgets[owner] for owner in owners if owner in budgets), None)
        if budgets and paying is None:
            booked = ", ".join(budgets)
            raise _refused(where, f"none of the owners {owners} has a budget policy", f"one of the owners: {booked}")
        return Approved(budget_policy_id=paying, tags=tags)
    if rules is None:
        raise _refused(where, "clusters are not approved", _allowed(policy, rules))
    if compute.existing_cluster:
        if compute.existing_cluster not in rules.existing:
            raise _refused(where, f"existing_cluster: {compute.existing_cluster!r}", _allowed(policy, rules))
        return Approved(existing=compute.existing_cluster, tags=tags)
    size = approved_size(policy, str(compute.size), where)
    hourly = size.hourly_cost_usd * (1 + size.workers)
    if not size.node_type:
        raise _refused(where, f"size {compute.size!r} names no node_type", _allowed(policy, rules))
    if rules.max_workers is not None and size.workers > rules.max_workers:
        raise _refused(where, f"size {compute.size!r} has {size.workers} workers", f"at most {rules.max_workers}")
    if rules.max_hourly_usd is not None and hourly > rules.max_hourly_usd:
        cap = f"at most {rules.max_hourly_usd:g} dollars an hour"
        raise _refused(where, f"size {compute.size!r} costs {hourly:g} dollars an hour", cap)
    runtime = compute.runtime or next((each for each in rules.runtimes if not re.search(r"[*?]", each)), None)
    if runtime is None or (rules.runtimes and not any(fnmatchcase(runtime, each) for each in rules.runtimes)):
        known = ", ".join(rules.runtimes) or "a runtime, such as 16.4.x-scala2.12"
        raise _refused(where, f"runtime: {runtime!r}", f"one of: {known}")
    if (rules.spot == "required" and not compute.spot) or (rules.spot == "forbidden" and compute.spot):
        raise _refused(where, f"spot: {str(compute.spot).lower()}", f"spot {rules.spot}")
    return Approved(cluster=_cluster(size, runtime, compute.spot, rules, tags), hourly_usd=hourly, tags=tags)


def _cluster(size: Any, runtime: str, spot: bool, rules: Clusters, tags: dict[str, str]) -> dict[str, Any]:
    cluster: dict[str, Any] = {
        "spark_version": runtime,
        "node_type_id": size.node_type,
        "num_workers": size.workers,
        "custom_tags": dict(tags),
    }
    if spot:
        cluster |= _spot(size.node_type)
    if rules.policy_id:
        cluster["policy_id"] = rules.policy_id
    if not size.workers:
        cluster["spark_conf"] = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
        cluster["custom_tags"]["ResourceClass"] = "SingleNode"
    return cluster


def _spot(node_type: str) -> dict[str, Any]:
    """Nodes that may be taken back, in the words of the cloud whose node type it is."""
    if node_type.startswith("Standard_"):
        return {"azure_attributes": {"availability": "SPOT_WITH_FALLBACK_AZURE", "first_on_demand": 1}}
    if "." in node_type:
        return {"aws_attributes": {"availability": "SPOT_WITH_FALLBACK", "first_on_demand": 1}}
    return {"gcp_attributes": {"availability": "PREEMPTIBLE_WITH_FALLBACK_GCP"}}


def _allowed(policy: Policy, rules: Clusters | None) -> str:
    """Everything that is approved, as one line."""
    found = ["serverless compute"] if policy.databricks.serverless else []
    if rules:
        found += [f"size {name}" for name, size in policy.compute_sizes.items() if size.node_type]
        found += [f"existing_cluster {each}" for each in rules.existing]
    return ", ".join(found) or "nothing: policy.yaml approves no compute under databricks"


def _refused(where: str, what: str, allowed: str) -> dg.DagsterInvalidDefinitionError:
    return dg.DagsterInvalidDefinitionError(f"{where}: compute: {what}; policy.yaml approves {allowed}")
