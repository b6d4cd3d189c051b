"""Governance: the policy, the standards that follow from it, and its enforcement."""

from .enforcement import PolicyViolations, Violation, enforce
from .governed import governed
from .policy import AlertRoute, ComputeSize, Policy, PolicyError, load_policy, policy_for, policy_json_schema

__all__ = [
    "AlertRoute",
    "ComputeSize",
    "Policy",
    "PolicyError",
    "PolicyViolations",
    "Violation",
    "enforce",
    "governed",
    "load_policy",
    "policy_for",
    "policy_json_schema",
]
