"""Compliance packs: checks of what assets and the policy declare, each with the articles and controls it helps with.

A pack does not certify anything. It keeps declarations complete; whether they are true is for people to verify.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .data_rules import Subject
from .policy import Policy
from .policy_data import Pack
from .policy_parts import OWNER

PERSONAL_DATA = ("direct", "indirect", "pseudonymous", "special")
LEGAL_BASES = ("consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests")


@dataclass(frozen=True)
class PackRule:
    """One check over an asset whose classification is in a pack's scope.

    Args:
        name: Name of the rule, as waivers have it.
        summary: What it asks for.
        controls: Packs that it belongs to, with the article or control it helps with.
        check: Says what is missing or wrong, or nothing.
    """

    name: str
    summary: str
    controls: Mapping[Pack, str]
    check: Callable[[Subject], str | None]


def _encryption(subject: Subject) -> str | None:
    open_places = [place for place, known in subject.places if not (known and known.encrypted)]
    return _places(open_places, "encrypted: true")


def _private_endpoint(subject: Subject) -> str | None:
    public = [place for place, known in subject.places if not (known and known.private_endpoint)]
    return _places(public, "private_endpoint: true")


def _data_region(subject: Subject) -> str | None:
    nowhere = [place for place, known in subject.places if not (known and known.region)]
    return _places(nowhere, "a region")


def _places(places: list[str], lacking: str) -> str | None:
    if not places:
        return None
    return f"its data goes to {', '.join(places)}; expected a place with {lacking} (destinations of policy.yaml)"


def _retention(subject: Subject) -> str | None:
    days = subject.metadata.get("retention_days")
    if type(days) is int and days >= 1:
        return None
    return f"the metadata retention_days is {_shown(days)}; expected a whole number of days, 1 or more"


def _personal_data(subject: Subject) -> str | None:
    tag = subject.node.tags.get("personal_data")
    if tag in PERSONAL_DATA:
        return None
    return f"the tag personal_data is {_shown(tag)}; expected one of {', '.join(PERSONAL_DATA)}"


def _purpose(subject: Subject) -> str | None:
    purpose = subject.metadata.get("purpose")
    if isinstance(purpose, str) and purpose.strip():
        return None
    return "the metadata purpose is missing; expected what the data is processed for"


def _legal_basis(subject: Subject) -> str | None:
    basis = subject.metadata.get("legal_basis")
    if basis in LEGAL_BASES:
        return None
    return f"the metadata legal_basis is {_shown(basis)}; expected one of {', '.join(LEGAL_BASES)}"


def _access_owner(subject: Subject) -> str | None:
    owner = subject.metadata.get("access_owner")
    if isinstance(owner, str) and re.search(OWNER, owner):
        return None
    return f"the metadata access_owner is {_shown(owner)}; expected who grants access, an e-mail address or team:name"


def _incident_route(subject: Subject) -> str | None:
    if subject.node.tags.get("alert_route") or subject.policy.route_of(subject.node.owners):
        return None
    return "nobody is told when it fails; expected an owner under alert_routes of policy.yaml, or the tag alert_route"


def _integrity_check(subject: Subject) -> str | None:
    return None if subject.node.check_keys else "it has no asset check; expected one at least"


def _classified_downstream(subject: Subject) -> str | None:
    if subject.origin is None:
        return None
    return (
        f"it reads {subject.origin}, which is {subject.classification}, and has no classification of its own; "
        "expected the tag classification"
    )


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)


RULES = (
    PackRule(
        "encryption",
        "Data goes only to places that the policy declares encrypted, at rest and on the way.",
        {
            "gdpr": "GDPR Art. 32(1)(a), encryption of personal data",
            "hipaa": "45 CFR 164.312(a)(2)(iv) and (e)(2)(ii), encryption",
            "pci": "PCI DSS 4.0 requirements 3.5 and 4.2, PAN secured in storage and in transmission",
            "soc2": "SOC 2 CC6.1 and CC6.7, logical access and transmission",
        },
        _encryption,
    ),
    PackRule(
        "private_endpoint",
        "Data goes only to places that the policy declares unreachable from the internet.",
        {
            "hipaa": "45 CFR 164.312(e)(1), transmission security",
            "pci": "PCI DSS 4.0 requirement 1.4, connections between trusted and untrusted networks",
            "soc2": "SOC 2 CC6.6, threats from outside the system's boundaries",
        },
        _private_endpoint,
    ),
    PackRule(
        "data_region",
        "The region in which data is kept is declared.",
        {"gdpr": "GDPR Art. 30(1)(e) and Art. 44, transfers to third countries"},
        _data_region,
    ),
    PackRule(
        "retention",
        "It is declared how long data is kept.",
        {
            "gdpr": "GDPR Art. 5(1)(e), storage limitation, and Art. 30(1)(f), time limits for erasure",
            "pci": "PCI DSS 4.0 requirement 3.2, storage of account data kept to a minimum",
            "soc2": "SOC 2 C1.2, disposal of confidential information",
        },
        _retention,
    ),
    PackRule(
        "personal_data",
        "The kind of personal data is tagged.",
        {"gdpr": "GDPR Art. 30(1)(c), categories of personal data, and Art. 9 for special ones"},
        _personal_data,
    ),
    PackRule(
        "purpose",
        "It is declared what data is processed for.",
        {"gdpr": "GDPR Art. 5(1)(b), purpose limitation, and Art. 30(1)(b), purposes of the processing"},
        _purpose,
    ),
    PackRule(
        "legal_basis",
        "The legal basis of the processing is declared.",
        {"gdpr": "GDPR Art. 6(1), lawfulness of processing"},
        _legal_basis,
    ),
    PackRule(
        "access_owner",
        "It is declared who grants access.",
        {
            "hipaa": "45 CFR 164.308(a)(4), information access management",
            "pci": "PCI DSS 4.0 requirement 7.2, access appropriately defined and assigned",
            "soc2": "SOC 2 CC6.2 and CC6.3, granting and changing access",
        },
        _access_owner,
    ),
    PackRule(
        "incident_route",
        "Failures reach somebody.",
        {
            "gdpr": "GDPR Art. 33(1), notification of a breach in time",
            "hipaa": "45 CFR 164.308(a)(6), security incident procedures",
            "pci": "PCI DSS 4.0 requirement 12.10, incident response",
            "soc2": "SOC 2 CC7.3 and CC7.4, evaluation of and response to incidents",
        },
        _incident_route,
    ),
    PackRule(
        "integrity_check",
        "Data is checked after it was made.",
        {
            "gdpr": "GDPR Art. 5(1)(d), accuracy",
            "hipaa": "45 CFR 164.312(c)(1), integrity",
            "soc2": "SOC 2 PI1.4, output that is complete and accurate",
        },
        _integrity_check,
    ),
    PackRule(
        "classified_downstream",
        "What reads data in scope is classified itself, so that the scope is known.",
        {
            "pci": "PCI DSS 4.0 requirement 12.5.2, scope documented and confirmed",
            "soc2": "SOC 2 C1.1, confidential information identified",
        },
        _classified_downstream,
    ),
)


def pack_violations(subject: Subject) -> Iterator[tuple[str, str]]:
    """The rules of the packs in force that an asset breaks, each with the controls concerned."""
    packs = [pack for pack in subject.policy.compliance if pack in subject.handling.compliance]
    for rule in RULES if packs else ():
        controls = [rule.controls[pack] for pack in packs if pack in rule.controls]
        if controls and (problem := rule.check(subject)):
            yield rule.name, f"{problem} ({'; '.join(controls)})"


def policy_violations(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """What the policy itself lacks for the packs in force: place, rule and message."""
    groups = policy.classifications if isinstance(policy.classifications, dict) else {}
    for index, pack in enumerate(policy.compliance):
        place = policy.place("compliance", index)
        if not any(pack in group.compliance for group in groups.values()):
            message = f"no classification falls under {pack}; expected classifications with compliance: [{pack}]"
            yield place, "compliance_scope", message
        if not policy.audit.enabled and pack in AUDIT_TRAIL:
            yield place, "audit_trail", f"the audit is off; expected audit: {{enabled: true}} ({AUDIT_TRAIL[pack]})"


AUDIT_TRAIL: Mapping[Pack, str] = {
    "gdpr": "GDPR Art. 5(2), accountability",
    "hipaa": "45 CFR 164.312(b), audit controls",
    "pci": "PCI DSS 4.0 requirement 10.2, audit logs",
    "soc2": "SOC 2 CC7.2, monitoring of system components",
}
