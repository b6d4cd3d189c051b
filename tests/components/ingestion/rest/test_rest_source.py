"""The component: sample or vendor, state from the warehouse, times, and what its YAML may say."""

import datetime as dt
import subprocess
import sys

import dagster as dg
import pytest
import yaml

from components.ingestion.rest.catalogue import connector_names, packaged_connector, sample_file, sample_records
from components.ingestion.rest_source import RestSourceComponent
from tests.components.ingestion.rest.fake import Answer
from tests.components.warehouse.project import scaffolded

STRIPE = {"connector": "stripe", "dataset": "stripe"}
CUSTOMERS = {**STRIPE, "resources": ["customers"]}
OWN = {
    "title": "Weather",
    "docs": "https://example.com/docs",
    "base_url": "https://api.stripe.com/v1",
    "secrets": {"STRIPE_API_KEY": "from the console"},
    "auth": {"type": "bearer", "token": "{STRIPE_API_KEY}"},
    "paginator": {
        "type": "cursor",
        "cursor_path": "data[-1].id",
        "cursor_param": "starting_after",
        "has_more_path": "has_more",
    },
    "params": {"limit": 100},
    "data_selector": "data",
    "resources": [{"name": "products", "path": "products", "description": "One row a product.", "primary_key": ["id"]}],
}


@pytest.fixture
def no_keys(monkeypatch):
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    monkeypatch.delenv("STRIPE_KEY_OF_SALES", raising=False)


def test_without_its_secret_a_connector_loads_its_sample_and_says_so(rest_project, no_keys, capsys):
    rest_project.add(RestSourceComponent, "stripe", STRIPE)
    for _ in range(2):
        metadata = rest_project.materialize()
    records = sample_records(sample_file("stripe"))
    assert {key: entry["dagster/row_count"] for key, entry in metadata.items()} == {
        f"stripe/{name}": len(rows) for name, rows in records.items()
    }
    assert all(entry["sample"] for entry in metadata.values())
    assert "loads sample rows: Stripe: secret STRIPE_API_KEY is not set" in capsys.readouterr().err


def test_in_production_a_missing_secret_is_a_failure_that_names_it(rest_project, no_keys, monkeypatch):
    rest_project.add(RestSourceComponent, "stripe", STRIPE)
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    message = rest_project.failure()
    assert "STRIPE_API_KEY is not set" in message
    assert "production" in message


def test_the_first_real_load_takes_the_place_of_the_sample(rest_project, no_keys, vendor):
    rest_project.add(RestSourceComponent, "stripe", CUSTOMERS)
    rest_project.materialize()
    fake = vendor("stripe")
    fake.fault = lambda number, request: Answer(401)
    rest_project.failure()
    assert rest_project.rows("SELECT count(*) FROM stripe.customers") == [(2,)]
    fake.fault = lambda number, request: None
    metadata = rest_project.materialize()["stripe/customers"]
    assert metadata["dagster/row_count"] == 207
    assert "sample" not in metadata


def test_rows_of_the_vendor_are_never_replaced_by_the_sample(rest_project, vendor, monkeypatch):
    vendor("stripe")
    rest_project.add(RestSourceComponent, "stripe", CUSTOMERS)
    rest_project.materialize()
    monkeypatch.delenv("STRIPE_API_KEY")
    assert "stripe.customers: rows of the real source are there" in rest_project.failure()
    assert rest_project.rows("SELECT count(*) FROM stripe.customers") == [(207,)]


def test_of_several_secrets_all_or_none_are_set(loads, monkeypatch):
    monkeypatch.setenv("DATADOG_API_KEY", "one-of-two")
    monkeypatch.delenv("DATADOG_APP_KEY", raising=False)
    message = str(loads(connector="datadog", dataset="datadog").failure())
    assert "secret DATADOG_APP_KEY is not set, though DATADOG_API_KEY is" in message
    assert "one-of-two" not in message


def test_a_secret_may_have_another_name(loads, vendor, monkeypatch):
    fake = vendor("stripe")
    monkeypatch.delenv("STRIPE_API_KEY")
    monkeypatch.setenv("STRIPE_KEY_OF_SALES", fake.vendor.secrets["STRIPE_API_KEY"])
    source = loads(**CUSTOMERS, secrets={"STRIPE_API_KEY": "STRIPE_KEY_OF_SALES"})
    assert source.load()["customers"].rows == 207
    monkeypatch.setenv("STRIPE_KEY_OF_SALES", "rk_live_wrong")
    message = str(source.failure())
    assert "check secret STRIPE_KEY_OF_SALES" in message
    assert "rk_live_wrong" not in message


@pytest.mark.parametrize("variables", [{}, {"shop": ""}])
def test_a_variable_without_a_value_is_named(loads, vendor, variables):
    vendor("shopify")
    source = loads(connector="shopify", dataset="shopify", variables=variables)
    assert "Shopify: variables: shop has no value" in str(source.failure())


def test_a_dropped_table_is_loaded_from_the_start_and_its_neighbour_goes_on(loads, vendor):
    fake = vendor("stripe")
    source = loads(**STRIPE, resources=["customers", "invoices"])
    source.load()
    source.engine.execute("DROP TABLE stripe.customers")
    fake.fault = lambda number, request: Answer(401) if request.path == "/v1/customers" else None
    source.failure()
    assert source.count("invoices") == 207
    fake.fault = lambda number, request: None
    done = source.load()
    assert (done["customers"].rows, done["invoices"].rows) == (207, 1)
    assert (source.count("customers"), source.count("invoices")) == (207, 207)


def test_a_deleted_warehouse_is_filled_again(loads, vendor):
    vendor("stripe")
    source = loads(**CUSTOMERS)
    source.load()
    source.engine.file.unlink()
    assert source.load()["customers"].rows == 207


def test_a_changed_record_is_updated(loads, vendor):
    fake = vendor("hubspot")
    source = loads(connector="hubspot", dataset="hubspot", resources=["deals"])
    source.load()
    fake.records["deals"][0]["properties"]["dealname"] = "Renamed"
    fake.records["deals"][0]["updatedAt"] = "2026-01-01T00:00:00.000Z"
    assert source.load()["deals"].rows == 2  # the one, and the last of before
    assert source.rows("SELECT count(*) FILTER (properties_dealname = 'Renamed'), count(*) FROM hubspot.deals") == [
        (1, 207)
    ]


@pytest.mark.postgres
def test_postgres_is_loaded_too_and_goes_on_from_its_greatest_cursor(rest_project, vendor, postgres_database):
    fake = vendor("shopify")
    attributes = {"connector": "shopify", "dataset": "shopify", "variables": fake.vendor.variables}
    rest_project.add(RestSourceComponent, "shopify", {**attributes, "resources": ["orders"]})
    assert rest_project.materialize()["shopify/orders"]["rows_loaded"] == 507
    metadata = rest_project.materialize()["shopify/orders"]
    assert (metadata["rows_loaded"], metadata["dagster/row_count"]) == (1, 507)


@pytest.fixture
def orders(loads, vendor):
    """Shopify's orders."""
    return loads(
        connector="shopify", dataset="shopify", resources=["orders"], variables=vendor("shopify").vendor.variables
    )


def test_times_of_any_zone_are_compared_in_utc(orders, server):
    late = "2020-06-01T23:00:00-05:00"  # later than 2020-06-02T02:00:00+09:00, though its text is smaller
    server.records["orders"][0]["updated_at"] = late
    server.records["orders"][1]["updated_at"] = "2020-06-02T02:00:00+09:00"
    orders.load()
    orders.load()
    assert server.asked["orders"][-1].query["updated_at_min"] == "2020-06-02T04:00:00Z"


def test_a_time_that_is_still_to_come_does_not_hide_what_comes_before_it(orders, server):
    server.records["orders"][0]["updated_at"] = "2999-01-01T00:00:00Z"
    orders.load()
    orders.load()
    asked = dt.datetime.fromisoformat(server.asked["orders"][-1].query["updated_at_min"])
    assert abs(asked - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


@pytest.mark.parametrize("wrong", ["31/12/2023", "2023-02-30T00:00:00Z", 17, {"date": "2023-01-01"}])
def test_a_cursor_that_is_no_time_is_named(orders, server, wrong):
    server.records["orders"][300]["updated_at"] = wrong
    message = str(orders.failure())
    assert "Shopify: resource 'orders': updated_at has" in message
    assert "which is not written as iso" in message


def test_a_connector_of_the_projects_own_is_loaded_from_its_file(rest_project, vendor):
    vendor("stripe")
    folder = rest_project.add(RestSourceComponent, "own", {"connector": {"file": "my_api.yaml"}, "dataset": "own"})
    (folder / "my_api.yaml").write_text(yaml.safe_dump(OWN))
    assert rest_project.materialize()["own/products"]["dagster/row_count"] == 207
    assert rest_project.spec("own/products").kinds == {"dlt", "rest", "duckdb"}


def test_a_connector_may_stand_in_the_yaml_itself(rest_project, vendor):
    vendor("stripe")
    rest_project.add(RestSourceComponent, "own", {"connector": {"inline": OWN}, "dataset": "own"})
    assert rest_project.materialize()["own/products"]["dagster/row_count"] == 207


def test_a_connector_without_a_sample_needs_its_secret(rest_project, no_keys):
    rest_project.add(RestSourceComponent, "own", {"connector": {"inline": OWN}, "dataset": "own"})
    assert "STRIPE_API_KEY is not set" in rest_project.failure()


def test_definitions_load_without_dlt_secrets_or_the_samples(rest_project, no_keys):
    for name in connector_names():
        rest_project.add(RestSourceComponent, f"ingestion/{name}", {"connector": name, "dataset": name})
    script = (
        "import sys; from components.ingestion.rest_source import RestSourceComponent\n"
        "from components.ingestion.rest.catalogue import connector_names, packaged_connector\n"
        "[packaged_connector(name) for name in connector_names()]\n"
        "print([name for name in ('dlt', 'requests', 'duckdb', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with rest_project.definitions() as definitions:
        keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    every = {f"{name}/{table.name}" for name in connector_names() for table in packaged_connector(name).resources}
    assert keys == every


def test_the_spec_says_what_the_policy_asks_for(rest_project, no_keys):
    attributes = {**STRIPE, "owners": ["team:data"], "group": "ingestion", "tags": {"domain": "sales"}}
    rest_project.add(RestSourceComponent, "stripe", attributes)
    spec = rest_project.spec("stripe/customers")
    assert (spec.owners, spec.group_name, spec.kinds) == (["team:data"], "ingestion", {"dlt", "stripe", "duckdb"})
    assert spec.tags["domain"] == "sales"
    assert spec.description.startswith("One row a customer")


def test_the_scaffolder_writes_what_materialises(rest_project, no_keys):
    attributes = scaffolded(RestSourceComponent, rest_project._sandbox.defs_folder_path / "made")
    assert attributes["connector"] == "stripe"
    assert rest_project.materialize()["stripe/customers"]["dagster/row_count"] == 2


def test_an_account_without_records_makes_no_table_and_no_fuss(rest_project, vendor):
    fake = vendor("stripe")
    fake.records["customers"], fake.times["customers"] = [], []
    rest_project.add(RestSourceComponent, "stripe", CUSTOMERS)
    assert rest_project.materialize()["stripe/customers"]["dagster/row_count"] == 0


def test_a_failure_of_the_api_is_the_runs_and_is_tried_again_only_where_that_may_help(rest_project, vendor):
    fake = vendor("stripe")
    rest_project.add(RestSourceComponent, "stripe", CUSTOMERS)
    for status, again in ((401, False), (503, True)):
        fake.fault = lambda number, request, status=status: Answer(status)
        with pytest.raises(dg.Failure) as caught:
            rest_project.materialize()
        assert caught.value.allow_retries is again
