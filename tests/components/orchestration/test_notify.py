"""Messages through Apprise."""

import logging

import pytest

from components.orchestration.notify import AddressMissingError, NotSentError, send


def test_text_that_is_no_apprise_url_is_refused_and_never_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("ALERTS", "nonsense://secret-token")

    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError, match="what ALERTS holds is no Apprise URL"):
        send("ALERTS", "title", "body")

    assert "secret-token" not in caplog.text


def test_a_service_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setenv("ALERTS", "json://127.0.0.1:1/secret-token")

    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError, match="the service behind ALERTS did not answer"):
        send("ALERTS", "title", "body")

    assert "secret-token" not in caplog.text


def test_an_empty_address_counts_as_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALERTS", " ")

    with pytest.raises(AddressMissingError, match="ALERTS is not set"):
        send("ALERTS", "title", "body")
