"""Tags and grants that follow from classifications: a plan, and what it takes to apply it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from ...governance.policy_databricks import DatabricksPolicy
from .client import Workspace
from .statements import name as quoted
from .statements import rows, text

Kind = Literal["catalog", "schema", "table", "volume"]
# What is granted on a schema holds for every table in it, also for one of a stricter classification.
_OF_KIND: dict[str, set[str]] = {
    "catalog": set(),
    "schema": set(),
    "table": {"SELECT", "MODIFY", "APPLY_TAG", "MANAGE", "ALL_PRIVILEGES"},
    "volume": {"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG", "MANAGE", "ALL_PRIVILEGES"},
}
_AT_ONCE = 16


@dataclass(frozen=True)
class Securable:
    """Something of a catalog, and how its data is classified."""

    kind: Kind
    name: str
    classification: str | None = None


@dataclass(frozen=True)
class Change:
    """One thing that has to change.

    Args:
        securable: What it is about.
        action: What is done.
        detail: ``name = value`` of a tag; the privilege.
        principal: Who, for grants.
    """

    securable: Securable
    action: Literal["tag", "grant", "revoke"]
    detail: str
    principal: str = ""

    @property
    def words(self) -> str:
        """The change as people read it."""
        place = f"{self.securable.kind} {self.securable.name}"
        if self.action == "tag":
            return f"tag {place} with {self.detail}"
        link = "to" if self.action == "grant" else "from"
        return f"{self.action} {self.detail.replace('_', ' ')} on {place} {link} {self.principal}"


def planned(workspace: Workspace, securables: Iterable[Securable]) -> list[Change]:
    """What has to change so that tags and grants are those of the policy.

    Only principals that the policy names lose a privilege; others, and owners, are left as they are.

    Args:
        workspace: Where.
        securables: What is looked at; those without a classification are left as they are.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    rules = workspace.policy.databricks
    found = [each for each in securables if each.classification]
    tags = _tags(workspace, found, rules.classification_tag)
    changes = [
        Change(each, "tag", f"{rules.classification_tag} = {each.classification}")
        for each in found
        if each.kind != "catalog" and tags.get(each.name) != each.classification
    ]
    wanted = {each: _wanted(each, rules) for each in found}
    for door, let_in in _doors(wanted).items():
        wanted[door] = {principal: {_door(door)} for principal in let_in}
    managed = {principal for principals in rules.grants.values() for principal in principals}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        held = dict(zip(wanted, pool.map(lambda each: _held(workspace, each), wanted), strict=True))
    for each, principals in wanted.items():
        changes += _grants(each, principals, held[each], managed)
    return changes


def apply(workspace: Workspace, changes: Iterable[Change]) -> None:
    """Make the changes of a plan; those of the doors to what is granted come first.

    Raises:
        WorkspaceError: the workspace refuses one; the message names it. Those before it are made.
    """
    order = {"catalog": 0, "schema": 1}
    for change in sorted(changes, key=lambda each: order.get(each.securable.kind, 2)):
        securable = change.securable
        if change.action == "tag":
            tag, value = change.detail.split(" = ", 1)
            target = f"{securable.kind.upper()} {quoted(securable.name)}"
            rows(workspace, change.words, f"ALTER {target} SET TAGS ({text(tag)} = {text(value)})")
            continue
        verb = "add" if change.action == "grant" else "remove"
        body = {"changes": [{"principal": change.principal, verb: [change.detail]}]}
        workspace.do(change.words, "PATCH", _path(securable), body=body)


def as_table(changes: list[Change]) -> str:
    """A plan as Markdown."""
    if not changes:
        return "Nothing to change: tags and grants are those of policy.yaml."
    lines = [f"| {change.action} | {change.words} |" for change in changes]
    return "\n".join(["| action | change |", "| --- | --- |", *lines])


def _wanted(securable: Securable, rules: DatabricksPolicy) -> dict[str, set[str]]:
    """Privileges by principal, of those that there are for the kind."""
    granted = rules.grants.get(str(securable.classification), {})
    possible = _OF_KIND[securable.kind]
    wanted = {}
    for principal, privileges in granted.items():
        names = {privilege.replace(" ", "_") for privilege in privileges}
        wanted[principal] = names & possible
    return {principal: names for principal, names in wanted.items() if names}


def _doors(wanted: dict[Securable, dict[str, set[str]]]) -> dict[Securable, set[str]]:
    """The catalogs and schemas that principals must be let into to use what they are granted."""
    doors: dict[Securable, set[str]] = {}
    for securable, principals in wanted.items():
        parts = securable.name.split(".")
        parents = [Securable("catalog", parts[0])]
        if len(parts) > 1:
            parents.append(Securable("schema", ".".join(parts[:2])))
        for parent in parents:
            doors.setdefault(parent, set()).update(principals)
    return {door: principals for door, principals in doors.items() if principals}


def _door(securable: Securable) -> str:
    return "USE_CATALOG" if securable.kind == "catalog" else "USE_SCHEMA"


def _grants(
    securable: Securable, wanted: dict[str, set[str]], held: dict[str, set[str]], managed: set[str]
) -> list[Change]:
    is_door = securable.classification is None
    changes = []
    for principal in sorted({*wanted, *(managed & set(held))}):
        has, needs = held.get(principal, set()), wanted.get(principal, set())
        changes += [Change(securable, "grant", each, principal) for each in sorted(needs - has)]
        if not is_door:
            lost = has - needs - {"USE_SCHEMA", "USE_CATALOG"}
            changes += [Change(securable, "revoke", each, principal) for each in sorted(lost)]
    return changes


def _held(workspace: Workspace, securable: Securable) -> dict[str, set[str]]:
    """Privileges by principal that are there, page by page."""
    held: dict[str, set[str]] = {}
    query: dict[str, str] = {}
    while True:
        what = f"reading the grants of {securable.kind} {securable.name}"
        answer = workspace.do(what, "GET", _path(securable), query=query)
        for each in answer.get("privilege_assignments") or []:
            held.setdefault(each["principal"], set()).update(each.get("privileges") or [])
        if not answer.get("next_page_token"):
            return held
        query = {"page_token": answer["next_page_token"]}


def _path(securable: Securable) -> str:
    return f"/api/2.1/unity-catalog/permissions/{securable.kind}/{securable.name}"


def _tags(workspace: Workspace, securables: list[Securable], tag: str) -> dict[str, str]:
    """The classification tag of what has one, by full name."""
    views = {"schema": ("schema_tags", 2), "table": ("table_tags", 3), "volume": ("volume_tags", 3)}
    found: dict[str, str] = {}
    for kind, catalog in sorted({(each.kind, each.name.split(".")[0]) for each in securables}):
        if kind not in views:
            continue
        view, parts = views[kind]
        columns = ["catalog_name", "schema_name", f"{kind}_name"][:parts]
        statement = (
            f"SELECT {', '.join(columns)}, tag_value FROM {quoted(catalog)}.information_schema.{view} "  # noqa: S608
            f"WHERE tag_name = {text(tag)} AND catalog_name = {text(catalog)}"
        )
        for row in rows(workspace, "reading tags", statement):
            found[".".join(map(str, row[:-1]))] = row[-1]
    return found
