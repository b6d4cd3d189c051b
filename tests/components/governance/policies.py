"""Policies and projects that the governance tests share."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from components.governance import PolicyViolations, Violation, enforce, load_policy

FULL = """\
version: 1
revision: "2026-11"
mode: warn
require: [owner, group, kinds, tags, description]
required_tags: [domain]
classifications:
  public: {}
  personal:
    description: About people.
    destinations: [duckdb, "s3://lake/*"]
    tags: {pii: "yes"}
    metadata: {retention_days: 90}
    compliance: [gdpr]
destinations:
  duckdb: {encrypted: true, private_endpoint: true, region: eu}
compliance: [gdpr]
tiers:
  critical: {sla_minutes: 240, sla_required: true, sla_check: warn, description: Urgent.}
  whenever: {}
max_runtime_minutes: 90
compute_sizes:
  small: {threads: 2, memory_gb: 2, hourly_cost_usd: 0.1}
  big: {threads: 8, memory_gb: 32.5, hourly_cost_usd: 2, warehouse: WH_BIG}
compute_profiles:
  box: {runs_on: container, image: "jobs:1"}
  cluster: {runs_on: kubernetes, image: "jobs:1", namespace: ml}
  workspace: {runs_on: databricks}
  here: {runs_on: local}
budgets:
  team:data: {monthly_usd: 500, warn_at: 0.5}
secrets: {store: vault, path: data/platform}
alert_routes:
  data: {url_env: DATA_ALERTS_URL, owners: [team:data, a@example.com]}
external_assets: ["raw/crm_*"]
audit: {file: data/audit.jsonl}
naming: {depth: 3, part: "^[a-z]+$"}
waivers:
  - asset: raw/*
    rule: description
    owner: team:data
    reason: Vendor tables.
    expires: 2027-03-31
query_prices: {bigquery: {per_tib_usd: 5.5, as_of: 2026-11-01}}
"""


POLICY = """\
version: 1
require: [owner, group, kinds, tags, description]
required_tags: [domain]
classifications: [public, personal]
tiers: {critical: {sla_minutes: 240}, standard: {sla_minutes: 1440}, whenever: {}}
alert_routes:
  data: {url_env: DATA_URL, owners: [team:data]}
  web: {url_env: WEB_URL, owners: [team:web]}
"""
TODAY = date(2026, 6, 1)


def written(folder: Path, text: str) -> Path:
    """The file policy.yaml of a folder, with this text."""
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def good(key: str, **changes: Any) -> dg.AssetSpec:
    """An asset that has an owner, a group, kinds, a tag and a description, changed."""
    said: dict[str, Any] = {
        "owners": ["team:data"],
        "group_name": "ingestion",
        "kinds": {"duckdb"},
        "tags": {"domain": "sales"},
        "description": "Orders.",
    }
    return dg.AssetSpec(key.split("/"), **{**said, **changes})


def violations(defs: dg.Definitions, root: Path, today: date = TODAY) -> list[Violation]:
    """What enforcing the policy of a folder refuses."""
    with pytest.raises(PolicyViolations) as caught:
        enforce(defs, load_policy(root / "policy.yaml"), root, today)
    return caught.value.violations
