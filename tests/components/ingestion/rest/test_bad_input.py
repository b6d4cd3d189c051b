"""What APIs do wrong: it is named, nothing is lost or doubled, and the next run completes."""

import datetime as dt

import pytest
from requests.exceptions import ReadTimeout

from components.ingestion.files import SourceUnreachableError
from tests.components.ingestion.rest.fake import Answer

STRIPE = {"connector": "stripe", "dataset": "stripe", "resources": ["customers"]}
PRODUCTS = {**STRIPE, "resources": ["products"]}
KLAVIYO = {"connector": "klaviyo", "dataset": "klaviyo", "resources": ["lists"]}
LATER = dt.timedelta(days=1_000)


@pytest.fixture
def source(vendor, loads):
    """Stripe's customers, 207 of them, once loaded."""
    fake = vendor("stripe")
    made = loads(**STRIPE)
    made.load()
    assert made.count("customers") == 207
    fake.asked.clear()
    return made


@pytest.fixture
def stripe(server, source):
    """The fake as Stripe."""
    return server


def anew(fake):
    """Make every record newer than the table, so that the next load has several pages."""
    for record in fake.records["customers"]:
        record["created"] += int(LATER.total_seconds())
    fake.times["customers"] = [moment + LATER for moment in fake.times["customers"]]


def state(source):
    return source.rows("SELECT count(*), count(DISTINCT id), min(created), max(created) FROM stripe.customers")


def recovers(source, fake, rows=207):
    fake.fault = lambda number, request: None
    source.load()
    assert source.rows("SELECT count(*), count(DISTINCT id) FROM stripe.customers") == [(rows, rows)]


def test_a_key_that_is_revoked_in_mid_load_is_named_and_loads_nothing(source, stripe):
    before = state(source)
    anew(stripe)
    stripe.fault = lambda number, request: Answer(401, {"error": "revoked"}) if number >= 2 else None
    message = str(source.failure())
    assert "Stripe, resource 'customers': /v1/customers refused our access with status 401" in message
    assert "STRIPE_API_KEY" in message
    assert len(stripe.asked["customers"]) == 2
    assert state(source) == before
    recovers(source, stripe)


def test_a_new_field_becomes_a_column_and_is_told(source, stripe):
    stripe.records["customers"][-1]["loyalty"] = {"points": 7}
    assert source.load()["customers"].metadata["new_columns"] == ["loyalty"]
    assert source.rows("SELECT count(*), count(loyalty) FROM stripe.customers") == [(207, 1)]


def test_a_frozen_schema_refuses_a_new_field_by_name(source, stripe):
    source.change(**STRIPE, schema_contract="freeze")
    stripe.records["customers"][-1]["loyalty"] = "gold"
    before = state(source)
    assert "new column 'loyalty', and schema_contract is freeze" in str(source.failure())
    assert state(source) == before
    del stripe.records["customers"][-1]["loyalty"]
    recovers(source, stripe)


@pytest.mark.parametrize(("value", "column"), [("about 5", "balance__v_text"), (1.5, "balance__v_double")])
def test_a_field_that_changes_its_type_keeps_both_values(source, stripe, value, column):
    stripe.records["customers"][-1]["balance"] = value
    assert source.load()["customers"].metadata["new_columns"] == [column]
    changed = f"SELECT balance, {column} FROM stripe.customers WHERE {column} IS NOT NULL"
    assert source.rows(changed) == [(None, value)]
    assert source.rows("SELECT count(balance) FROM stripe.customers") == [(206,)]


def test_a_resource_that_vanishes_is_named(source, stripe):
    before = state(source)
    stripe.fault = lambda number, request: Answer(404, {"error": "gone"})
    assert "Stripe, resource 'customers': there is no /v1/customers (status 404)" in str(source.failure())
    assert state(source) == before
    recovers(source, stripe)


def test_an_empty_page_leaves_what_is_there(source, stripe):
    before = state(source)
    stripe.fault = lambda number, request: Answer(body={"object": "list", "data": [], "has_more": False})
    assert source.load()["customers"].rows == 0
    assert state(source) == before
    recovers(source, stripe)


def test_an_empty_page_in_the_middle_is_passed_over(loads, vendor):
    fake = vendor("hubspot")
    empty = {"results": [], "paging": {"next": {"after": "opaque/0=="}}}
    fake.fault = lambda number, request: Answer(body=empty) if number == 1 else None
    source = loads(connector="hubspot", dataset="hubspot", resources=["deals"])
    assert source.load()["deals"].rows == source.count("deals") == 207


def test_a_list_that_is_read_as_a_whole_becomes_empty_with_the_vendors(loads, vendor):
    fake = vendor("stripe")
    source = loads(**PRODUCTS)
    source.load()
    assert source.count("products") == 207
    fake.records["products"], fake.times["products"] = [], []
    source.load()
    assert source.count("products") == 0


def test_a_record_that_moves_to_the_next_page_while_they_are_read_is_there_once(loads, vendor):
    fake = vendor("stripe")
    for rows in (fake.records["products"], fake.times["products"]):
        rows.insert(100, rows[99])
    source = loads(**PRODUCTS)
    source.load()
    assert source.count("products") == 207


def test_a_page_that_repeats_for_ever_ends_in_a_named_failure(source, stripe):
    before = state(source)
    anew(stripe)
    page = stripe.records["customers"][:100]
    stripe.fault = lambda number, request: Answer(body={"data": page, "has_more": True})
    message = str(source.failure())
    assert "resource 'customers': the API repeats a page (page 2), so it would never end" in message
    assert len(stripe.asked["customers"]) == 2
    assert state(source) == before
    recovers(source, stripe)


def test_a_next_link_that_leads_to_itself_ends_in_a_named_failure(loads, vendor):
    fake = vendor("klaviyo")
    same = {"data": [], "links": {"next": "https://a.klaviyo.com/api/lists?page[cursor]=o-10"}}
    fake.fault = lambda number, request: Answer(body=same)
    source = loads(**KLAVIYO)
    assert "resource 'lists': the API asks for the same page again" in str(source.failure())
    fake.fault = lambda number, request: None
    assert source.load()["lists"].rows == 27


def test_ten_megabytes_in_one_field_arrive(source, stripe):
    stripe.records["customers"][-1]["description"] = "ä" * 5_000_000 + "!"
    source.load()
    assert source.rows("SELECT max(length(description)), count(*) FROM stripe.customers") == [(5_000_001, 207)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"data": [{"id": "cus_', "the answer is no JSON"),
        (b"<html>Please log in</html>", "the answer is no JSON"),
        (b'{"error": "maintenance"}', "page 1 has no 'data'"),
        (b'{"data": ["cus_1"], "has_more": false}', "expected objects, and the API answers 'cus_1'"),
        (b'{"data": [{"object": "customer"}], "has_more": false}', "a record has no 'id', which is its primary_key"),
    ],
)
def test_an_answer_that_is_not_what_it_should_be_is_named(source, stripe, body, expected):
    before = state(source)
    stripe.fault = lambda number, request: Answer(body=body)
    message = str(source.failure())
    assert message.startswith("Stripe")
    assert expected in message
    assert state(source) == before
    recovers(source, stripe)


def test_a_refusal_with_status_200_is_named(loads, vendor):
    fake = vendor("slack")
    fake.fault = lambda number, request: Answer(body={"ok": False, "error": "token_revoked"})
    source = loads(connector="slack", dataset="slack", resources=["users"])
    assert "resource 'users': the answer is a refusal: token_revoked" in str(source.failure())


def test_a_time_out_is_named_and_may_be_tried_again(source, stripe, monkeypatch):
    before = state(source)

    def late(adapter, request, **options):
        raise ReadTimeout("read timed out, key=rk_live_51HstripeOfTheFake")

    with monkeypatch.context() as patched:
        patched.setattr("requests.adapters.HTTPAdapter.send", late)
        error = source.failure()
    assert "Stripe, resource 'customers': no answer in time" in str(error)
    assert "rk_live" not in str(error)
    assert isinstance(error, SourceUnreachableError)
    assert state(source) == before
    recovers(source, stripe)


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_stays_away_is_named_and_may_be_tried_again(source, stripe, status):
    before = state(source)
    stripe.fault = lambda number, request: Answer(status, {"error": "later"})
    error = source.failure()
    assert f"status {status}" in str(error)
    assert isinstance(error, SourceUnreachableError)
    assert state(source) == before
    recovers(source, stripe)


def test_a_redirect_does_not_take_the_key_to_another_host(source, stripe):
    elsewhere = {"Location": "https://evil.example.com/v1/customers"}
    stripe.fault = lambda number, request: Answer(302, {}, elsewhere)
    message = str(source.failure())
    assert "the API names a page on another host, evil.example.com; our key is not sent there" in message
    assert {request.host for request in stripe.asked["customers"]} == {"api.stripe.com"}


def test_a_next_page_on_another_host_is_not_asked_for(loads, vendor):
    fake = vendor("klaviyo")
    bad = {"data": fake.records["lists"][:10], "links": {"next": "https://evil.example.com/api/lists"}}
    fake.fault = lambda number, request: Answer(body=bad)
    assert "another host, evil.example.com" in str(loads(**KLAVIYO).failure())
    assert len(fake.asked["lists"]) == 1
