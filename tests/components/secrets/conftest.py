"""Stores that every test finds empty."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from components.secrets import reading
from tests.components.secrets.vault_server import VaultServer, running_vault


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_stores", {})


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultServer]:
    """A Vault that the environment points to, with a token that may read."""
    for name in ("VAULT_TOKEN_FILE", "VAULT_NAMESPACE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running_vault("hvs.first-token") as server:
        monkeypatch.setenv("VAULT_ADDR", server.url)
        monkeypatch.setenv("VAULT_TOKEN", "hvs.first-token")
        yield server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """AWS Secrets Manager as moto plays it to the real SDK; a client to write with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-central-1")
