"""Tags and grants follow from classifications, by a plan that is shown first; lineage from the catalog."""

import asyncio
from typing import Any

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from components.databricks.workspace.catalog import UnityCatalogComponent
from tests.components.warehouse.project import Project
from tests.fakes.databricks import FakeWorkspace

KEY = "unity_catalog/acme_access"
TABLES = {
    "flights": {"description": "One row a flight."},
    "people": {"description": "One row a person.", "classification": "confidential"},
}


@pytest.fixture
def classified(governed: Project, fake: FakeWorkspace) -> Project:
    """A project with an internal and a confidential table, and a volume."""
    fake.catalog.add("acme.gold")
    for table in TABLES:
        fake.sql.run(f"CREATE TABLE acme.gold.{table} AS SELECT 1 AS id")
    schema = {"classification": "internal", "tables": TABLES, "volumes": {"exports": {}}}
    attributes = {"catalog": "acme", "lineage_days": 0, "schemas": {"gold": schema}}
    governed.add(UnityCatalogComponent, "catalog", attributes)
    return governed


def access(project: Project, apply: bool = False) -> tuple[dict[str, Any], bool]:
    """The plan's metadata, and whether its check passed."""
    with project.definitions() as definitions:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey.from_user_string(KEY)],
            run_config={"ops": {"access_acme": {"config": {"apply": apply}}}},
        )
    [made] = done.get_asset_materialization_events()
    [check] = done.get_asset_check_evaluations()
    return {name: value.value for name, value in made.materialization.metadata.items()}, check.passed


@pytest.mark.slot("databricks", "grants-tags/grants", "fake")
@pytest.mark.slot("databricks", "grants-tags/tags", "fake")
def test_a_plan_is_shown_applied_when_asked_and_then_empty(classified: Project, fake: FakeWorkspace):
    planned, passed = access(classified)
    assert not passed
    assert "grant SELECT on table acme.gold.flights to analysts" in planned["plan"]
    assert "tag table acme.gold.people with classification = confidential" in planned["plan"]
    assert "grant USE CATALOG on catalog acme to analysts" in planned["plan"]
    assert fake.catalog.grants == {}
    assert fake.asked("PATCH") == 0
    applied, passed = access(classified, apply=True)
    assert (applied["applied"], applied["changes"], passed) == (True, planned["changes"], True)
    assert fake.catalog.grants[("table", "acme.gold.people")] == {"stewards": {"SELECT", "MODIFY"}}
    assert fake.catalog.grants[("table", "acme.gold.flights")] == {"analysts": {"SELECT"}}
    doors = {"analysts": {"USE_SCHEMA"}, "stewards": {"USE_SCHEMA"}}  # SELECT here would open the confidential table
    assert fake.catalog.grants[("schema", "acme.gold")] == doors
    assert fake.sql.dialect.tags["acme.gold.flights"] == {"classification": "internal"}
    again, passed = access(classified)
    assert (again["changes"], passed) == (0, True)


def test_who_may_no_longer_see_a_table_loses_it_and_others_are_left_alone(classified: Project, fake: FakeWorkspace):
    fake.catalog.grants[("table", "acme.gold.people")] = {"analysts": {"SELECT"}, "auditors": {"SELECT"}}
    access(classified, apply=True)
    assert fake.catalog.grants[("table", "acme.gold.people")] == {
        "analysts": set(),
        "auditors": {"SELECT"},
        "stewards": {"SELECT", "MODIFY"},
    }


def test_grants_on_several_pages_are_all_read(classified: Project, fake: FakeWorkspace):
    access(classified, apply=True)
    fake.catalog.grants[("table", "acme.gold.flights")] |= {f"a{number}": {"SELECT"} for number in range(9)}
    fake.catalog.page_size = 2
    assert access(classified)[0]["changes"] == 0


def test_a_grant_that_may_not_be_made_is_named(classified: Project, fake: FakeWorkspace):
    fake.catalog.denied = {"acme.gold.people": "MANAGE"}
    with pytest.raises(dg.Failure) as raised:
        access(classified, apply=True)
    said = str(raised.value.description)
    assert "grant MODIFY on table acme.gold.people to stewards" in said
    assert "Missing grant: GRANT MANAGE ON TABLE `acme`.`gold`.`people` TO" in said


@pytest.mark.slot("databricks", "uc-lineage", "fake")
def test_lineage_of_the_catalog_becomes_dependencies_when_it_is_refreshed(governed: Project, fake: FakeWorkspace):
    for schema in ("bronze", "gold"):
        fake.catalog.add(f"acme.{schema}")
    for table in ("bronze.raw_flights", "bronze.carriers", "gold.flights"):
        fake.sql.run(f"CREATE TABLE acme.{table} AS SELECT 1 AS id")
    fake.sql.run("CREATE SCHEMA system.access")
    fake.sql.run(
        "CREATE TABLE system.access.table_lineage (source_table_full_name STRING, target_table_full_name STRING, "
        "target_table_catalog STRING, event_date DATE)"
    )
    for source, days in (("acme.bronze.raw_flights", 1), ("acme.bronze.carriers", 90), ("other.bronze.x", 1)):
        fake.sql.run(
            f"INSERT INTO system.access.table_lineage VALUES "
            f"('{source}', 'acme.gold.flights', 'acme', date_sub(current_date(), {days}))"
        )
    fake.catalog.page_size = 1
    gold = {"tables": {"flights": {"description": "One row a flight."}}}
    governed.add(
        UnityCatalogComponent, "catalog", {"catalog": "acme", "schemas": {"gold": gold}, "discover": ["bronze"]}
    )
    assert governed.spec("gold/flights").deps == []
    [component] = ComponentTree.for_project(governed.root).get_all_components(of_type=UnityCatalogComponent)
    asyncio.run(component.refresh_state(governed.root))
    asked = len(fake.requests)
    assert [dep.asset_key.to_user_string() for dep in governed.spec("gold/flights").deps] == ["bronze/raw_flights"]
    assert governed.spec("bronze/carriers").metadata["dagster/table_name"] == "acme.bronze.carriers"
    assert len(fake.requests) == asked
