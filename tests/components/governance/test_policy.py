"""policy.yaml: what it may say."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
import yaml
from jsonschema import Draft202012Validator

from components.governance import PolicyError, load_policy, policy_for, policy_json_schema
from components.governance.policy_compute import (
    ComputeSize,
    ContainerProfile,
    DatabricksProfile,
    KubernetesProfile,
    LocalProfile,
    QueryPrice,
)
from components.governance.policy_data import Audit, Classification, Destination
from components.governance.policy_parts import AlertRoute, Budget, Naming, Rule, Tier, Waiver
from components.governance.policy_secrets import VaultSecrets
from components.governance.rule_book import RULE_BOOK
from tests.components.governance.policies import FULL, written

REPOSITORY = Path(__file__).parents[3]


def test_every_part_is_read(tmp_path: Path):
    policy = load_policy(written(tmp_path, FULL))

    assert policy.mode == "warn"
    assert policy.require == ["owner", "group", "kinds", "tags", "description"]
    assert policy.required_tags == ["domain"]
    assert policy.classifications == {
        "public": Classification(),
        "personal": Classification(
            description="About people.",
            destinations=["duckdb", "s3://lake/*"],
            tags={"pii": "yes"},
            metadata={"retention_days": 90},
            compliance=["gdpr"],
        ),
    }
    assert policy.destinations == {"duckdb": Destination(encrypted=True, private_endpoint=True, region="eu")}
    assert policy.compliance == ["gdpr"]
    assert policy.tiers == {
        "critical": Tier(sla_minutes=240, sla_required=True, sla_check="warn", description="Urgent."),
        "whenever": Tier(),
    }
    assert policy.max_runtime_minutes == 90
    assert policy.compute_profiles == {
        "box": ContainerProfile(runs_on="container", image="jobs:1"),
        "cluster": KubernetesProfile(runs_on="kubernetes", image="jobs:1", namespace="ml"),
        "workspace": DatabricksProfile(runs_on="databricks"),
        "here": LocalProfile(runs_on="local"),
    }
    assert policy.query_prices == {"bigquery": QueryPrice(per_tib_usd=5.5, as_of=date(2026, 11, 1))}
    assert policy.budgets == {"team:data": Budget(monthly_usd=500, warn_at=0.5)}
    assert policy.secrets == VaultSecrets(store="vault", path="data/platform")
    assert policy.audit == Audit(enabled=True, file="data/audit.jsonl")
    assert policy.compute_sizes == {
        "small": ComputeSize(threads=2, memory_gb=2, hourly_cost_usd=0.1),
        "big": ComputeSize(threads=8, memory_gb=32.5, hourly_cost_usd=2, warehouse="WH_BIG"),
    }
    assert policy.alert_routes == {"data": AlertRoute(url_env="DATA_ALERTS_URL", owners=["team:data", "a@example.com"])}
    assert policy.external_assets == ["raw/crm_*"]
    assert policy.naming == Naming(depth=3, part="^[a-z]+$")
    assert policy.waivers == [
        Waiver(
            asset="raw/*",
            rule="description",
            owner="team:data",
            reason="Vendor tables.",
            expires=date(2027, 3, 31),
        )
    ]


def test_the_smallest_policy_is_one_line(tmp_path: Path):
    policy = load_policy(written(tmp_path, "version: 1\n"))

    assert (policy.mode, policy.require, policy.naming.depth, policy.waivers) == ("error", [], 2, [])


def test_classifications_may_be_names_only(tmp_path: Path):
    policy = load_policy(written(tmp_path, "version: 1\nclassifications: [public, personal]\n"))

    assert list(policy.classifications) == ["public", "personal"]
    assert policy.classification("personal") == Classification()


def test_the_fingerprint_follows_the_content_and_bears_the_revision(tmp_path: Path):
    one = load_policy(written(tmp_path, "version: 1\n")).fingerprint
    other = load_policy(written(tmp_path, "version: 1\n# a comment\n")).fingerprint

    assert one != other
    assert len(one) == 12
    assert load_policy(written(tmp_path, "version: 1\nrevision: r7\n")).fingerprint.startswith("r7 (")


def test_the_route_of_the_first_owner_that_has_one_is_found(tmp_path: Path):
    policy = load_policy(written(tmp_path, FULL))

    assert policy.route_of(["b@example.com", "a@example.com"]) == "data"
    assert policy.route_of(["b@example.com"]) is None


def test_a_missing_policy_is_named_with_the_smallest_one(tmp_path: Path):
    with pytest.raises(PolicyError, match=r"policy\.yaml is missing. The smallest policy is one line: version: 1"):
        policy_for(tmp_path)


def test_a_policy_that_ships_with_the_components_holds_whatever_the_project_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "project").mkdir()
    written(tmp_path / "project", "version: 1\nmode: warn\n")
    assert policy_for(tmp_path / "project").mode == "warn"

    shipped = tmp_path / "acme_components" / "governance" / "policy.py"
    shipped.parent.mkdir(parents=True)
    written(shipped.parents[1], "version: 1\nmode: error\n")
    monkeypatch.setattr("components.governance.policy.__file__", str(shipped))
    assert policy_for(tmp_path / "project").mode == "error"


def test_the_file_is_read_again_only_when_it_has_changed(tmp_path: Path):
    path = written(tmp_path, "version: 1\n")
    first = load_policy(path)

    assert load_policy(path) is first
    written(tmp_path, "version: 1\nmode: warn\n")
    assert load_policy(path).mode == "warn"


def test_the_schema_accepts_what_loads_and_refuses_what_does_not():
    validator = Draft202012Validator(policy_json_schema())
    full = json.loads(json.dumps(yaml.safe_load(FULL), default=str))

    assert list(validator.iter_errors(full)) == []
    for wrong in (
        {"mode": "strict"},
        {"mod": "warn"},
        {"alert_routes": {"x": {"url_env": "https://x"}}},
        {"tiers": {"x": {"sla_minutes": 0}}},
        {"classifications": {"x": {"destination": []}}},
        {"classifications": 5},
        {"compute_profiles": {"x": {"runs_on": "moon"}}},
        {"compliance": ["gdpr2"]},
        {"waivers": [{"asset": "x", "rule": "zzz", "owner": "team:a", "reason": "r", "expires": "2027-01-01"}]},
    ):
        assert not validator.is_valid({**full, **wrong})
    assert not validator.is_valid({"mode": "warn"})


def test_every_key_of_the_schema_is_described():
    schema = policy_json_schema()

    for part in (schema, *schema["$defs"].values()):
        for name, prop in part.get("properties", {}).items():
            assert prop.get("description"), name


def test_the_starters_policy_is_valid_and_shows_every_key(default_project: Path):
    policy = policy_for(default_project)
    (route,) = policy.alert_routes.values()

    assert policy.route_of(route.owners) == "data"
    assert policy.mode == "error"
    assert {"small", "medium", "large"} <= set(policy.compute_sizes)
    assert set(yaml.safe_load((default_project / "policy.yaml").read_text())) == set(policy_json_schema()["properties"])


def test_the_waiver_that_the_starter_shows_in_its_comment_is_valid(default_project: Path, tmp_path: Path):
    lines = (default_project / "policy.yaml").read_text().splitlines()
    shown = [line.removeprefix("# ") for line in lines if line.startswith("#   ")]

    (waiver,) = load_policy(written(tmp_path, "version: 1\nwaivers:\n" + "\n".join(shown))).waivers

    assert waiver.rule == "description"


def test_every_rule_that_can_be_waived_is_in_the_rule_book_and_the_other_way_round():
    about_the_policy_itself = {"waiver", "compliance_scope", "audit_trail"}

    assert set(get_args(Rule)) == set(RULE_BOOK) - about_the_policy_itself


def test_importing_governance_imports_no_data_library():
    heavy = "pandas numpy duckdb dlt dbt dagster_dbt apprise sqlalchemy_utils polars"
    code = f"import sys, components.governance; print([m for m in {heavy.split()!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
