"""Compliance packs: each rule broken by one change of an asset or policy that follows them all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pytest

from components.governance import governed
from components.governance.packs import RULES
from components.governance.policy_data import Pack
from tests.components.governance.policies import violations

POLICY = """\
version: 1
classifications:
  public: {}
  personal: {compliance: [gdpr, hipaa, pci, soc2]}
destinations:
  duckdb: {encrypted: true, private_endpoint: true, region: eu-central-1}
  "s3://open-*": {private_endpoint: true, region: eu-central-1}
  "s3://public-*": {encrypted: true, region: eu-central-1}
  "s3://somewhere-*": {encrypted: true, private_endpoint: true}
compliance: [gdpr, hipaa, pci, soc2]
alert_routes: {data: {url_env: DATA_URL, owners: [team:data]}}
"""
FOLLOWS: dict[str, Any] = {
    "owners": ["team:data"],
    "kinds": {"duckdb"},
    "tags": {"classification": "personal", "personal_data": "pseudonymous"},
    "metadata": {
        "retention_days": 365,
        "purpose": "Billing.",
        "legal_basis": "contract",
        "access_owner": "team:data",
    },
}


def asset(checked: bool = True, **changes: Any) -> dg.Definitions:
    """An asset that follows every rule, changed; and another that reads it."""
    said = {key: changes.pop(key, value) for key, value in FOLLOWS.items()}
    metadata = {**said.pop("metadata"), **changes.pop("metadata_more", {})}
    spec = dg.AssetSpec(
        ["raw", "people"], metadata={key: value for key, value in metadata.items() if value is not None}, **said
    )
    check = dg.AssetCheckSpec("ids_are_unique", asset=spec.key)

    @dg.multi_asset(specs=[spec], check_specs=[check] if checked else [])
    def people(): ...

    return dg.Definitions(assets=[people])


def test_an_asset_that_declares_everything_follows_all_packs(project: Callable[..., Path]):
    governed(asset(), project(policy=POLICY))


BREAKS: list[tuple[str, dict[str, Any], str]] = [
    ("encryption", {"metadata_more": {"destination": "s3://open-lake"}}, "goes to s3://open-lake; expected a place "),
    ("encryption", {"kinds": {"snowflake"}}, "its data goes to snowflake; expected a place with encrypted: true"),
    ("private_endpoint", {"metadata_more": {"destination": "s3://public-lake"}}, "with private_endpoint: true"),
    ("data_region", {"metadata_more": {"destination": "s3://somewhere-x"}}, "expected a place with a region"),
    ("retention", {"metadata_more": {"retention_days": None}}, "retention_days is missing; expected a whole number"),
    ("retention", {"metadata_more": {"retention_days": 0}}, "retention_days is 0; expected a whole number"),
    ("personal_data", {"tags": {"classification": "personal"}}, "the tag personal_data is missing; expected one of"),
    (
        "personal_data",
        {"tags": {"classification": "personal", "personal_data": "yes"}},
        "the tag personal_data is 'yes'; expected one of direct, indirect, pseudonymous, special",
    ),
    ("purpose", {"metadata_more": {"purpose": "  "}}, "the metadata purpose is missing"),
    ("legal_basis", {"metadata_more": {"legal_basis": "because"}}, "legal_basis is 'because'; expected one of consent"),
    ("access_owner", {"metadata_more": {"access_owner": "bob"}}, "access_owner is 'bob'; expected who grants access"),
    ("incident_route", {"owners": ["team:web"]}, "nobody is told when it fails"),
    ("integrity_check", {"checked": False}, "it has no asset check; expected one at least"),
]


@pytest.mark.parametrize(("rule", "change", "message"), BREAKS, ids=[f"{case[0]}-{n}" for n, case in enumerate(BREAKS)])
def test_what_is_not_declared_breaks_the_rule_that_asks_for_it_and_the_control_is_cited(
    rule: str, change: dict[str, Any], message: str, project: Callable[..., Path]
):
    found = violations(asset(**change), project(policy=POLICY))

    (violation,) = [one for one in found if one.rule == rule]
    assert message in violation.message
    controls = next(known.controls for known in RULES if known.name == rule)
    assert all(control in violation.message for control in controls.values())
    places = {"encryption", "private_endpoint", "data_region"}
    assert {one.rule for one in found} == {rule} or {one.rule for one in found} <= places


def test_what_reads_data_in_scope_without_a_classification_of_its_own_is_named(project: Callable[..., Path]):
    reader = dg.AssetSpec(["marts", "ages"], deps=[["raw", "people"]], kinds={"duckdb"})
    defs = dg.Definitions.merge(asset(), dg.Definitions(assets=[reader]))

    found = violations(defs, project(policy=POLICY))

    assert {one.asset for one in found} == {"marts/ages"}
    (violation,) = [one for one in found if one.rule == "classified_downstream"]
    assert violation.message.startswith("it reads raw/people, which is personal, and has no classification of its own")
    public = dg.AssetSpec(["marts", "ages"], deps=[["raw", "people"]], tags={"classification": "public"})
    governed(dg.Definitions.merge(asset(), dg.Definitions(assets=[public])), project(policy=POLICY))


@pytest.mark.parametrize("pack", get_args(Pack))
def test_a_pack_holds_only_where_it_is_on_and_for_the_data_in_its_scope(pack: str, project: Callable[..., Path]):
    bare = dg.Definitions(assets=[dg.AssetSpec(["raw", "people"], tags={"classification": "personal"})])
    only = POLICY.replace("compliance: [gdpr, hipaa, pci, soc2]\nalert", f"compliance: [{pack}]\nalert")

    assert {one.rule for one in violations(bare, project(policy=only))} == {
        rule.name for rule in RULES if pack in rule.controls and rule.name != "classified_downstream"
    }
    governed(bare, project(policy=only.replace(f"compliance: [{pack}]\n", "")))
    other = dg.Definitions(assets=[dg.AssetSpec(["raw", "people"], tags={"classification": "public"})])
    governed(other, project(policy=only))


def test_a_pack_that_no_classification_falls_under_is_a_violation_of_the_policy(project: Callable[..., Path]):
    root = project(policy="version: 1\nclassifications: {personal: {compliance: [gdpr]}}\ncompliance: [gdpr, pci]\n")

    (violation,) = violations(dg.Definitions(assets=[]), root)

    assert (violation.asset, violation.rule) == ("policy.yaml:3", "compliance_scope")
    assert violation.message == "no classification falls under pci; expected classifications with compliance: [pci]"


def test_a_pack_without_the_audit_is_a_violation_of_the_policy(project: Callable[..., Path]):
    found = violations(dg.Definitions(assets=[]), project(policy=POLICY + "audit: {enabled: false}\n"))

    assert {one.rule for one in found} == {"audit_trail"}
    assert [one.message for one in found if "164.312(b)" in one.message] == [
        "the audit is off; expected audit: {enabled: true} (45 CFR 164.312(b), audit controls)"
    ]


def test_a_rule_of_a_pack_can_be_waived(project: Callable[..., Path]):
    waiver = (
        'waivers: [{asset: "raw/*", rule: purpose, owner: team:data, reason: Being written., expires: 2999-01-01}]\n'
    )

    governed(asset(metadata_more={"purpose": None}), project(policy=POLICY + waiver))


def test_every_rule_of_the_packs_is_broken_by_a_test():
    assert {case[0] for case in BREAKS} | {"classified_downstream"} == {rule.name for rule in RULES}
