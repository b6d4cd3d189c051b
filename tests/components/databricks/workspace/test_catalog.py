"""Catalogs, schemas, tables and volumes are created, registered, observed and checked."""

import time
from typing import Any

import dagster as dg
import pytest

from components.databricks.workspace.catalog import UnityCatalogComponent
from components.databricks.workspace.client import Workspace
from components.databricks.workspace.observing import look_at
from tests.components.warehouse.project import Project, scaffolded
from tests.fakes.databricks import FakeWorkspace, Fault

tables = pytest.mark.slot("databricks", "uc-objects/tables", "fake")
schemas = pytest.mark.slot("databricks", "uc-objects/schemas", "fake")
volumes = pytest.mark.slot("databricks", "uc-objects/volumes", "fake")
FLIGHTS = {"description": "One row a flight.", "columns": {"id": "BIGINT", "carrier": "STRING"}}


def catalog(project: Project, **attributes: Any) -> None:
    project.add(UnityCatalogComponent, "catalog", {"catalog": "acme", "lineage_days": 0, **attributes})


def observed(project: Project, instance: dg.DagsterInstance) -> dict[str, Any]:
    """The metadata of the observations of a run, and failed checks with what they say."""
    with project.definitions() as definitions:
        done = definitions.resolve_job_def("observe_acme").execute_in_process(instance=instance)
    found: dict[str, Any] = {"failed": {}}
    for event in done.all_events:
        if event.event_type_value == "ASSET_OBSERVATION":
            seen = event.asset_observation_data.asset_observation
            found[seen.asset_key.to_user_string()] = {name: each.value for name, each in seen.metadata.items()}
    for check in done.get_asset_check_evaluations():
        if not check.passed:
            found["failed"][check.check_name] = check.description
    return found


@pytest.fixture
def gold(governed: Project, fake: FakeWorkspace) -> Project:
    """A project that observes a table of two rows."""
    fake.catalog.add("acme.gold")
    fake.sql.run("CREATE TABLE acme.gold.flights (id BIGINT, carrier STRING)")
    fake.sql.run("INSERT INTO acme.gold.flights VALUES (1, 'AA'), (2, 'UA')")
    catalog(governed, schemas={"gold": {"tables": {"flights": {**FLIGHTS, "fresh_within_hours": 24}}}})
    return governed


@tables
@schemas
@volumes
def test_what_is_missing_is_created_and_a_second_run_changes_nothing(governed: Project, fake: FakeWorkspace):
    content = {
        "description": "Tables that people use.",
        "tables": {"flights": {**FLIGHTS, "made_by": "here"}},
        "volumes": {
            "exports": {"description": "Files for partners."},
            "landing": {"description": "Files of partners.", "location": "s3://lake/landing"},
        },
    }
    catalog(governed, schemas={"gold": content}, create_catalog=True)
    made = governed.materialize()
    assert {key: metadata["state"] for key, metadata in made.items()} == {
        "unity_catalog/acme": "created",
        "unity_catalog/acme_gold": "created",
        "gold/flights": "created",
        "gold/exports": "created",
        "gold/landing": "registered",
    }
    assert fake.sql.run("SELECT count(*) FROM acme.gold.flights") == [(0,)]
    assert fake.catalog.volumes["acme.gold.landing"]["volume_type"] == "EXTERNAL"
    assert {metadata["state"] for metadata in governed.materialize().values()} == {"was there"}


def test_an_answer_that_gets_lost_is_no_failure(governed: Project, fake: FakeWorkspace):
    catalog(governed, schemas={"gold": {}}, create_catalog=True)
    fake.faults = [Fault("POST /api/2.1/unity-catalog/schemas", 500, after=True)]
    assert governed.materialize()["unity_catalog/acme_gold"]["state"] == "created"


def test_what_the_scaffolder_writes_creates_a_table(governed: Project, fake: FakeWorkspace):
    fake.catalog.add("main_catalog.other")
    attributes = scaffolded(UnityCatalogComponent, governed.root / "scaffolded")
    governed.add(UnityCatalogComponent, "catalog", {**attributes, "catalog": "main_catalog"})
    assert governed.materialize()["sales/customers"]["state"] == "created"


@tables
def test_a_table_is_observed_with_its_rows_columns_and_age(gold: Project, fake: FakeWorkspace):
    with dg.DagsterInstance.ephemeral() as instance:
        found = observed(gold, instance)
    assert found["gold/flights"]["dagster/row_count"] == 2
    columns = found["gold/flights"]["dagster/column_schema"].columns
    assert [(column.name, column.type) for column in columns] == [("id", "BIGINT"), ("carrier", "STRING")]
    assert found["failed"] == {}


def test_a_table_that_nobody_writes_any_more_is_late(gold: Project, fake: FakeWorkspace):
    fake.catalog.updated["acme.gold.flights"] = time.time() - 30 * 3600
    with dg.DagsterInstance.ephemeral() as instance:
        assert observed(gold, instance)["failed"] == {"is_fresh": "Written 30.0 hours ago."}


def test_a_table_that_is_dropped_behind_our_back_fails_its_check(gold: Project, fake: FakeWorkspace):
    fake.sql.run("DROP TABLE acme.gold.flights")
    with dg.DagsterInstance.ephemeral() as instance:
        found = observed(gold, instance)
    assert found["failed"]["is_there"] == "The table is gone."
    assert found["gold/flights"] == {"is_there": False}


def test_columns_other_than_those_declared_fail_their_check(gold: Project, fake: FakeWorkspace):
    fake.sql.run("DROP TABLE acme.gold.flights")
    fake.sql.run("CREATE TABLE acme.gold.flights (id STRING, delay BIGINT)")
    with dg.DagsterInstance.ephemeral() as instance:
        said = observed(gold, instance)["failed"]["has_its_columns"]
    assert said == "column carrier is gone; column delay (BIGINT) is new; column id was BIGINT and is STRING"


def test_columns_that_were_not_declared_are_held_against_those_seen_before(governed: Project, fake: FakeWorkspace):
    fake.catalog.add("acme.gold")
    fake.sql.run("CREATE TABLE acme.gold.flights (id BIGINT)")
    catalog(governed, schemas={"gold": {"tables": {"flights": {"description": "Flights."}}}})
    with dg.DagsterInstance.ephemeral() as instance:
        assert observed(governed, instance)["failed"] == {}
        fake.sql.run("ALTER TABLE acme.gold.flights ADD COLUMN carrier STRING")
        assert observed(governed, instance)["failed"] == {"has_its_columns": "column carrier (STRING) is new"}
        assert observed(governed, instance)["failed"] == {}


def test_a_permission_that_lacks_is_named_with_its_grant(gold: Project, fake: FakeWorkspace):
    fake.catalog.denied = {"acme.gold.flights": "SELECT"}
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.Failure) as raised:
        observed(gold, instance)
    assert "Missing grant: GRANT SELECT ON TABLE `acme`.`gold`.`flights` TO" in str(raised.value.description)


def test_200_tables_are_observed_in_an_eighth_of_the_time_of_200_calls(fake: FakeWorkspace, workspace: Workspace):
    fake.catalog.add("acme.wide")
    for number in range(200):
        fake.sql.run(f"CREATE TABLE acme.wide.t{number} AS SELECT {number} AS n")
    names = [f"acme.wide.t{number}" for number in range(200)]
    workspace.client.tables.get(names[0])
    fake.latency = 0.1
    began = time.monotonic()
    for name in names[:20]:
        workspace.client.tables.get(name)
    sequential = (time.monotonic() - began) * 10
    began = time.monotonic()
    found = look_at(workspace, names)
    together = time.monotonic() - began
    assert {seen.rows for seen in found.values()} == {1}
    assert together <= sequential / 8, f"{together:.2f} s, one after the other {sequential:.2f} s"


def test_definitions_load_with_no_workspace_and_ask_nothing(governed: Project, fake: FakeWorkspace, monkeypatch):
    catalog(governed, schemas={"gold": {"classification": "internal", "tables": {"flights": FLIGHTS}}})
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    assert governed.spec("gold/flights").tags["classification"] == "internal"
    assert fake.requests == []


def test_without_a_workspace_nothing_is_made_and_the_run_says_so(governed: Project, fake: FakeWorkspace, monkeypatch):
    catalog(governed, schemas={"gold": {}})
    monkeypatch.delenv("DATABRICKS_HOST")
    assert governed.materialize() == {}
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    assert "production needs a workspace: DATABRICKS_HOST is not set" in governed.failure()
    assert fake.requests == []


def test_a_workspace_that_cannot_be_reached_is_named(workspace: Workspace, fake: FakeWorkspace, monkeypatch):
    monkeypatch.setattr("components.compute.databricks_calls.ATTEMPTS", 1)
    monkeypatch.setattr("components.databricks.workspace.client.RETRY_SECONDS", 1)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    with pytest.raises(Exception, match=r"http://127\.0\.0\.1:9 does not answer .*Check DATABRICKS_HOST"):
        look_at(workspace, ["acme.gold.flights"])
