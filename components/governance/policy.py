"""What policy.yaml may say, and how it is read."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import yaml
from dagster_shared.yaml_utils import try_parse_yaml_with_source_position
from dagster_shared.yaml_utils.source_position import SourcePositionTree
from pydantic import Field, PrivateAttr, ValidationError, model_validator

from .policy_compute import ComputeProfile, ComputeSize, QueryPrice
from .policy_data import Audit, Classification, Classifications, Destination, Pack
from .policy_databricks import DatabricksPolicy
from .policy_mistakes import located, unreadable_line
from .policy_parts import AlertRoute, Budget, Naming, Owner, Part, Requirement, Tier, Waiver
from .policy_secrets import EnvironmentSecrets, SecretStore

POLICY_FILE = "policy.yaml"
_OPEN = Classification()


class PolicyError(dg.DagsterInvalidDefinitionError):
    """policy.yaml is missing or broken; the message has a line for each mistake."""


class Policy(Part):
    """The standards that every asset of the project is held against."""

    version: Literal[1] = Field(description="Version of this format.")
    revision: str | None = Field(default=None, description="Your own name of this state of the policy, for the audit.")
    mode: Literal["error", "warn"] = Field(default="error", description="error: refuse to load. warn: load and log.")
    require: list[Requirement] = Field(default_factory=list, description="What every asset has.")
    required_tags: list[str] = Field(default_factory=list, description="Tags that every asset has.")
    classifications: Classifications = Field(
        default_factory=list,
        description="Values of the tag classification, from open to strict: names, or names with what follows.",
    )
    destinations: dict[str, Destination] = Field(
        default_factory=dict, description="Places that data goes to, by pattern; the first that fits counts."
    )
    compliance: list[Pack] = Field(default_factory=list, description="Compliance packs whose rules are checked.")
    tiers: dict[str, Tier] = Field(default_factory=dict, description="Values of the tag tier.")
    max_runtime_minutes: int | None = Field(
        default=None, ge=1, description="Minutes after which a run is stopped, for jobs that set no limit themselves."
    )
    compute_sizes: dict[str, ComputeSize] = Field(default_factory=dict, description="Approved compute sizes.")
    compute_profiles: dict[str, ComputeProfile] = Field(
        default_factory=dict, description="Where jobs may run; local needs no entry."
    )
    query_prices: dict[Literal["bigquery"], QueryPrice] = Field(
        default_factory=dict, description="Prices of warehouses that bill by bytes read."
    )
    budgets: dict[Owner, Budget] = Field(default_factory=dict, description="What each owner may spend.")
    secrets: SecretStore = Field(default_factory=EnvironmentSecrets, description="Where secrets are read from.")
    alert_routes: dict[str, AlertRoute] = Field(default_factory=dict, description="Where alerts go.")
    external_assets: list[str] = Field(
        default_factory=list, description="Patterns of upstream assets that something else makes."
    )
    audit: Audit = Field(default_factory=Audit, description="The trail of what made which data.")
    naming: Naming = Field(default_factory=Naming, description="Shape of asset keys.")
    databricks: DatabricksPolicy = Field(
        default_factory=DatabricksPolicy, description="What is approved in a Databricks workspace."
    )
    waivers: list[Waiver] = Field(default_factory=list, description="Exceptions, each with an owner and an end.")

    _file: Path = PrivateAttr(Path(POLICY_FILE))
    _positions: SourcePositionTree | None = PrivateAttr(None)
    _fingerprint: str = PrivateAttr("")

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

    @property
    def fingerprint(self) -> str:
        """The first twelve digits of the SHA-256 of the file; with the revision before it where there is one."""
        return f"{self.revision} ({self._fingerprint})" if self.revision else self._fingerprint

    def classification(self, name: str | None) -> Classification:
        """What follows from a classification; nothing where it is unknown or only named."""
        known = self.classifications if isinstance(self.classifications, dict) else {}
        return known.get(name or "", _OPEN)

    def route_of(self, owners: Sequence[str]) -> str | None:
        """The name of the alert route of the first owner that has one."""
        return next((name for o in owners for name, route in self.alert_routes.items() if o in route.owners), None)

    def place(self, *keys: str | int) -> str:
        """File and line of something in the policy, for messages."""
        line = self._positions.lookup_closest_and_path(keys, None)[0].start.line if self._positions else 1
        return f"{self._file.name}:{line}"


def policy_for(project_root: Path) -> Policy:
    """The policy of a project: the one that ships with this package of components, or else its own policy.yaml.

    Where a company ships a policy with its components, no project can loosen it by a file of its own.

    Raises:
        PolicyError: the policy.yaml is missing or broken.
    """
    own, shipped = Path(project_root) / POLICY_FILE, Path(__file__).parents[1] / POLICY_FILE
    return load_policy(shipped if shipped.is_file() else own)


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
        content = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        parsed = try_parse_yaml_with_source_position(content.decode("utf-8"), str(path))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{path}:{line}: this is not YAML: {error.problem or error.context}") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PolicyError(f"{path}:{line}: this is not YAML: {error}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        line = unreadable_line(content.decode("utf-8"), error)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PolicyError(f"{path}:{line}: this is not YAML: {reason}") from None
    if parsed is None or not isinstance(parsed.value, dict):
        raise PolicyError(f"{path}:1: expected keys and values, starting with version: 1")
    try:
        policy = Policy.model_validate(parsed.value, strict=True)  # strict: a number in quotes is text
    except ValidationError as error:
        mistakes = located(parsed, error)
        raise PolicyError("\n".join(f"{path}:{line}: {message}" for line, message in mistakes)) from None
    policy._file, policy._positions = path, parsed.source_position_tree
    policy._fingerprint = sha256(content).hexdigest()[:12]
    return policy
