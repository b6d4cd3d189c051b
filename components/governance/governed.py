"""The one call that a project makes: standards applied, then enforced, and what is made audited."""

from pathlib import Path

import dagster as dg
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType

from .audit import Audited
from .cascade import cascade
from .enforcement import enforce
from .policy import policy_for


def governed(defs: dg.Definitions, project_root: Path) -> dg.Definitions:
    """Definitions that follow the company's standards, and whose materialisations are audited.

    Args:
        defs: Everything the project defines.
        project_root: Folder of policy.yaml.

    Raises:
        PolicyError: policy.yaml is missing or broken.
        PolicyViolations: some assets break the policy, and its mode is ``error``.
    """
    policy = policy_for(project_root)
    audited = Audited(policy, Path(project_root)) if policy.audit.enabled else None
    applied = cascade(defs, policy, audited)
    # A run loads the definitions again: what was accepted when they were loaded first is not refused half-way.
    if DefinitionsLoadContext.get().load_type is not DefinitionsLoadType.RECONSTRUCTION:
        enforce(applied, policy, project_root)
    return applied
