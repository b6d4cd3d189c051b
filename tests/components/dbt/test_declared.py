"""The rules of a platform team for dbt models: owner, description, classification, a deadline for critical ones."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import yaml

from components.dbt.declared import declared_sla, declared_tags
from components.governance import PolicyViolations, governed
from tests.components.dbt.harness import Platform, raw_tables

POLICY = """
version: 1
require: [owner, description, classification]
classifications: {public: {}, personal: {tags: {pii: direct}, destinations: [snowflake]}}
tiers: {critical: {sla_required: true}, standard: {}}
waivers:
  - {asset: "raw/*", rule: owner, owner: team:data, reason: Test data., expires: 2999-01-01}
  - {asset: "raw/*", rule: description, owner: team:data, reason: Test data., expires: 2999-01-01}
  - {asset: "raw/*", rule: classification, owner: team:data, reason: Test data., expires: 2999-01-01}
"""
GOOD: dict[str, Any] = {"owner": "team:shop", "data_classification": "public", "tier": "critical", "sla": "4h"}


def declare(platform: Platform, models: dict[str, dict[str, Any]]) -> None:
    """Give models a meta and a description; the other files of the sample keep only what these models need."""
    for old in [*platform.dbt.glob("models/*/*.yml"), *platform.dbt.glob("snapshots/*"), *platform.dbt.glob("seeds/*")]:
        old.unlink()
    for old in platform.dbt.glob("models/*/*.sql"):
        old.unlink()
    for old in platform.dbt.glob("tests/*"):
        old.unlink()
    for name in models:
        (platform.dbt / "models" / "marts" / f"{name}.sql").write_text(f"select '{name}' as name")
    listed = [
        {"name": name, "description": said.get("description", "Said."), "config": {"meta": said["meta"]}}
        for name, said in models.items()
    ]
    (platform.dbt / "models" / "marts" / "_models.yml").write_text(yaml.safe_dump({"version": 2, "models": listed}))
    (platform.root / "policy.yaml").write_text(POLICY)


@pytest.mark.e2e
def test_each_violation_names_the_model_and_its_file(platform: Platform) -> None:
    declare(
        platform,
        {
            "good": {"meta": GOOD},
            "unowned": {"meta": {**GOOD, "owner": ""}},
            "undescribed": {"meta": GOOD, "description": ""},
            "unclassified": {"meta": {**GOOD, "data_classification": None}},
            "misclassified": {"meta": {**GOOD, "data_classification": "top secret!"}},
            "unpromised": {"meta": {**GOOD, "sla": None}},
            "vague": {"meta": {**GOOD, "sla": "soonish"}},
            "relaxed": {"meta": {**GOOD, "tier": "standard", "sla": None}},
            "people": {"meta": {**GOOD, "data_classification": "personal"}},
        },
    )
    defs = dg.Definitions.merge(platform.load(), dg.Definitions(assets=[raw_tables]))

    with pytest.raises(PolicyViolations) as caught:
        governed(defs, platform.root)

    found = {
        (violation.asset, violation.rule, violation.place)
        for violation in caught.value.violations
        if violation.rule != "key"
    }
    assert found == {
        (f"marts/{name}", rule, f"transform/models/marts/{name}.sql")
        for name, rule in {
            "unowned": "owner",
            "undescribed": "description",
            "unclassified": "classification",
            "misclassified": "classification",
            "unpromised": "sla_missing",
            "vague": "sla_minutes",
            "people": "destination",
        }.items()
    }
    assert "'top_secret_'; expected one of public, personal" in str(caught.value)
    assert "the metadata sla_minutes is 'soonish'; expected a whole number of minutes" in str(caught.value)


@pytest.mark.e2e
def test_what_a_model_declares_cascades_and_wins_over_the_components_deadline(platform: Platform) -> None:
    declare(platform, {"own": {"meta": GOOD}, "plain": {"meta": {"owner": "team:shop", "classification": "public"}}})

    loaded = platform.load(monitoring={"sla_minutes": 30})
    specs = {spec.key.path[-1]: spec for spec in governed(loaded, platform.root).resolve_all_asset_specs()}

    assert specs["own"].owners == ["team:shop"]
    assert {name: specs["own"].tags[name] for name in ("classification", "tier")} == {
        "classification": "public",
        "tier": "critical",
    }
    assert specs["own"].metadata["sla_minutes"] == 240
    assert specs["own"].freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=4))
    assert specs["plain"].metadata["sla_minutes"] == 30
    assert specs["plain"].freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=30))


@pytest.mark.parametrize(
    ("meta", "minutes"),
    [
        ({"sla_minutes": 90, "sla": "1h"}, 90),
        ({"sla": 45}, 45),
        ({"sla": "30m"}, 30),
        ({"sla": " 2 hours "}, 120),
        ({"sla": "1 day"}, 1440),
        ({"sla": "soon"}, "soon"),
        ({}, None),
    ],
)
def test_a_deadline_may_be_said_in_minutes_hours_or_days(meta: dict[str, Any], minutes: Any) -> None:
    assert declared_sla(meta) == minutes


def test_the_first_name_of_a_tag_counts_and_tags_stay_tags() -> None:
    meta = {"classification": "public", "data_classification": "personal", "tier": "very important!"}

    assert declared_tags(meta) == {"classification": "public", "tier": "very_important_"}
    assert declared_tags({"tier": None}) == {}
