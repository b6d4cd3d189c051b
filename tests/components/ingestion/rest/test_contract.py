"""What every connector of the catalogue does against its vendor's API, as the vendor documents it."""

import pytest
import yaml
from dlt.sources.rest_api import rest_api_source

from components.ingestion.rest.catalogue import CONNECTORS as CONNECTOR_FILES
from components.ingestion.rest.catalogue import connector_names, packaged_connector, sample_file, sample_records
from components.ingestion.rest.format import Connector
from tests.components.ingestion.rest.conftest import PAGES, PARENTS
from tests.components.ingestion.rest.fake import Answer
from tests.components.ingestion.rest.reading import config, read, refusal
from tests.components.ingestion.rest.records import many
from tests.components.ingestion.rest.vendors import VENDORS

CONNECTORS = connector_names()
SLOTS = {
    **{name: name for name in ("stripe", "hubspot", "salesforce", "shopify", "zendesk", "ga4")},
    **{"google_ads": "google-ads", "github": "github-jira/github", "jira": "github-jira/jira"},
}
COVERED = [
    pytest.param(name, marks=pytest.mark.slot("modern-data", SLOTS[name], "fake")) if name in SLOTS else name
    for name in CONNECTORS
]
RESOURCES = [(name, resource.name) for name in CONNECTORS for resource in packaged_connector(name).resources]


def first_resource(name: str) -> str:
    return packaged_connector(name).resources[0].name


def test_every_connector_has_a_vendor_a_sample_and_a_title_of_its_own():
    assert set(VENDORS) == set(CONNECTORS)
    assert len(CONNECTORS) >= 30
    assert len({packaged_connector(name).title for name in CONNECTORS}) == len(CONNECTORS)
    for name in CONNECTORS:
        resources = packaged_connector(name).resources
        assert (
            set(VENDORS[name].endpoints)
            == set(sample_records(sample_file(name)))
            == {found.name for found in resources}
        )
        assert set(VENDORS[name].secrets) == set(packaged_connector(name).secrets)
        assert Connector.model().model_validate(yaml.safe_load((CONNECTOR_FILES / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("name", CONNECTORS)
def test_dlt_takes_the_configuration(vendor, name):
    fake = vendor(name)
    source = rest_api_source(config(name, fake.vendor), name=name)
    assert set(source.resources) == set(fake.vendor.endpoints)


@pytest.mark.parametrize(("name", "resource"), RESOURCES)
def test_every_page_is_read_in_the_vendors_own_way(vendor, name, resource):
    fake = vendor(name)
    by_name = {found.name: found for found in packaged_connector(name).resources}
    for parent in by_name[resource].parents:
        fake.first(parent, PARENTS)  # whose own pages are read where it is the resource
    rows = read(name, fake.vendor, resource)
    assert fake.problems == []
    keys = by_name[resource].primary_key
    assert len({tuple(row[key] for key in keys) for row in rows}) == len(fake.records[resource])
    if parents := by_name[resource].parents:
        assert len(fake.asked[resource]) >= len(fake.records[next(iter(parents))])
    else:
        assert len(rows) == len(fake.records[resource])
        assert len(fake.asked[resource]) >= (PAGES if fake.vendor.endpoints[resource].style.size < 10_000 else 1)


@pytest.mark.parametrize("name", CONNECTORS)
def test_it_waits_as_retry_after_says(vendor, naps, name):
    fake = vendor(name)
    fake.fault = lambda number, request: (
        Answer(429, {"error": "slow down"}, {"Retry-After": "7"}) if number == 2 else None
    )
    rows = read(name, fake.vendor, first_resource(name))
    assert len(rows) == len(fake.records[first_resource(name)])
    assert naps == [7]


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_500_is_tried_again(vendor, naps, name):
    fake = vendor(name)
    fake.fault = lambda number, request: Answer(500, {"error": "oh"}) if number in (1, 3) else None
    rows = read(name, fake.vendor, first_resource(name))
    assert len(rows) == len(fake.records[first_resource(name)])
    assert len(naps) == 2


@pytest.mark.parametrize("name", CONNECTORS)
def test_an_expired_key_is_named_and_never_shown(vendor, name):
    fake = vendor(name)
    shown = " ".join(fake.vendor.secrets.values())
    fake.fault = lambda number, request: Answer(401, {"error": f"expired: {shown}"})
    message = refusal(name, fake.vendor, first_resource(name))
    assert packaged_connector(name).title in message
    assert "401" in message
    for secret, value in fake.vendor.secrets.items():
        assert secret in message
        assert value not in message


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_wrong_key_is_refused_by_the_fake(vendor, name):
    fake = vendor(name)
    fake.vendor = VENDORS[name]
    right = fake.vendor.secrets
    try:
        fake.vendor.secrets = {secret: f"{value}-and-wrong" for secret, value in right.items()}
        message = refusal(name, fake.vendor, first_resource(name))
    finally:
        fake.vendor.secrets = right
    assert "refused our access" in message or "refused the request" in message


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_first_load_begins_at_the_start_date(vendor, name):
    fake = vendor(name)
    for resource in packaged_connector(name).resources:
        if resource.since and not resource.parents:
            times = fake.times[resource.name]
            rows = read(name, fake.vendor, resource.name, start=times[len(times) // 2])
            assert fake.problems == []
            assert len(times) // 2 <= len(rows) < len(times)


@pytest.mark.parametrize("name", COVERED)
def test_a_second_run_asks_for_what_is_new_and_doubles_nothing(vendor, loads, name):
    fake = vendor(name)
    resource = first_resource(name)
    [described] = [found for found in packaged_connector(name).resources if found.name == resource]
    source = loads(connector=name, dataset=name, resources=[resource], variables=fake.vendor.variables)
    count = len(fake.records[resource])
    assert source.load()[resource].rows == source.count(resource) == count
    more, times = many(name, described, 5, start=count)
    fake.records[resource] += more
    fake.times[resource] += times
    second = source.load()[resource]
    assert fake.problems == []
    assert source.count(resource) == count + 5
    if described.write_disposition == "merge":
        assert second.rows < count
    keys = ", ".join(f'"{key}"' for key in described.primary_key)
    query = f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {name}.{resource})"
    assert source.rows(query) == [(count + 5,)]
