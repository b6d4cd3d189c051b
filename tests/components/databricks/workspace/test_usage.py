"""Actual costs come from the bill, go to assets, and are held against budgets."""

from typing import Any

import dagster as dg
import pytest

from components.databricks.workspace.usage import UsageCostComponent
from tests.components.warehouse.project import Project, scaffolded
from tests.fakes.databricks import FakeWorkspace

pytestmark = pytest.mark.slot("databricks", "usage-cost", "fake")
KEY = "costs/databricks"


@pytest.fixture
def bill(fake: FakeWorkspace) -> FakeWorkspace:
    """A workspace with the system tables of billing; a DBU costs half a dollar, and did cost one long ago."""
    fake.sql.run("CREATE SCHEMA system.billing")
    fake.sql.database.execute(
        "CREATE TABLE system_tables.billing.usage (sku_name VARCHAR, cloud VARCHAR, usage_unit VARCHAR, "
        "usage_date DATE, usage_end_time TIMESTAMP, usage_quantity DECIMAL(38, 6), "
        "custom_tags MAP(VARCHAR, VARCHAR), usage_metadata STRUCT(job_run_id VARCHAR, dlt_update_id VARCHAR, "
        "budget_policy_id VARCHAR))"
    )
    fake.sql.database.execute(
        "CREATE TABLE system_tables.billing.list_prices (sku_name VARCHAR, cloud VARCHAR, usage_unit VARCHAR, "
        'price_start_time TIMESTAMP, price_end_time TIMESTAMP, pricing STRUCT(effective_list STRUCT("default" DOUBLE)))'
    )
    for begin, end, price in (("'2020-01-01'", "'2021-01-01'", 1.0), ("'2021-01-01'", "NULL", 0.5)):
        fake.sql.database.execute(
            "INSERT INTO system_tables.billing.list_prices VALUES "
            f"('JOBS', 'AWS', 'DBU', {begin}, {end}, {{'effective_list': {{'default': {price}}}}})"
        )
    return fake


def used(fake: FakeWorkspace, dbus: float, days_ago: int = 0, **known: str) -> None:
    """Add a line to the bill."""
    tags = {key: known.pop(key) for key in ("dagster_asset", "cost_owner") if key in known}
    names = ("job_run_id", "dlt_update_id", "budget_policy_id")
    where = ", ".join(f"'{name}': {known[name]!r}" if name in known else f"'{name}': NULL" for name in names)
    pairs = "MAP {" + ", ".join(f"{key!r}: {value!r}" for key, value in tags.items()) + "}"
    fake.sql.database.execute(
        "INSERT INTO system_tables.billing.usage VALUES ('JOBS', 'AWS', 'DBU', "
        f"(SELECT max(d) FROM (VALUES (current_date - {days_ago})) AS v(d)), now()::TIMESTAMP, {dbus}, {pairs}, "
        f"{{{where}}})"
    )


def costs(project: Project, instance: dg.DagsterInstance, **attributes: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The metadata, and what failed checks say."""
    given = {"key": KEY, "description": "Costs.", **attributes}
    project.add(UsageCostComponent, "costs", given)
    with project.definitions() as definitions:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(KEY.split("/"))]
        )
    [made] = done.get_asset_materialization_events()
    failed = {each.check_name: each.description for each in done.get_asset_check_evaluations() if not each.passed}
    return {name: value.value for name, value in made.materialization.metadata.items()}, failed


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def materialised(instance: dg.DagsterInstance, key: str, **metadata: Any) -> None:
    """What a run of a job or a pipeline leaves."""
    names = {name.replace("run", "databricks/run"): value for name, value in metadata.items()}
    event = dg.AssetMaterialization(dg.AssetKey(key.split("/")), metadata=names)
    instance.report_runless_asset_event(event)


def test_costs_are_found_by_tag_by_run_by_update_and_by_budget_policy(governed: Project, bill: FakeWorkspace, instance):
    materialised(instance, "sales/orders", run_id="7001")
    materialised(instance, "silver/flights", update=dg.MetadataValue.url("https://x/pipelines/p/updates/u-1"))
    materialised(instance, "silver/delays", update=dg.MetadataValue.url("https://x/pipelines/p/updates/u-1"))
    materialised(instance, "gold/marts", other="x")
    used(bill, 4, dagster_asset="gold-marts", cost_owner="data")
    used(bill, 6, job_run_id="7001", budget_policy_id="bp-7")
    used(bill, 8, dlt_update_id="u-1", budget_policy_id="bp-7")
    used(bill, 2, budget_policy_id="bp-7")
    used(bill, 1)
    told, failed = costs(governed, instance)
    assert "| sales/orders | 3.00 |" in told["costs"]
    assert "| silver/flights | 2.00 |" in told["costs"]
    assert "| silver/delays | 2.00 |" in told["costs"]
    assert "| gold/marts | 2.00 |" in told["costs"]
    assert "| budget policy bp-7 | 1.00 |" in told["costs"]
    assert (told["total_usd"], told["unattributed_usd"]) == (10.5, 1.5)
    assert failed == {}


def test_budgets_of_assets_and_of_owners_are_held(governed: Project, bill: FakeWorkspace, instance):
    materialised(instance, "sales/orders", run_id="7001")
    used(bill, 300, job_run_id="7001", budget_policy_id="bp-7")
    _, failed = costs(governed, instance, budgets={"sales/orders": 50})
    assert failed["within_budget"] == "sales/orders: 150.00 of 50 USD; team:data: 150.00 of 100 USD"


def test_a_day_that_costs_much_more_than_usual_is_an_anomaly(governed: Project, bill: FakeWorkspace, instance):
    for days_ago in range(1, 6):
        used(bill, 2, days_ago, dagster_asset="gold-marts")
    used(bill, 40, dagster_asset="gold-marts")
    _, failed = costs(governed, instance)
    assert failed["no_anomaly"].startswith("gold-marts: 20.00 USD on ")
    assert failed["no_anomaly"].endswith("usually 1.00")


def test_a_bill_that_may_not_be_read_names_the_grant(governed: Project, bill: FakeWorkspace, instance):
    said = "[INSUFFICIENT_PERMISSIONS] User does not have permission SELECT on table 'system.billing.usage'."
    bill.sql.refused = {"system.billing": said}
    with pytest.raises(dg.Failure) as raised:
        costs(governed, instance)
    assert "Missing grant: GRANT SELECT ON TABLE `system`.`billing`.`usage` TO" in str(raised.value.description)


def test_what_the_scaffolder_writes_runs(governed: Project, bill: FakeWorkspace, instance):
    attributes = scaffolded(UsageCostComponent, governed.root / "s")
    told, failed = costs(governed, instance, **attributes)
    assert (told["total_usd"], failed) == (0, {})
