"""Reproductions: what defs.yaml and policy.yaml may have wrong."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from components.activation import FileExportComponent
from components.base import StrictComponent
from components.governance import governed, load_policy
from components.notebooks import NotebookRunnerComponent
from components.orchestration import ScheduledJobComponent
from components.renamed import Renamed
from components.warehouse import SqlTableComponent
from tests.components.governance.policies import POLICY, good
from tests.docs.troubles import Fixture, Said, loads, raised, reproduces
from tests.mutations.checking import check
from tests.mutations.library import examples

TABLE = {"key": "marts/numbers", "description": "One row a number.", "sql": "SELECT 1 AS n"}
JOB = {"job_name": "morning", "selection": "*", "cron": "0 6 * * *"}
EXPORT = {
    "name": "numbers",
    "description": "Numbers for the office.",
    "sql": "SELECT 1 AS n",
    "output": "exports/numbers.csv",
}
RUN = {
    "key": "research/study",
    "description": "A study.",
    "notebook": "study.ipynb",
    "compute_size": "small",
    "max_cost_usd": 1.5,
}


@dataclass
class OutlivedComponent(StrictComponent):
    """A component with an attribute whose old name has ended."""

    renamed_attributes = (Renamed("colour", "shade", since="0.1.0", until=date(2026, 1, 31)),)
    shade: str = "grey"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset."""
        return dg.Definitions(assets=[dg.AssetSpec("shade", metadata={"shade": self.shade})])


def mistaken(get: Fixture, component: type, right: dict[str, Any], **wrong: Any) -> Said:
    """A mistake in attributes: what loading says, and that the right ones load; None leaves an attribute out."""
    project = get("project")
    project.add(SqlTableComponent, "table", TABLE)
    given = {name: value for name, value in {**right, **wrong}.items() if value is not None}
    project.add(component, "mistaken", given)
    yield project.load_error()
    project.add(component, "mistaken", right)
    loads(project)


@reproduces("An attribute is refused as an unknown key")
def _(get: Fixture) -> Said:
    yield from mistaken(get, SqlTableComponent, {**TABLE, "key": "marts/b"}, materialised="table")


@reproduces("`dg check yaml` says that additional properties are not allowed")
def _(get: Fixture) -> Said:
    [example] = [example for example in examples() if example.name == "SqlTableComponent"]
    yield "\n".join(report.message for report in check(example.text + "  materialised: table\n", example))
    assert check(example.text, example) == []


@reproduces("A value is refused, and only a few are valid")
def _(get: Fixture) -> Said:
    yield from mistaken(get, SqlTableComponent, {**TABLE, "key": "marts/b"}, materialized="tabel")


@reproduces("A number is refused because it is text")
def _(get: Fixture) -> Said:
    yield from mistaken(get, ScheduledJobComponent, {**JOB, "max_runtime_minutes": 60}, max_runtime_minutes="60")


@reproduces("A cron expression is refused")
def _(get: Fixture) -> Said:
    yield from mistaken(get, ScheduledJobComponent, JOB, cron="0 25 * * *")


@reproduces("A time zone is refused")
def _(get: Fixture) -> Said:
    right = {**JOB, "timezone": "America/New_York"}
    yield from mistaken(get, ScheduledJobComponent, right, timezone="America/NewYork")


@reproduces("An owner is refused")
def _(get: Fixture) -> Said:
    right = {**TABLE, "key": "marts/b", "owners": ["team:data"]}
    yield from mistaken(get, SqlTableComponent, right, owners=["data"])


@reproduces("An asset key is refused")
def _(get: Fixture) -> Said:
    yield from mistaken(get, SqlTableComponent, {**TABLE, "key": "marts/b"}, key="b")


@reproduces("A required attribute is missing")
def _(get: Fixture) -> Said:
    yield from mistaken(get, SqlTableComponent, {**TABLE, "key": "marts/b"}, description=None)


@reproduces("A file of two attributes wants only one of them")
def _(get: Fixture) -> Said:
    yield from mistaken(get, SqlTableComponent, {**TABLE, "key": "marts/b"}, sql_file="numbers.sql")


@reproduces("An attribute is there under its old and its new name")
def _(get: Fixture) -> Said:
    yield from mistaken(get, FileExportComponent, EXPORT, file="exports/old.csv")


@reproduces("An attribute that used to load is refused since today")
def _(get: Fixture) -> Said:
    yield from mistaken(get, OutlivedComponent, {"shade": "red"}, shade=None, colour="red")


@reproduces("A warning says that an attribute has a new name")
def _(get: Fixture) -> Said:
    project, log = get("project"), get("caplog")
    old = {name: value for name, value in EXPORT.items() if name != "output"}
    project.add(FileExportComponent, "export", {**old, "file": "exports/numbers.csv"})
    with log.at_level(logging.WARNING, "dagster.components"):
        loads(project)
    yield "\n".join(record.getMessage() for record in log.records)
    log.clear()
    project.add(FileExportComponent, "export", EXPORT)
    loads(project)
    assert [record for record in log.records if "file is output" in record.getMessage()] == []


@reproduces("A template gives a value that is not valid")
def _(get: Fixture) -> Said:
    get("monkeypatch").setenv("TIMEOUT", "an hour")
    asks = {**JOB, "max_runtime_minutes": "{{ env.TIMEOUT }}"}
    project = get("project")
    project.add(SqlTableComponent, "table", TABLE)
    project.add(ScheduledJobComponent, "job", asks)
    yield project.load_error()
    get("monkeypatch").setenv("TIMEOUT", "60")
    loads(project)


@reproduces("The component of a file is not found")
def _(get: Fixture) -> Said:
    project = get("project")
    folder = project.add(SqlTableComponent, "table", TABLE)
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(text.replace("SqlTableComponent", "SqlTabelComponent"))
    yield project.load_error()
    (folder / "defs.yaml").write_text(text)
    loads(project)


@reproduces("A file is not read as YAML at all")
def _(get: Fixture) -> Said:
    project = get("project")
    folder = project.add(SqlTableComponent, "table", TABLE)
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(text.replace("  description", "\tdescription"))
    yield project.load_error()
    (folder / "defs.yaml").write_text(text)
    loads(project)


@reproduces("A compute size is not approved")
def _(get: Fixture) -> Said:
    yield from refused_run(get, compute_size="huge")


@reproduces("A compute profile is not known")
def _(get: Fixture) -> Said:
    yield from refused_run(get, compute_profile="cluster")


def refused_run(get: Fixture, **wrong: Any) -> Said:
    """A mistake in the YAML of a notebook."""
    project = get("project")
    folder = project.add(NotebookRunnerComponent, "run", {**RUN, **wrong})
    (folder / "study.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}')
    yield project.load_error()
    project.add(NotebookRunnerComponent, "run", RUN)
    loads(project)


@reproduces("Nothing loads, and policy.yaml is named with a line")
def _(get: Fixture) -> Said:
    file: Path = get("tmp_path") / "policy.yaml"
    file.write_text("version: 1\nmod: warn\n")
    yield raised(lambda: load_policy(file))
    file.write_text("version: 1\nmode: warn\n")
    assert load_policy(file).mode == "warn"


def violating(get: Fixture, wrong: list[dg.AssetSpec], right: list[dg.AssetSpec], policy: str = POLICY) -> Said:
    """Assets that break the policy: what is said, and that mended ones load."""
    root: Path = get("tmp_path")
    (root / "policy.yaml").write_text(policy)
    yield raised(lambda: governed(dg.Definitions(assets=wrong), root))
    governed(dg.Definitions(assets=right), root)


@reproduces("The policy asks for an owner")
def _(get: Fixture) -> Said:
    yield from violating(get, [good("raw/orders", owners=[])], [good("raw/orders")])


@reproduces("The policy asks for a description")
def _(get: Fixture) -> Said:
    yield from violating(get, [good("raw/orders", description=None)], [good("raw/orders")])


@reproduces("The policy asks for a group")
def _(get: Fixture) -> Said:
    yield from violating(get, [good("raw/orders", group_name=None)], [good("raw/orders")])


@reproduces("The policy asks for a tag")
def _(get: Fixture) -> Said:
    yield from violating(get, [good("raw/orders", tags={"team": "a"})], [good("raw/orders")])


@reproduces("A classification is not known")
def _(get: Fixture) -> Said:
    wrong, right = ({"domain": "sales", "classification": name} for name in ("persnal", "personal"))
    yield from violating(get, [good("raw/orders", tags=wrong)], [good("raw/orders", tags=right)])


@reproduces("An upstream asset is not known")
def _(get: Fixture) -> Said:
    orders = good("raw/orders")
    wrong, right = (good("marts/orders", deps=[["raw", name]]) for name in ("order", "orders"))
    yield from violating(get, [orders, wrong], [orders, right])


@reproduces("A waiver has expired")
def _(get: Fixture) -> Said:
    root, today = get("tmp_path"), datetime.now(UTC).date()
    waiver = {"asset": "raw/*", "rule": "description", "owner": "team:data", "reason": "Vendor tables."}
    defs = dg.Definitions(assets=[good("raw/orders", description=None)])

    def until(day: date) -> None:
        written = {**yaml.safe_load(POLICY), "waivers": [{**waiver, "expires": day}]}
        (root / "policy.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
        governed(defs, root)

    yield raised(lambda: until(today - timedelta(days=1)))
    until(today + timedelta(days=90))


@reproduces("A compliance pack asks how long data is kept")
def _(get: Fixture) -> Said:
    policy = POLICY.replace("[public, personal]", "{public: {}, personal: {compliance: [soc2]}}")
    policy += "compliance: [soc2]\n"
    tags = {"domain": "sales", "classification": "personal"}
    wrong = good("raw/people", tags=tags)
    root: Path = get("tmp_path")
    (root / "policy.yaml").write_text(policy)
    said = raised(lambda: governed(dg.Definitions(assets=[wrong]), root))
    yield said
    kept = good("raw/people", tags=tags, metadata={"retention_days": 365})
    assert "retention_days" not in raised(lambda: governed(dg.Definitions(assets=[kept]), root))
