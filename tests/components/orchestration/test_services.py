"""Alerts as Slack, Teams, PagerDuty and a mail server get them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from components.orchestration import AlertRoutesComponent
from components.orchestration.notify import NotSentError, send
from tests.components.orchestration.services import Mailbox, Services, running_mailbox, running_services
from tests.components.orchestration.shop import CHECKED, Sensor, Shop, run_all

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7Fq/?verify=no"
PAGERDUTY = "pagerduty://the-integration-key@the-api-key/?verify=no"
TEAMS = "workflows://prod-161.westeurope.logic.azure.com:443/abcd/efgh/?verify=no"


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running_services(tmp_path) as services:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, services.url)
        yield services


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as mailbox:
        yield mailbox


def alert(shop: Shop, instance: dg.DagsterInstance, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose check fails, and the sensor that tells it to an address."""
    monkeypatch.setenv("DATA_ALERTS_URL", url)
    shop.python(CHECKED)
    shop.write(AlertRoutesComponent, {})
    with shop.definitions() as defs:
        sensor = Sensor(defs, instance, "alert_routes_runs")
        sensor.tick()
        run_all(defs, instance)
        sensor.tick()


TITLE, CHECK = "Checks of assets run by hand failed: marts/orders", "failed check not_empty: the table has 0 rows"


@pytest.mark.slot("modern-data", "alerts/slack", "fake")
def test_slack_gets_an_attachment_at_its_webhook(
    shop: Shop, instance: dg.DagsterInstance, services: Services, monkeypatch: pytest.MonkeyPatch
):
    alert(shop, instance, SLACK, monkeypatch)

    (got,) = services.received
    assert got["host"] == "hooks.slack.com"
    assert got["path"] == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7Fq"
    (attachment,) = got["json"]["attachments"]
    assert attachment["title"] == TITLE
    assert CHECK in attachment["text"]


@pytest.mark.slot("modern-data", "alerts/teams", "fake")
def test_teams_gets_an_adaptive_card_at_its_workflow(
    shop: Shop, instance: dg.DagsterInstance, services: Services, monkeypatch: pytest.MonkeyPatch
):
    alert(shop, instance, TEAMS, monkeypatch)

    (got,) = services.received
    assert got["host"] == "prod-161.westeurope.logic.azure.com"
    assert got["path"].startswith("/workflows/abcd/triggers/manual/paths/invoke?")
    card = got["json"]["attachments"][0]["content"]
    title, text = (block["text"] for block in card["body"] if block["type"] == "TextBlock")
    assert card["type"] == "AdaptiveCard"
    assert title == TITLE
    assert CHECK in text


def test_pagerduty_gets_an_event_that_triggers(
    shop: Shop, instance: dg.DagsterInstance, services: Services, monkeypatch: pytest.MonkeyPatch
):
    alert(shop, instance, PAGERDUTY, monkeypatch)

    (got,) = services.received
    assert (got["host"], got["path"]) == ("events.pagerduty.com", "/v2/enqueue")
    assert got["json"]["event_action"] == "trigger"
    assert got["json"]["routing_key"] == "the-integration-key"
    assert got["json"]["payload"]["severity"] == "critical"
    assert TITLE in got["json"]["payload"]["summary"]


@pytest.mark.slot("modern-data", "alerts/email", "fake")
def test_a_mail_server_gets_a_message(
    shop: Shop, instance: dg.DagsterInstance, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
):
    address = (
        f"mailto://127.0.0.1:{mailbox.server_address[1]}?from=dagster@example.com&to=data@example.com&mode=insecure"
    )
    alert(shop, instance, address, monkeypatch)

    (mail,) = mailbox.messages
    assert mail["Subject"] == TITLE
    assert mail["To"] == "data@example.com"
    assert "dagster@example.com" in mail["From"]
    assert CHECK in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("url", [SLACK, TEAMS, PAGERDUTY])
@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_service_that_refuses_is_told_with_its_status(
    status: int, url: str, services: Services, monkeypatch: pytest.MonkeyPatch
):
    services.status = status
    monkeypatch.setenv("ALERTS", url)

    with pytest.raises(NotSentError, match=f"the service behind ALERTS answered with status {status}"):
        send("ALERTS", "title", "body")


@pytest.mark.parametrize(("kind", "severity"), [("failure", "critical"), ("warning", "warning"), ("success", "info")])
def test_the_kind_of_a_message_reaches_the_service(
    kind: Any, severity: str, services: Services, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ALERTS", PAGERDUTY)

    send("ALERTS", "title", "body", kind)

    assert services.received[0]["json"]["payload"]["severity"] == severity
