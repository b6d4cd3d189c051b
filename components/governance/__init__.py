"""Governance: the policy, the standards that follow from it, its enforcement, and the audit of what was made."""

from .enforcement import Findings, PolicyViolations, Violation, enforce
from .governed import governed
from .policy import AlertRoute, ComputeSize, Policy, PolicyError, load_policy, policy_for, policy_json_schema

__all__ = [
    "AlertRoute",
    "ComputeSize",
    "Findings",
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
