"""A refresh reads every page, is patient, and keeps what was known before when it fails."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from components.secrets import SecretError
from components.stock import asking
from tests.components.stock.conftest import StockProject
from tests.components.stock.vendor_cases import CASES
from tests.fakes.tls_proxy import Answer
from tests.fakes.vendors.fivetran import Fivetran
from tests.fakes.vendors.looker import Looker
from tests.fakes.vendors.tableau import Tableau

STATE_BACKED = [name for name in CASES if name != "HightouchSyncComponent"]


@pytest.fixture
def fivetran(at_vendor: Callable) -> tuple[Fivetran, StockProject]:
    fake = Fivetran()
    return fake, at_vendor(fake, "FivetranAccountComponent", account_id="acme", poll_seconds=0.01)


def test_groups_and_connections_of_every_page_are_read_and_unready_ones_left_out(fivetran: Any):
    fake, project = fivetran
    fake.others = [
        fake.connection(id="unsynced_connection", schema="zendesk"),
        fake.connection(id="broken", schema="x", status={"setup_state": "broken", "sync_state": "paused"}),
    ]
    project.refresh()
    assert {key for key in project.specs() if "/" in key} == {"fivetran_stripe/charge", "fivetran_stripe/customer"}
    assert fake.asked.count("GET /v1/groups") == 2
    assert fake.asked.count("GET /v1/groups/sales_group/connectors") == 3


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("Fri, 31 Dec 2100 23:59:59 GMT", 300.0), ("", 0.5)])
def test_a_busy_vendor_is_given_the_time_that_it_asks_for(
    fivetran: Any, header: str, seconds: float, monkeypatch: pytest.MonkeyPatch
):
    fake, project = fivetran
    slept: list[float] = []
    monkeypatch.setattr(asking, "time", SimpleNamespace(sleep=slept.append))
    fake.fail("GET /v1/groups", Answer({}, 429, {"Retry-After": header} if header else {}))
    project.refresh()
    assert slept == [seconds]
    assert "fivetran_stripe/charge" in project.specs()


def test_a_time_out_is_asked_again(fivetran: Any, monkeypatch: pytest.MonkeyPatch):
    fake, project = fivetran
    monkeypatch.setattr(asking, "TIMEOUT_SECONDS", 0.2)
    fake.fail("GET /v1/groups", seconds=0.6)
    project.refresh()
    assert "fivetran_stripe/charge" in project.specs()


def test_what_starts_something_is_not_sent_twice(fivetran: Any):
    fake, project = fivetran
    project.refresh()
    fake.fail("/force", Answer({"message": "internal error"}, 500))
    ran = project.run("fivetran_stripe/charge")
    assert not ran.success
    assert fake.asked.count("POST /v1/connectors/speak_menial/force") == 1


@pytest.mark.parametrize("name", STATE_BACKED)
@pytest.mark.parametrize(
    "answer",
    [Answer({"message": "down"}, 503), Answer(b"<html>maintenance</html>"), Answer({"surprise": [1]})],
    ids=["down", "not what was asked for", "in another shape"],
)
def test_a_vendor_that_is_down_at_refresh_leaves_the_old_state(at_vendor: Callable, name: str, answer: Answer):
    case, fake = CASES[name], CASES[name].fake()
    project = at_vendor(fake, name, **case.attributes)
    project.refresh()
    before = project.state.read_text()
    fake.fail("", answer, times=None)
    with pytest.raises(dg.Failure, match=project.type.title):
        project.refresh()
    assert project.state.read_text() == before
    assert project.specs().keys() >= case.found.keys()
    assert [path.name for path in project.state.parent.iterdir() if path.name.endswith(".new")] == []


def test_a_wrong_key_is_named_at_once_and_shown_nowhere(fivetran: Any, monkeypatch: pytest.MonkeyPatch):
    fake, project = fivetran
    monkeypatch.setenv("FIVETRAN_API_SECRET", "a-wrong-secret")
    with pytest.raises(dg.Failure) as caught:
        project.refresh()
    assert "FIVETRAN_API_KEY, FIVETRAN_API_SECRET may be wrong, expired or revoked" in str(caught.value)
    assert "a-wrong-secret" not in str(caught.value)
    assert fake.asked == ["GET /v1/groups"]


def test_a_missing_key_is_named(fivetran: Any, monkeypatch: pytest.MonkeyPatch):
    _, project = fivetran
    monkeypatch.delenv("FIVETRAN_API_KEY")
    with pytest.raises(SecretError, match="FIVETRAN_API_KEY"):
        project.refresh()


def test_a_vendor_that_shows_nothing_is_no_empty_project(at_vendor: Callable):
    project = at_vendor(Fivetran(), "FivetranAccountComponent", account_id="acme", connectors=["stripe"])
    with pytest.raises(dg.Failure, match="Fivetran shows nothing of acme to FIVETRAN_API_KEY, FIVETRAN_API_SECRET"):
        project.refresh()


def test_a_vendor_that_sends_a_secret_back_is_not_kept(fivetran: Any):
    fake, project = fivetran
    fake.others = [fake.connection(id="odd", schema="odd", config={"token": "fivetran-secret-5678"})]
    with pytest.raises(dg.Failure, match="sent one of FIVETRAN_API_KEY, FIVETRAN_API_SECRET back"):
        project.refresh()
    assert not project.state.exists()


@pytest.mark.parametrize("name", STATE_BACKED)
def test_without_state_and_sample_the_command_that_makes_it_is_named(stock_project: Callable, name: str):
    project = stock_project(name, **CASES[name].attributes)
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        ComponentTree.for_project(project.root).build_defs()
    assert "Run: dg utils refresh-defs-state" in str(raised.value.__cause__)


def test_a_state_that_is_none_names_its_file_and_the_command(stock_project: Callable):
    project = stock_project("FivetranAccountComponent", account_id="acme")
    project.keep('{"half": ')
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        project.definitions()
    assert re.search(r"state is no state of Fivetran .*Run: dg utils refresh-defs-state", str(raised.value.__cause__))


def test_a_table_that_is_not_synced_any_more_is_named(fivetran: Any):
    fake, project = fivetran
    project.refresh()
    fake.tables = ["customer", "invoice"]
    gone = project.run("fivetran_stripe/charge")
    still = project.run("fivetran_stripe/customer")
    assert "Fivetran does not sync fivetran_stripe/charge any more. Run: dg utils refresh-defs-state" in gone.log
    assert still.made.keys() == {"fivetran_stripe/customer"}
    assert "Fivetran also syncs fivetran_stripe/invoice" in still.log


def test_a_paused_connection_is_no_success(fivetran: Any):
    fake, project = fivetran
    project.refresh()
    fake.paused = True
    ran = project.run("fivetran_stripe/charge")
    assert "is paused at Fivetran; nothing was synced" in ran.log
    assert not ran.success


def test_an_unknown_name_in_reads_is_answered_with_what_there_is(at_vendor: Callable):
    project = at_vendor(Fivetran(), "FivetranAccountComponent", account_id="acme", reads={"chagre": ["raw/x"]})
    project.refresh()
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        project.definitions()
    assert "reads names chagre, which acme does not have; it has: charge, customer" in str(raised.value.__cause__)


@pytest.mark.slot("modern-data", "looker", "fake")
def test_looker_shows_marts_explores_and_dashboards_and_builds_a_table(at_vendor: Callable):
    fake = Looker()
    build = {"model_name": "flights", "view_name": "carrier_facts"}
    address = "https://acme.cloud.looker.com"
    project = at_vendor(fake, "LookerComponent", base_url=address, pdt_builds=[build])
    fake.fail("/lookml_models", Answer({"message": "slow down"}, 429, {"Retry-After": "0"}))
    project.refresh()
    specs = project.specs()
    found = {key: [dep.asset_key.to_user_string() for dep in spec.deps] for key, spec in specs.items()}
    ran = project.run("looker/view_carrier_facts")
    assert found["looker/flights_carriers"] == ["marts/carrier_performance", "marts/route_performance"]
    assert found["looker/punctuality_7"] == ["looker/flights_carriers"]
    assert ran.made["looker/view_carrier_facts"]["looker/materialization_id"] == "mat-1"


@pytest.mark.parametrize(
    ("fake", "name", "attributes", "place", "named"),
    [
        (Looker, "LookerComponent", {"base_url": "https://acme.cloud.looker.com"}, "/explores/", "flights::carriers"),
        (Tableau, "TableauComponent", {"site": "acme", "username": "ana", "pod": "10ax"}, "/graphql", "b75fc023"),
    ],
)
def test_a_part_that_cannot_be_read_does_not_vanish(
    at_vendor: Callable, fake: type, name: str, attributes: dict[str, Any], place: str, named: str
):
    vendor = fake()
    project = at_vendor(vendor, name, **attributes)
    project.refresh()
    before = project.state.read_text()
    vendor.fail(place, Answer({"message": "internal error"}, 500), times=None)
    with pytest.raises(dg.Failure, match=f"did not show these.*{named}"):
        project.refresh()
    assert project.state.read_text() == before
