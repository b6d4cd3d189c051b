"""Every rule with what it asks for and how to follow it: for people, and for the help texts of reports."""

from dataclasses import dataclass, field

from .packs import AUDIT_TRAIL
from .packs import RULES as PACK_RULES


@dataclass(frozen=True)
class RuleText:
    """What a rule says.

    Args:
        name: Its name in reports and waivers.
        summary: What it asks for.
        fix: What to do about a violation.
        controls: Articles and controls that it helps with.
    """

    name: str
    summary: str
    fix: str
    controls: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The whole as a few lines."""
        helps = [f"Helps with: {'; '.join(self.controls)}."] if self.controls else []
        return "\n".join([f"{self.name}: {self.summary}", f"To follow it: {self.fix}", *helps])


_OWN = [
    RuleText("owner", "An asset has an owner.", "Set owners: [team:name] or an e-mail address; in dbt, meta.owner."),
    RuleText("group", "An asset is in a group other than default.", "Set group, or group_name in Python."),
    RuleText("kinds", "An asset says what it is made with.", "Set kinds, such as [dbt, duckdb]."),
    RuleText("tags", "An asset has the tags under required_tags.", "Set the missing tag."),
    RuleText("description", "An asset is described.", "Say what a row is and what the data is for."),
    RuleText(
        "classification",
        "The tag classification is one of the policy's; where classification is required, every asset has it.",
        "Set the tag classification; in dbt, meta.classification.",
    ),
    RuleText(
        "tier",
        "The tag tier is one of the policy's; where tier is required, every asset has it.",
        "Set the tag tier; in dbt, meta.tier.",
    ),
    RuleText("sla_minutes", "The metadata sla_minutes is a whole number of minutes.", "Correct the number."),
    RuleText(
        "sla_missing",
        "An asset of a tier with sla_required has a deadline.",
        "Set the metadata sla_minutes; in dbt, meta.sla_minutes or meta.sla such as 4h.",
    ),
    RuleText("alert_route", "The tag alert_route is one of the policy's.", "Use a name of alert_routes."),
    RuleText("compute_size", "The tag compute_size is one of the policy's.", "Use a name of compute_sizes."),
    RuleText(
        "destination",
        "Classified data goes only to the destinations of its classification; unclassified data that reads it, too.",
        "Set the metadata destination to an allowed place, or classify the asset for what it holds.",
    ),
    RuleText("key", "Asset keys have the shape under naming.", "Rename the asset."),
    RuleText(
        "unknown_upstream",
        "What an asset depends on is made by the project, or listed under external_assets.",
        "Load it, map it to an asset, or list it.",
    ),
    RuleText("waiver", "A waiver has not expired.", "Mend the assets and remove it, or set a later day."),
    RuleText(
        "compliance_scope",
        "A compliance pack has a classification that falls under it.",
        "Add compliance: [pack] to the classification concerned.",
    ),
    RuleText(
        "audit_trail",
        "The audit is on where a compliance pack is in force.",
        "Set audit: {enabled: true}.",
        list(AUDIT_TRAIL.values()),
    ),
]
_FIXES = {
    "encryption": "Send it to a place with encrypted: true under destinations of policy.yaml.",
    "private_endpoint": "Send it to a place with private_endpoint: true under destinations of policy.yaml.",
    "data_region": "Add the region to the place under destinations of policy.yaml.",
    "retention": "Set the metadata retention_days on the asset or on its classification.",
    "personal_data": "Set the tag personal_data: direct, indirect, pseudonymous or special.",
    "purpose": "Set the metadata purpose on the asset or on its classification.",
    "legal_basis": "Set the metadata legal_basis on the asset or on its classification.",
    "access_owner": "Set the metadata access_owner on the asset or on its classification.",
    "incident_route": "List the owner under alert_routes of policy.yaml.",
    "integrity_check": "Add an asset check or a dbt test.",
    "classified_downstream": "Set the tag classification.",
}

RULE_BOOK = {
    rule.name: rule
    for rule in [
        *_OWN,
        *(RuleText(rule.name, rule.summary, _FIXES[rule.name], list(rule.controls.values())) for rule in PACK_RULES),
    ]
}
