"""All violations of a project at once, as an error or as a warning."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

import dagster as dg

from .policy import POLICY_FILE, Policy
from .rules import STUB, Violation, violations_of
from .waivers import waived

logger = logging.getLogger("dagster.policy")


class PolicyViolations(dg.DagsterInvalidDefinitionError):
    """The assets of a project break its policy.

    Args:
        violations: Every violation; the message lists them by asset.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = list(violations)
        super().__init__(report(violations))


def find_violations(defs: dg.Definitions, policy: Policy, project_root: Path) -> list[Violation]:
    """Every violation of every asset, waived or not, sorted by asset and rule.

    Assets that exist only because another depends on them are covered by the rule ``unknown_upstream``.
    """
    # Dagster resolves the same object right afterwards, and it is resolved only once.
    nodes = [node for node in defs.resolve_asset_graph().asset_nodes if not node.metadata.get(STUB)]
    defined = {node.key for node in nodes}
    return sorted(violation for node in nodes for violation in violations_of(node, defined, policy, project_root))


def enforce(defs: dg.Definitions, policy: Policy, project_root: Path, today: date | None = None) -> None:
    """Hold every asset against the policy.

    Args:
        defs: The definitions, as Dagster will see them.
        policy: The standards.
        project_root: Folder that files are named from.
        today: The day that waivers are compared with; today by default.

    Raises:
        PolicyViolations: some assets break the policy, and its mode is ``error``; in mode ``warn`` one warning says so.
    """
    found = find_violations(defs, policy, project_root)
    remaining = sorted(waived(found, policy, today or datetime.now(UTC).date(), logger))
    if remaining and policy.mode == "error":
        raise PolicyViolations(remaining)
    if remaining:
        logger.warning(report(remaining))


def report(violations: Sequence[Violation]) -> str:
    """The violations as text, grouped by asset."""
    ordered = sorted(violations)
    assets = [(asset, list(found)) for asset, found in groupby(ordered, key=lambda violation: violation.asset)]
    lines = [f"{_number(len(ordered), 'violation')} of {POLICY_FILE} in {_number(len(assets), 'place')}"]
    for asset, found in assets:
        place = f" ({found[0].place})" if found[0].place not in ("", asset) else ""
        lines += ["", f"{asset}{place}", *(f"  {violation.rule}: {violation.message}" for violation in found)]
    lines += ["", f"Mend them, or waive a rule for an asset under waivers in {POLICY_FILE}."]
    return "\n".join(lines)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
