"""Compute of a Databricks workspace that policy.yaml approves, and a new cluster in the words of its API."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import dagster as dg

from ..governance.policy import Policy
from ..governance.policy_compute import ComputeSize, DatabricksProfile
from ..governance.policy_databricks import Clusters
from .sizes import approved_size


def approved_place(
    policy: Policy, profile: DatabricksProfile, size_name: str | None, owners: Sequence[str], where: str
) -> DatabricksProfile:
    """A compute profile with what ``databricks`` of the policy adds: its cluster policy, budget policy and idle limit.

    Args:
        policy: The project's policy.
        profile: The profile as policy.yaml has it.
        size_name: Size that is asked for, if one is.
        owners: Owners of the asset; the first one with a budget policy pays for serverless compute.
        where: File, and component where that helps, for the message.

    Raises:
        DagsterInvalidDefinitionError: the policy does not approve it; the message says what it approves.
    """
    rules = policy.databricks.clusters
    if profile.existing_cluster:
        check_existing(policy, profile.existing_cluster, where)
        limits = [profile.auto_termination_minutes, rules.auto_termination_minutes if rules else None]
        idle = min(filter(None, limits), default=None)
        return profile.model_copy(update={"auto_termination_minutes": idle})
    if profile.spark_version:
        if size_name is None:
            raise _refused(policy, where, "a cluster needs a compute_size")
        new_cluster(policy, size_name, profile.spark_version, profile.spot, {}, where)
        return profile.model_copy(update={"policy_id": profile.policy_id or (rules and rules.policy_id)})
    return profile.model_copy(
        update={"budget_policy_id": profile.budget_policy_id or serverless_budget(policy, owners, where)}
    )


def serverless_budget(policy: Policy, owners: Sequence[str], where: str) -> str | None:
    """The budget policy that serverless compute is booked on, where the policy has any.

    Raises:
        DagsterInvalidDefinitionError: serverless compute is not approved, or nobody would pay for it.
    """
    if not policy.databricks.serverless:
        raise _refused(policy, where, "serverless compute is not approved")
    budgets = policy.databricks.budget_policies
    paying = next((budgets[owner] for owner in owners if owner in budgets), None)
    if budgets and paying is None:
        booked = f"one of the owners: {', '.join(budgets)}"
        raise _refused(policy, where, f"none of the owners {list(owners)} has a budget policy", booked)
    return paying


def check_existing(policy: Policy, cluster: str, where: str) -> None:
    """Raise DagsterInvalidDefinitionError unless the policy names a running cluster."""
    if cluster not in _rules(policy, where).existing:
        raise _refused(policy, where, f"existing_cluster: {cluster!r}")


def new_cluster(
    policy: Policy, size_name: str, runtime: str | None, spot: bool, tags: dict[str, str], where: str
) -> tuple[dict[str, Any], float]:
    """A new cluster in the words of the API, and what all its nodes cost an hour in US dollars.

    Args:
        policy: The project's policy.
        size_name: Name of an approved size with a node type.
        runtime: Runtime; the policy's first one when left out.
        spot: Whether nodes besides the first may be taken back by the cloud.
        tags: Who pays, and for what.
        where: File and component, for the message.

    Raises:
        DagsterInvalidDefinitionError: the policy does not approve it; the message says what it approves.
    """
    rules = _rules(policy, where)
    size = approved_size(policy, size_name, where)
    hourly = size.hourly_cost_usd * (1 + size.workers)
    if not size.node_type:
        raise _refused(policy, where, f"size {size_name!r} names no node_type")
    if rules.max_workers is not None and size.workers > rules.max_workers:
        told = f"size {size_name!r} has {size.workers} workers"
        raise _refused(policy, where, told, f"at most {rules.max_workers}")
    if rules.max_hourly_usd is not None and hourly > rules.max_hourly_usd:
        told = f"size {size_name!r} costs {hourly:g} dollars an hour"
        raise _refused(policy, where, told, f"at most {rules.max_hourly_usd:g} dollars an hour")
    runtime = runtime or next((each for each in rules.runtimes if not re.search(r"[*?]", each)), None)
    if runtime is None or (rules.runtimes and not any(fnmatchcase(runtime, each) for each in rules.runtimes)):
        known = ", ".join(rules.runtimes) or "a runtime, such as 16.4.x-scala2.12"
        raise _refused(policy, where, f"runtime: {runtime!r}", f"one of: {known}")
    if (rules.spot == "required" and not spot) or (rules.spot == "forbidden" and spot):
        raise _refused(policy, where, f"spot: {str(spot).lower()}", f"spot {rules.spot}")
    return cluster_words(size, runtime, spot, rules.policy_id, tags), hourly


def cluster_words(
    size: ComputeSize, runtime: str, spot: bool, policy_id: str | None, tags: dict[str, str]
) -> dict[str, Any]:
    """A new cluster in the words of the API; without workers it is of one node."""
    cluster: dict[str, Any] = {
        "spark_version": runtime,
        "node_type_id": size.node_type,
        "num_workers": size.workers,
        "custom_tags": dict(tags),
    }
    if spot:
        cluster |= _spot(str(size.node_type))
    if policy_id:
        cluster["policy_id"] = policy_id
    if not size.workers:
        cluster["spark_conf"] = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
        cluster["custom_tags"]["ResourceClass"] = "SingleNode"
    return cluster


def idle_problem(cluster: str, minutes: int | None, allowed: int | None) -> str | None:
    """What is wrong with a running cluster that may stay idle longer than the policy says, as its hours are paid for.

    Args:
        cluster: Its id.
        minutes: Idle minutes after which it ends; 0 or None for never.
        allowed: Most that the policy allows; None for any.
    """
    if not allowed or 0 < (minutes or 0) <= allowed:
        return None
    return (
        f"cluster {cluster} ends after {minutes or 'no'} idle minutes; policy.yaml asks for at most "
        f"{allowed} (auto_termination_minutes)"
    )


def _spot(node_type: str) -> dict[str, Any]:
    """Nodes that may be taken back, in the words of the cloud whose node type it is."""
    if node_type.startswith("Standard_"):
        return {"azure_attributes": {"availability": "SPOT_WITH_FALLBACK_AZURE", "first_on_demand": 1}}
    if "." in node_type:
        return {"aws_attributes": {"availability": "SPOT_WITH_FALLBACK", "first_on_demand": 1}}
    return {"gcp_attributes": {"availability": "PREEMPTIBLE_WITH_FALLBACK_GCP"}}


def _rules(policy: Policy, where: str) -> Clusters:
    if policy.databricks.clusters is None:
        raise _refused(policy, where, "clusters are not approved")
    return policy.databricks.clusters


def _refused(policy: Policy, where: str, what: str, allowed: str | None = None) -> dg.DagsterInvalidDefinitionError:
    """The refusal, with everything that is approved as one line unless ``allowed`` says it."""
    if allowed is None:
        rules = policy.databricks.clusters
        found = ["serverless compute"] if policy.databricks.serverless else []
        if rules:
            found += [f"size {name}" for name, size in policy.compute_sizes.items() if size.node_type]
            found += [f"existing_cluster {each}" for each in rules.existing]
        allowed = ", ".join(found) or "nothing: policy.yaml approves no compute under databricks"
    return dg.DagsterInvalidDefinitionError(f"{where}: compute: {what}; policy.yaml approves {allowed}")
