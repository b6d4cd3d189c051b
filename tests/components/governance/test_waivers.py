"""Exceptions from the policy, each with an owner and an end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from components.governance import PolicyViolations, enforce, governed, load_policy
from tests.components.governance.policies import TODAY, good, violations

WAIVER = """\
waivers:
  - {asset: "raw/*", rule: description, owner: team:data, reason: Vendor tables., expires: 2026-06-01}
"""


def test_a_waived_violation_is_not_reported_until_its_last_day_is_over(project: Callable[..., Path]):
    root = project(WAIVER)
    defs = dg.Definitions(assets=[good("raw/a", description=None)])

    enforce(defs, load_policy(root / "policy.yaml"), root, TODAY)

    found = violations(defs, root, TODAY + timedelta(days=1))
    assert [(violation.asset, violation.rule) for violation in found] == [
        ("policy.yaml:10", "waiver"),
        ("raw/a", "description"),
    ]
    assert found[0].message == (
        "the waiver of description for raw/* expired on 2026-06-01; "
        "team:data either mends the assets and removes it, or sets a later date"
    )


def test_a_waiver_covers_its_rule_and_its_assets_only(project: Callable[..., Path]):
    specs = [good("raw/a", description=None, owners=[]), good("marts/a", description=None)]

    found = violations(dg.Definitions(assets=specs), project(WAIVER))

    assert [(violation.asset, violation.rule) for violation in found] == [
        ("marts/a", "description"),
        ("raw/a", "owner"),
    ]


def test_a_waiver_that_covers_nothing_is_warned_about(project: Callable[..., Path], caplog: pytest.LogCaptureFixture):
    root = project(WAIVER)

    enforce(dg.Definitions(assets=[good("raw/a")]), load_policy(root / "policy.yaml"), root, TODAY)

    assert caplog.messages == ["policy.yaml:10: the waiver of description for raw/* covers nothing; remove it"]


def test_a_waiver_that_ends_soon_is_warned_about(project: Callable[..., Path], caplog: pytest.LogCaptureFixture):
    root = project(WAIVER)
    defs = dg.Definitions(assets=[good("raw/a", description=None)])

    enforce(defs, load_policy(root / "policy.yaml"), root, TODAY - timedelta(days=15))
    assert caplog.messages == []
    enforce(defs, load_policy(root / "policy.yaml"), root, TODAY - timedelta(days=14))
    assert "ends on 2026-06-01" in caplog.text


def test_a_waiver_is_compared_with_today_by_default(project: Callable[..., Path]):
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    with pytest.raises(PolicyViolations, match=f"expired on {yesterday}"):
        governed(dg.Definitions(assets=[]), project(WAIVER.replace("2026-06-01", str(yesterday))))
