"""Secrets of the environment, which needs nothing else."""

import subprocess
import sys

import pytest

from components.governance.policy_secrets import EnvironmentSecrets
from components.secrets import SecretMissingError, read_secret, read_secrets

STORE = EnvironmentSecrets()


def test_a_secret_is_the_variable_of_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_KEY", "sk-12345")

    assert read_secret(STORE, "API_KEY") == "sk-12345"


def test_a_changed_variable_is_seen_at_once(monkeypatch: pytest.MonkeyPatch):
    for value in ("first", "second"):
        monkeypatch.setenv("API_KEY", value)

        assert read_secret(STORE, "API_KEY") == value


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_or_empty_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("API_KEY", value)

    with pytest.raises(SecretMissingError, match="secret 'API_KEY': the environment variable API_KEY is not set"):
        read_secret(STORE, "API_KEY")


def test_all_missing_secrets_are_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERE", "value-of-there")

    with pytest.raises(SecretMissingError) as caught:
        read_secrets(STORE, ["ONE_MISSING", "THERE", "TWO_MISSING"])

    assert "ONE_MISSING" in str(caught.value)
    assert "TWO_MISSING" in str(caught.value)
    assert "value-of-there" not in str(caught.value)


def test_no_client_is_imported_for_the_environment():
    code = (
        "import os, sys; os.environ['A'] = 'x'\n"
        "from components.governance.policy_secrets import EnvironmentSecrets\n"
        "from components.secrets import read_secrets\n"
        "assert read_secrets(EnvironmentSecrets(), ['A']) == {'A': 'x'}\n"
        "print([name for name in ('hvac', 'boto3', 'botocore') if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
