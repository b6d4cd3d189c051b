"""All violations of a project at once, as an error or as a warning."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

import dagster as dg

from .data_rules import Subject, subjects_of
from .packs import policy_violations
from .policy import POLICY_FILE, Policy
from .policy_parts import Waiver
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


@dataclass(frozen=True)
class Findings:
    """What became of holding a project against its policy.

    Args:
        policy: The standards.
        assets: Keys of the assets that were looked at.
        violations: What is to be mended, sorted by asset and rule.
        waived: What is excused, each with its waiver.
    """

    policy: Policy
    assets: list[str]
    violations: list[Violation]
    waived: list[tuple[Violation, Waiver]]


_collected: ContextVar[list[Findings] | None] = ContextVar("collected findings", default=None)


@contextmanager
def collecting() -> Iterator[list[Findings]]:
    """Within it, enforcing refuses and logs nothing: what is found is in the list."""
    found: list[Findings] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def find(defs: dg.Definitions, policy: Policy, project_root: Path, today: date | None = None) -> Findings:
    """Hold every asset against the policy.

    Assets that exist only because another depends on them are covered by the rule ``unknown_upstream``.

    Args:
        defs: The definitions, as Dagster will see them.
        policy: The standards.
        project_root: Folder that files are named from.
        today: The day that waivers are compared with; today by default.
    """
    # Dagster resolves the same object right afterwards, and it is resolved only once.
    graph = defs.resolve_asset_graph()
    nodes = {node.key: node for node in graph.asset_nodes if not node.metadata.get(STUB)}
    if _follows_data(policy):
        ordered = {key: nodes[key] for key in graph.toposorted_asset_keys if key in nodes}
        subjects = subjects_of(ordered, policy)
    else:
        subjects = (Subject(node, policy, node.tags.get("classification")) for node in nodes.values())
    defined = frozenset(nodes)
    found = [violation for subject in subjects for violation in violations_of(subject, defined, project_root)]
    found += [Violation(place, rule, message, place) for place, rule, message in policy_violations(policy)]
    remaining, excused = waived(sorted(found), policy, today or datetime.now(UTC).date(), logger)
    return Findings(policy, [key.to_user_string() for key in nodes], sorted(remaining), excused)


def _follows_data(policy: Policy) -> bool:
    groups = policy.classifications.values() if isinstance(policy.classifications, dict) else ()
    return any(group.destinations is not None or group.compliance for group in groups)


def enforce(defs: dg.Definitions, policy: Policy, project_root: Path, today: date | None = None) -> None:
    """Hold every asset against the policy, and refuse what breaks it.

    Args:
        defs: The definitions, as Dagster will see them.
        policy: The standards.
        project_root: Folder that files are named from.
        today: The day that waivers are compared with; today by default.

    Raises:
        PolicyViolations: some assets break the policy, and its mode is ``error``; in mode ``warn`` one warning says so.
    """
    found = find(defs, policy, project_root, today)
    collected = _collected.get()
    if collected is not None:
        collected.append(found)
    elif found.violations and policy.mode == "error":
        raise PolicyViolations(found.violations)
    elif found.violations:
        logger.warning(report(found.violations))


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
