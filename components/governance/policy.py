"""What policy.yaml may say, and how it is read."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import dagster as dg
import yaml
from dagster_shared.yaml_utils import try_parse_yaml_with_source_position
from dagster_shared.yaml_utils.source_position import SourcePositionTree
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from ..base import NamesUnknownKeys

POLICY_FILE = "policy.yaml"
_OWNER = r"^(team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+)$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

Requirement = Literal["owner", "group", "kinds", "tags", "description"]
Rule = Literal[
    "owner",
    "group",
    "kinds",
    "tags",
    "description",
    "classification",
    "tier",
    "sla_minutes",
    "alert_route",
    "key",
    "unknown_upstream",
]


class PolicyError(dg.DagsterInvalidDefinitionError):
    """policy.yaml is missing or broken; the message has a line for each mistake."""


def _owner(value: str) -> str:
    if not re.search(_OWNER, value):
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


Owner = Annotated[str, AfterValidator(_owner), Field(json_schema_extra={"pattern": _OWNER})]
Variable = Annotated[str, AfterValidator(_variable), Field(json_schema_extra={"pattern": _VARIABLE})]


class _Part(NamesUnknownKeys):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tier(_Part):
    """How important an asset is: the value of its ``tier`` tag."""

    sla_minutes: int | None = Field(
        default=None,
        ge=1,
        description="Minutes after which data that was not refreshed is late; sets a freshness policy.",
    )
    description: str = Field(default="", description="Which assets belong here.")


class ComputeSize(_Part):
    """Resources that a run may ask for by name."""

    threads: int = Field(ge=1, description="Threads.")
    memory_gb: float = Field(gt=0, description="Memory in gigabytes.")
    hourly_cost_usd: float = Field(ge=0, description="Cost in US dollars per hour.")
    warehouse: str | None = Field(default=None, description="Name of the warehouse in engines that have several.")


class AlertRoute(_Part):
    """Where alerts go, and whose."""

    url_env: Variable = Field(description="Name of the environment variable that holds the Apprise URL.")
    owners: list[Owner] = Field(default_factory=list, description="Owners whose assets alert here.")


class Waiver(_Part):
    """A rule that some assets may break until a day."""

    asset: str = Field(min_length=1, description="Asset key, or a pattern such as raw/*.")
    rule: Rule = Field(description="The rule that is waived.")
    owner: Owner = Field(description="Who answers for the exception.")
    reason: str = Field(min_length=1, description="Why it is needed.")
    expires: Annotated[date, BeforeValidator(_day)] = Field(description="Last day on which it holds, as YYYY-MM-DD.")


class Naming(_Part):
    """What asset keys look like."""

    depth: int = Field(default=2, ge=1, description="Number of parts of an asset key.")
    part: Annotated[str, AfterValidator(_regular_expression)] = Field(
        default=r"^[A-Za-z0-9_]+$", description="Regular expression that each part matches."
    )


class Policy(_Part):
    """The standards that every asset of the project is held against."""

    version: Literal[1] = Field(description="Version of this format.")
    mode: Literal["error", "warn"] = Field(default="error", description="error: refuse to load. warn: load and log.")
    require: list[Requirement] = Field(default_factory=list, description="What every asset has.")
    required_tags: list[str] = Field(default_factory=list, description="Tags that every asset has.")
    classifications: list[str] = Field(default_factory=list, description="Values of the tag classification.")
    tiers: dict[str, Tier] = Field(default_factory=dict, description="Values of the tag tier.")
    compute_sizes: dict[str, ComputeSize] = Field(default_factory=dict, description="Approved compute sizes.")
    alert_routes: dict[str, AlertRoute] = Field(default_factory=dict, description="Where alerts go.")
    external_assets: list[str] = Field(
        default_factory=list, description="Patterns of upstream assets that something else makes."
    )
    naming: Naming = Field(default_factory=Naming, description="Shape of asset keys.")
    waivers: list[Waiver] = Field(default_factory=list, description="Exceptions, each with an owner and an end.")

    _file: Path = PrivateAttr(Path(POLICY_FILE))
    _positions: SourcePositionTree | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _one_route_an_owner(self) -> "Policy":
        route_of: dict[str, str] = {}
        for name, route in self.alert_routes.items():
            for index, owner in enumerate(route.owners):
                if owner in route_of:
                    error = ValueError(f"is in route {route_of[owner]!r} already; expected each owner in one route")
                    place = ("alert_routes", name, "owners", index)
                    fault: Any = {"type": "value_error", "loc": place, "input": owner, "ctx": {"error": error}}
                    raise ValidationError.from_exception_data("Policy", [fault])
                route_of[owner] = name
        return self

    def route_of(self, owners: Sequence[str]) -> str | None:
        """The name of the alert route of the first owner that has one."""
        return next((name for o in owners for name, route in self.alert_routes.items() if o in route.owners), None)

    def place(self, *keys: str | int) -> str:
        """File and line of something in the policy, for messages."""
        line = self._positions.lookup_closest_and_path(keys, None)[0].start.line if self._positions else 1
        return f"{self._file.name}:{line}"


def policy_for(project_root: Path) -> Policy:
    """The policy of a project.

    Raises:
        PolicyError: the project's policy.yaml is missing or broken.
    """
    return load_policy(Path(project_root) / POLICY_FILE)


def load_policy(path: Path) -> Policy:
    """The policy in a file; read again only when the file has changed.

    Raises:
        PolicyError: the file is missing or broken; each mistake is named with its line, key, value and what is valid.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise PolicyError(f"{path} is missing. The smallest policy is one line: version: 1") from None
    return _load(path, status.st_mtime_ns, status.st_size)


def policy_json_schema() -> dict[str, Any]:
    """The JSON schema of policy.yaml, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}


@lru_cache(maxsize=16)
def _load(path: Path, mtime_ns: int, size: int) -> Policy:
    try:
        parsed = try_parse_yaml_with_source_position(path.read_text(encoding="utf-8"), str(path))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{path}:{line}: this is not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: this is not YAML: {error}") from None
    if parsed is None or not isinstance(parsed.value, dict):
        raise PolicyError(f"{path}:1: expected keys and values, starting with version: 1")
    try:
        policy = Policy.model_validate(parsed.value, strict=True)  # strict: a number in quotes is text
    except ValidationError as error:
        positions = parsed.source_position_tree
        mistakes = sorted(_mistake(positions, detail) for detail in error.errors(include_url=False))
        raise PolicyError("\n".join(f"{path}:{line}: {message}" for line, message in mistakes)) from None
    policy._file, policy._positions = path, parsed.source_position_tree
    return policy


def _mistake(positions: SourcePositionTree, detail: Any) -> tuple[int, str]:
    """The line of one mistake, and its key, its value where that cannot be a secret, and what is valid."""
    place = detail["loc"]
    missing = detail["type"] == "missing"
    message = "is missing" if missing else detail["msg"].removeprefix("Value error, ")
    hidden = missing or "url_env" in place or isinstance(detail["input"], BaseModel | dict | list)
    shown = "" if hidden else f"{detail['input']!r}: "
    line = positions.lookup_closest_and_path(place, None)[0].start.line
    return line, f"{'.'.join(map(str, place))}: {shown}{message.replace('Input should be', 'expected')}"
