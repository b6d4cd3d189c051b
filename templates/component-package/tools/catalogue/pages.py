"""The pages of the catalogue, as plain Markdown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .history import UNRELEASED, Change, Release, first_release
from .library import Entry, Library
from .policy import CompanyPolicy
from .project import Project
from .tables import attribute_table
from .usage import Usage

_OFFICIAL = {"bi": "BI", "dbt": "dbt", "ml": "ML"}


@dataclass(frozen=True)
class Catalogue:
    """Everything that the pages tell.

    Args:
        project: The package.
        library: Its components.
        policy: What holds for them.
        releases: Oldest first.
        changes: What each release did to each component, newest first.
        usage: Who uses them.
        notes: Hand-written text for a component's page, by component.
    """

    project: Project
    library: Library
    policy: CompanyPolicy | None = None
    releases: list[Release] = field(default_factory=list)
    changes: dict[str, list[Change]] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    notes: dict[str, str] = field(default_factory=dict)


def family_title(family: str) -> str:
    """A family's name as a heading."""
    return _OFFICIAL.get(family, family[:1].upper() + family[1:])


def component_page(entry: Entry, catalogue: Catalogue) -> str:
    """All about one component."""
    return "\n".join(_component(entry, catalogue))


def _component(entry: Entry, catalogue: Catalogue) -> Iterator[str]:
    history = catalogue.changes.get(entry.name, [])
    yield f"# {entry.name}\n\n{entry.doc.summary}\n"
    since = first_release(history)
    released = "not released yet" if since == UNRELEASED else f"since {since}"
    used = used_by(entry.name, catalogue.usage)
    yield f"Type `{entry.type}` · family {family_title(entry.family)} · {released} · {used}\n"
    if entry.doc.prose:
        yield f"{entry.doc.prose}\n"
    yield f"## Start one\n\n```console\nuv run dg scaffold defs {entry.type} my_{_snake(entry.name)}\n```\n"
    if entry.options:
        yield "| Option | default | what it says |\n| --- | --- | --- |"
        for row in entry.options:
            yield f"| `--{row.name.replace('_', '-')}` | {row.default} | {row.description} |".replace("||", "| |")
        yield ""
    yield "It writes a first `defs.yaml` that runs as it is. `uv run dg check yaml` says what is wrong with an edit.\n"
    if entry.doc.example:
        yield f"## Example\n\n```yaml\n{entry.doc.example.rstrip()}\n```\n"
    yield f"## Attributes\n\n{attribute_table(entry.schema)}"
    if entry.schema.get("properties"):
        yield "A `{{ template }}` may stand for any value."
        yield f"For editors: [JSON schema of the attributes](../schemas/{entry.name}.json).\n"
    if catalogue.policy:
        yield f"## Policy\n\n{catalogue.policy.concerning(entry)}"
    yield f"## Versions\n\n{_history(history)}"
    yield f"## Used by\n\n{_used(entry.name, catalogue.usage)}"
    if note := catalogue.notes.get(entry.name):
        yield f"## Notes\n\n{note}\n"


def used_by(name: str, usage: Usage) -> str:
    """How widely a component is used, in a few words."""
    if not usage.repositories:
        return "usage not counted"
    found = usage.of(name)
    return f"used {_times(found.total())} in {_number(len(found), 'repository')}" if found else "not used yet"


def _used(name: str, usage: Usage) -> str:
    if not usage.repositories:
        return "Not counted: give `--repositories` the folders of the repositories to look at.\n"
    looked = f"Of {_number(len(usage.repositories), 'repository')} looked at. Nested components count too.\n"
    found = usage.of(name)
    if not found:
        return f"No repository uses it yet. {looked}"
    lines = [f"| {repository} | {count} |" for repository, count in sorted(found.items(), key=lambda item: -item[1])]
    return "\n".join(["| Repository | instances |", "| --- | --- |", *lines, "", looked])


def _history(history: list[Change]) -> str:
    if not history:
        return "Not in any release.\n"
    parts = []
    for change in history:
        parts.append(f"**{change.version}**{f' ({change.day})' if change.day else ''}\n")
        parts += [f"- {line}" for line in change.lines] or [f"- {change.what}"]
        parts.append("")
    return "\n".join(parts)


def index_page(catalogue: Catalogue) -> str:
    """Every component, by family."""
    library = catalogue.library
    parts = ["# Components\n", "`uv run dg list components` shows the same list in any project that has the package.\n"]
    for family in library.families:
        parts.append(f"## {family_title(family)}\n")
        if about := library.families[family]:
            parts.append(f"{about}\n")
        parts += ["| Component | what it is for | since | used |", "| --- | --- | --- | --- |"]
        for entry in (entry for entry in library.entries if entry.family == family):
            since = first_release(catalogue.changes.get(entry.name, []))
            used = catalogue.usage.of(entry.name).total() if catalogue.usage.repositories else "not counted"
            summary = entry.doc.summary.replace("|", "\\|")
            parts.append(f"| [{entry.name}]({entry.name}.md) | {summary} | {since} | {used} |")
        parts.append("")
    if library.failures:
        parts.append("## Not loaded\n")
        parts += [f"- `{name}`: {reason}" for name, reason in library.failures.items()]
    return "\n".join(parts) + "\n"


def changes_page(catalogue: Catalogue, changelog: str) -> str:
    """The changelog that people wrote, and what each release did to the components."""
    parts = ["# Changes\n"]
    if changelog:
        parts.append(re.sub(r"^#", "##", re.sub(r"\A# .*\n", "", changelog), flags=re.MULTILINE).strip() + "\n")
    parts.append("## Attributes by release\n\nFrom the components themselves, not written by hand.\n")
    versions = dict.fromkeys([*(r.version for r in reversed(catalogue.releases))])
    for version in [UNRELEASED, *versions]:
        lines = [
            f"- {_linked(name, catalogue)} {change.what}" + "".join(f"\n    - {line}" for line in change.lines)
            for name, history in sorted(catalogue.changes.items())
            for change in history
            if change.version == version
        ]
        problem = next((r.problem for r in catalogue.releases if r.version == version), "")
        if problem:
            lines = [f"Not known: this release does not load with the libraries of today ({problem})."]
        if lines:
            parts.append(f"### {version}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _linked(name: str, catalogue: Catalogue) -> str:
    known = any(entry.name == name for entry in catalogue.library.entries)
    return f"[{name}](components/{name}.md)" if known else f"`{name}`"


def usage_page(catalogue: Catalogue) -> str:
    """Who uses what, over all repositories."""
    usage = catalogue.usage
    parts = ["# Usage\n", f"Counted from the `type:` lines in {_number(len(usage.repositories), 'repository')}.\n"]
    parts += ["| Component | instances | repositories |", "| --- | --- | --- |"]
    for entry in sorted(catalogue.library.entries, key=lambda entry: -usage.of(entry.name).total()):
        found = usage.of(entry.name)
        parts.append(f"| {_linked(entry.name, catalogue)} | {found.total()} | {', '.join(sorted(found))} |")
    if usage.unknown:
        parts.append("\n## Types that the package does not have\n")
        parts += [f"- `{name}`: {', '.join(sorted(found))}" for name, found in sorted(usage.unknown.items())]
    if usage.unreadable:
        parts.append("\n## Files that are no YAML\n")
        parts += [f"- {text}" for text in usage.unreadable]
    return "\n".join(parts) + "\n"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("Component")).lower()


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun.removesuffix('y')}ies"
