"""Which compute a component may use: sizes and places that policy.yaml approves."""

import os
from collections.abc import Sequence

import dagster as dg

from ..governance.policy import Policy
from ..governance.policy_compute import ComputeProfile, ComputeSize, LocalProfile

PROFILE_VARIABLE = "COMPUTE_PROFILE"


def approved_size(policy: Policy, name: str, where: str) -> ComputeSize:
    """The resources behind a size's name.

    Args:
        policy: The project's policy.
        name: Value of ``compute_size``.
        where: File, and component where that helps, for the message.

    Raises:
        DagsterInvalidDefinitionError: the policy approves no such size.
    """
    if name in policy.compute_sizes:
        return policy.compute_sizes[name]
    if not policy.compute_sizes:
        raise dg.DagsterInvalidDefinitionError(
            f"{where}: compute_size: {name!r} is not approved: policy.yaml has no compute_sizes. "
            "A size is written as small: {threads: 2, memory_gb: 4, hourly_cost_usd: 0.1}"
        )
    approved = "; ".join(f"{size} ({in_words(resources)})" for size, resources in policy.compute_sizes.items())
    raise dg.DagsterInvalidDefinitionError(
        f"{where}: compute_size: {name!r} is not approved by policy.yaml; expected one of: {approved}"
    )


def in_words(size: ComputeSize) -> str:
    """Resources and price of a size, as people read them."""
    nodes = f", {1 + size.workers} nodes" if size.workers else ""
    cost = size.hourly_cost_usd * (1 + size.workers)
    threads = f"{size.threads} thread{'' if size.threads == 1 else 's'}"
    return f"{threads}, {size.memory_gb:g} GB{nodes}, ${cost:.2f} an hour"


def chosen_profile(
    policy: Policy, name: str | None, where: str, size: str | None = None, owners: Sequence[str] = ()
) -> tuple[str, ComputeProfile]:
    """Where jobs run, with its name: COMPUTE_PROFILE before the YAML before ``local``.

    Args:
        policy: The project's policy.
        name: Value of ``compute_profile``, if it is written.
        where: File, and component where that helps, for the message.
        size: Value of ``compute_size``, if it is written.
        owners: Owners of the asset.

    Raises:
        DagsterInvalidDefinitionError: the policy has no such profile, or does not approve its compute in a workspace.
    """
    from_environment = os.environ.get(PROFILE_VARIABLE)
    chosen = from_environment or name or "local"
    profiles: dict[str, ComputeProfile] = {"local": LocalProfile(runs_on="local"), **policy.compute_profiles}
    if chosen not in profiles:
        origin = f"the environment variable {PROFILE_VARIABLE}" if from_environment else f"{where}: compute_profile"
        raise dg.DagsterInvalidDefinitionError(
            f"{origin}: {chosen!r} is no compute profile of policy.yaml; expected one of: {', '.join(profiles)}"
        )
    profile = profiles[chosen]
    if profile.runs_on == "databricks":
        from .clusters import approved_place

        return chosen, approved_place(policy, profile, size, owners, where)
    return chosen, profile
