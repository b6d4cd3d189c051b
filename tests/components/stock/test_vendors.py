"""Each vendor against a local fake: refreshed, loaded with no network and no key, run, and failed in every way."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.components.stock.conftest import StockProject
from tests.components.stock.vendor_cases import CASES, Case
from tests.fakes.tls_proxy import Answer

SLOTS = {
    "FivetranAccountComponent": "fivetran",
    "AirbyteWorkspaceComponent": "airbyte",
    "PowerBIWorkspaceComponent": "powerbi",
    "TableauComponent": "tableau",
    "HightouchSyncComponent": "activation/hightouch",
    "CensusComponent": "activation/census",
}
EVERY = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slot("modern-data", slot, "fake")) for name, slot in SLOTS.items()]
)
BUSY = Answer({"message": "too many requests"}, 429, {"Retry-After": "0"})
REFUSED = Answer({"message": "the key was revoked"}, 401)


def made(at_vendor: Callable, name: str, /, **attributes: Any) -> tuple[Case, Any, StockProject]:
    case = CASES[name]
    fake = case.fake()
    project = at_vendor(fake, name, **case.attributes | case.patience | attributes)
    if name != "HightouchSyncComponent":
        project.refresh()
    return case, fake, project


@EVERY
def test_a_refresh_finds_what_is_there_and_a_run_waits_for_its_end_and_shows_no_secret(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name)

    specs = project.specs()
    found = {key: sorted(dep.asset_key.to_user_string() for dep in specs[key].deps) for key in case.found}
    ran = project.run(case.runs)

    assert found == case.found
    assert ran.success, ran.log
    assert case.says.items() <= ran.made[case.runs].items()
    assert sum(case.asks in asked for asked in fake.asked) > 1
    written = "".join(path.read_bytes().decode(errors="replace") for path in project.root.rglob("*") if path.is_file())
    for value in fake.secrets.values():
        assert value not in written + ran.log + str(ran.made)


@EVERY
def test_loading_needs_neither_network_nor_key_and_a_run_names_the_key(
    at_vendor: Callable, name: str, monkeypatch: pytest.MonkeyPatch
):
    case, fake, project = made(at_vendor, name)
    for secret in fake.secrets:
        monkeypatch.delenv(secret)
    monkeypatch.setattr(socket.socket, "connect", None)
    monkeypatch.setattr(socket, "getaddrinfo", None)

    specs = project.specs()

    assert specs.keys() >= case.found.keys()
    for key in case.found:
        assert (specs[key].owners, specs[key].tags["domain"]) == (["team:bi"], "sales")
        assert specs[key].description
        assert project.type.vendor in specs[key].kinds
    ran = project.run(case.runs)
    assert (ran.success, ran.made) == (False, {})
    assert f"{project.type.title} needs {', '.join(fake.secrets)}" in ran.log


@EVERY
def test_what_fails_there_fails_the_run_in_the_vendors_words(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name)
    fake.outcome = case.failed
    ran = project.run(case.runs)
    assert (ran.success, ran.made) == (False, {})
    assert case.failed in ran.log
    assert project.type.title in ran.log


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].cancelled])
def test_what_somebody_cancels_there_is_no_success_and_is_not_repeated(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name)
    fake.outcome = case.cancelled
    ran = project.run(case.runs)
    assert (ran.success, ran.made) == (False, {})
    assert f"as {case.cancelled}" in ran.log


@EVERY
def test_what_never_ends_is_given_up_and_the_limit_is_named(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name, max_runtime_minutes=0.001)
    fake.never_ends = True
    ran = project.run(case.runs)
    assert (ran.success, ran.made) == (False, {})
    assert "took longer than max_runtime_minutes (0.001)" in ran.log
    assert ("it was cancelled there" in ran.log) == case.cancels == bool(getattr(fake, "cancelled", False))


@EVERY
def test_a_key_that_is_revoked_half_way_is_named(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name)
    error = b"<error code='401002'><summary>Unauthorized</summary></error>"
    body = b"<tsResponse xmlns='http://tableau.com/api'>" + error + b"</tsResponse>"
    refused = Answer(body, 401) if name == "TableauComponent" else REFUSED
    fake.fail(case.asks, refused, times=None, after=1)
    ran = project.run(case.runs)
    assert (ran.success, ran.made) == (False, {})
    assert project.type.title in ran.log
    assert case.refused in ran.log


@EVERY
def test_busy_and_broken_answers_are_asked_again(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name)
    fake.fail(case.asks, BUSY, times=2)
    fake.fail(case.asks, Answer({"message": "internal error"}, case.down))
    ran = project.run(case.runs)
    assert ran.success, ran.log


@EVERY
def test_an_answer_in_another_shape_is_told_as_one(at_vendor: Callable, name: str):
    case, fake, project = made(at_vendor, name)
    fake.fail(case.asks, Answer({"surprise": True}), times=None)
    ran = project.run(case.runs)
    assert (ran.success, ran.made) == (False, {})
    assert f"{project.type.title} answered in a shape that is not understood" in ran.log
