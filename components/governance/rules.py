"""The rules of the policy, held against one asset each."""

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import dagster as dg

from .data_rules import Subject, destination_violations, plain
from .packs import pack_violations
from .places import files_of, from_root
from .policy import Policy

DEFAULT_GROUP = "default"
STUB = "dagster/auto_created_stub_asset"


@dataclass(frozen=True, order=True)
class Violation:
    """One rule that one asset breaks.

    Args:
        asset: Asset key, parts joined by slashes; a place in policy.yaml where the policy itself is at fault.
        rule: Name of the rule.
        message: What is missing or wrong, and what is valid.
        place: File, with its line where that is known; empty where the file is not known.
    """

    asset: str
    rule: str
    message: str
    place: str = ""


def violations_of(subject: Subject, defined: Set[dg.AssetKey], project_root: Path) -> list[Violation]:
    """Every rule that an asset breaks.

    Args:
        subject: The asset.
        defined: Keys of the assets that the project defines.
        project_root: Folder that files are named from.
    """
    node, policy = subject.node, subject.policy
    broken = [
        *_required(node, policy),
        *_tag_values(node, policy),
        *_sla(node, policy),
        *_key(node.key, policy),
        *_upstream(node, defined, policy),
        *destination_violations(subject),
        *pack_violations(subject),
    ]
    if not broken:
        return []
    key, place = node.key.to_user_string(), _place(node, project_root)
    return [Violation(key, rule, message, place) for rule, message in broken]


def _required(node: Any, policy: Policy) -> Iterator[tuple[str, str]]:
    tags = {name: value for name, value in node.tags.items() if value and not name.startswith("dagster/")}
    if "owner" in policy.require and not node.owners:
        yield "owner", "owners are missing; expected e-mail addresses or team:name"
    if "group" in policy.require and node.group_name == DEFAULT_GROUP:
        yield "group", "the group is missing; expected a name other than default"
    if "kinds" in policy.require and not node.kinds:
        yield "kinds", "kinds are missing; expected what it is made with, such as dbt or duckdb"
    if "description" in policy.require and not (node.description or "").strip():
        yield "description", "the description is missing; expected what a row is and what the data is for"
    for name, valid in (("classification", policy.classifications), ("tier", policy.tiers)):
        if name in policy.require and name not in tags:
            yield name, f"the tag {name} is missing; expected {_one_of('', valid)}"
    for name in policy.required_tags:
        if name not in tags:
            yield "tags", f"the tag {name} is missing; expected tags: {{{name}: …}}"
    if "tags" in policy.require and not policy.required_tags and not tags:
        yield "tags", "tags are missing; expected one at least"


def _tag_values(node: Any, policy: Policy) -> Iterator[tuple[str, str]]:
    for tag, valid, given in (
        ("classification", policy.classifications, "classifications"),
        ("tier", policy.tiers, "tiers"),
        ("alert_route", policy.alert_routes, "alert_routes"),
        ("compute_size", policy.compute_sizes, "compute_sizes"),
    ):
        value = node.tags.get(tag)
        if value is not None and value not in valid and (valid or tag in ("alert_route", "compute_size")):
            yield tag, f"the tag {tag} is {value!r}; expected {_one_of(value, valid)} ({given} of policy.yaml)"


def _sla(node: Any, policy: Policy) -> Iterator[tuple[str, str]]:
    minutes = sla_minutes(node.metadata)
    tier = node.tags.get("tier")
    if minutes is None and tier in policy.tiers and policy.tiers[tier].sla_required:
        yield "sla_missing", f"the tier {tier} requires a deadline; expected the metadata sla_minutes"
    if minutes is not None and not (type(minutes) is int and minutes >= 1):
        yield "sla_minutes", f"the metadata sla_minutes is {minutes!r}; expected a whole number of minutes, 1 or more"


def _key(key: dg.AssetKey, policy: Policy) -> Iterator[tuple[str, str]]:
    depth, part = policy.naming.depth, policy.naming.part
    if len(key.path) != depth:
        yield "key", f"the key has {_parts(len(key.path))}; expected {_parts(depth)}, such as {_sample(key, depth)}"
    for name in key.path:
        if not re.search(part, name):
            yield "key", f"{name!r} in the key does not match {part} (naming of policy.yaml)"


def _upstream(node: Any, defined: Set[dg.AssetKey], policy: Policy) -> Iterator[tuple[str, str]]:
    for parent in sorted(node.parent_keys - defined):
        name = parent.to_user_string()
        if not any(fnmatchcase(name, pattern) for pattern in policy.external_assets):
            near = get_close_matches(name, [key.to_user_string() for key in defined], n=1, cutoff=0.75)
            hint = f"did you mean {near[0]}? If not, load" if near else "load"
            yield (
                "unknown_upstream",
                f"it depends on {name}, which no asset of this project makes; "
                f"{hint} it, map it to an asset, or list it under external_assets in policy.yaml",
            )


def sla_minutes(metadata: Any) -> Any:
    """The asset's own deadline in minutes, as it stands in the metadata."""
    return plain(metadata.get("sla_minutes"))


def _one_of(value: str, valid: Iterable[str]) -> str:
    names = list(valid)
    near = get_close_matches(value, names, n=1)
    listed = f"one of {', '.join(names)}" if names else "none, as the policy lists none"
    return f"{listed}; did you mean {near[0]}?" if near else listed


def _parts(number: int) -> str:
    return f"{number} part" if number == 1 else f"{number} parts"


def _sample(key: dg.AssetKey, depth: int) -> str:
    names = ["marts", *key.path] if len(key.path) < depth else list(key.path)
    return "/".join([*names, "name", "name", "name"][:depth]) if len(names) < depth else "/".join(names[-depth:])


def _place(node: Any, project_root: Path) -> str:
    """Where the asset is defined: the SQL or Python file where that is known, else the YAML that made it."""
    files = files_of(node.metadata, node.assets_def)
    return from_root(*files[0], project_root) if files else ""
