"""The smaller parts of policy.yaml, and the kinds of values in it."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from ..keys import KnownKeys

OWNER = r"^(team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+)$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

Requirement = Literal["owner", "group", "kinds", "tags", "description", "classification", "tier"]
Rule = Literal[
    "owner",
    "group",
    "kinds",
    "tags",
    "description",
    "classification",
    "tier",
    "sla_minutes",
    "sla_missing",
    "alert_route",
    "compute_size",
    "destination",
    "key",
    "unknown_upstream",
    "encryption",
    "private_endpoint",
    "data_region",
    "retention",
    "personal_data",
    "purpose",
    "legal_basis",
    "access_owner",
    "incident_route",
    "integrity_check",
    "classified_downstream",
]


def _owner(value: str) -> str:
    if not re.search(OWNER, value):
        raise ValueError("expected an e-mail address or team:name")
    return value


def _variable(value: str) -> str:
    if not re.search(_VARIABLE, value):
        raise ValueError("expected the name of an environment variable, such as ALERTS_URL; never the address itself")
    return value


def _day(value: Any) -> Any:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("expected a day as YYYY-MM-DD") from None


def _regular_expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression ({error})") from None
    return value


Owner = Annotated[str, AfterValidator(_owner), Field(json_schema_extra={"pattern": OWNER})]
Variable = Annotated[str, AfterValidator(_variable), Field(json_schema_extra={"pattern": _VARIABLE})]


class Part(KnownKeys):
    """Base of every group of keys in policy.yaml: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # listing components needs no validator


class Tier(Part):
    """How important an asset is: the value of its ``tier`` tag."""

    sla_minutes: int | None = Field(
        default=None,
        ge=1,
        description="Minutes after which data that was not refreshed is late; sets a freshness policy.",
    )
    sla_required: bool = Field(
        default=False, description="Whether each of its assets has a deadline, from here or from its own sla_minutes."
    )
    sla_check: Literal["error", "warn", "none"] = Field(
        default="error", description="What an asset check says when the data is late; none: no such check."
    )
    description: str = Field(default="", description="Which assets belong here.")


class AlertRoute(Part):
    """Where alerts go, and whose."""

    url_env: Variable = Field(description="Name of the environment variable that holds the Apprise URL.")
    owners: list[Owner] = Field(default_factory=list, description="Owners whose assets alert here.")


class Budget(Part):
    """What an owner may spend on compute and paid services."""

    monthly_usd: float = Field(gt=0, description="US dollars in a calendar month, UTC.")
    warn_at: float = Field(default=0.8, gt=0, le=1, description="Share of it at which the owner's alert route is told.")


class Waiver(Part):
    """A rule that some assets may break until a day."""

    asset: str = Field(min_length=1, description="Asset key, or a pattern such as raw/*.")
    rule: Rule = Field(description="The rule that is waived.")
    owner: Owner = Field(description="Who answers for the exception.")
    reason: str = Field(min_length=1, description="Why it is needed.")
    expires: Annotated[date, BeforeValidator(_day)] = Field(description="Last day on which it holds, as YYYY-MM-DD.")


class Naming(Part):
    """What asset keys look like."""

    depth: int = Field(default=2, ge=1, description="Number of parts of an asset key.")
    part: Annotated[str, AfterValidator(_regular_expression)] = Field(
        default=r"^[A-Za-z0-9_]+$", description="Regular expression that each part matches."
    )
