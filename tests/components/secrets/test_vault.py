"""Secrets of HashiCorp Vault, read by the real client."""

import builtins
from pathlib import Path
from typing import Any

import pytest

from components.governance.policy_secrets import VaultSecrets
from components.secrets import SecretError, SecretMissingError, SecretStoreError, read_secret, read_secrets, reading
from components.secrets import vault as vault_module
from tests.components.secrets.vault_server import VaultServer

STORE = VaultSecrets(store="vault", path="data/team")


def told(store: VaultSecrets = STORE, name: str = "API_KEY", kind: type[SecretError] = SecretError) -> str:
    """What reading a secret says when it fails; never more than it may say."""
    with pytest.raises(kind) as caught:
        read_secret(store, name)
    assert type(caught.value).__mro__.index(kind) <= 1
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "hvs." not in str(caught.value)
    assert "sk-" not in str(caught.value)
    return str(caught.value)


def test_a_secret_is_a_key_of_the_path(vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-old")
    vault.put("secret/data/team", API_KEY="sk-new", OTHER="x")

    assert read_secret(STORE, "API_KEY") == "sk-new"
    assert vault.requests[0]["path"] == "/v1/secret/data/data/team"
    assert vault.requests[0]["X-Vault-Token"] == "hvs.first-token"


def test_all_keys_of_the_path_cost_one_request(vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-1", OTHER="two")

    assert read_secrets(STORE, ["API_KEY", "OTHER"]) == {"API_KEY": "sk-1", "OTHER": "two"}
    assert len(vault.requests) == 1


def test_mount_variables_and_namespace_are_used(vault: VaultServer, monkeypatch: pytest.MonkeyPatch):
    vault.put("kv/team", API_KEY="sk-1")
    monkeypatch.setenv("OUR_VAULT", vault.url)
    monkeypatch.setenv("OUR_TOKEN", "hvs.first-token")
    monkeypatch.setenv("VAULT_NAMESPACE", "science")
    monkeypatch.delenv("VAULT_ADDR")
    monkeypatch.delenv("VAULT_TOKEN")
    store = VaultSecrets(store="vault", address_env="OUR_VAULT", token_env="OUR_TOKEN", mount="kv", path="team")

    assert read_secret(store, "API_KEY") == "sk-1"
    assert vault.requests[0]["X-Vault-Namespace"] == "science"


def test_a_value_is_kept_for_a_minute_and_then_read_again(vault: VaultServer, monkeypatch: pytest.MonkeyPatch):
    vault.put("secret/data/team", API_KEY="sk-old")
    assert read_secret(STORE, "API_KEY") == "sk-old"
    vault.put("secret/data/team", API_KEY="sk-new")

    assert read_secret(STORE, "API_KEY") == "sk-old"
    later = reading.time.monotonic() + reading.CACHE_SECONDS + 1
    monkeypatch.setattr(reading.time, "monotonic", lambda: later)
    assert read_secret(STORE, "API_KEY") == "sk-new"


def test_a_caller_whose_value_was_refused_gets_the_new_one(vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-old")
    read_secret(STORE, "API_KEY")
    vault.put("secret/data/team", API_KEY="sk-new")

    assert read_secret(STORE, "API_KEY", fresh=True) == "sk-new"
    assert read_secret(STORE, "API_KEY") == "sk-new"


def test_a_token_that_was_renewed_in_its_file_is_read_again(
    vault: VaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file = tmp_path / "token"
    file.write_text("hvs.first-token\n")
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(file))
    vault.put("secret/data/team", API_KEY="sk-1")
    read_secret(STORE, "API_KEY")

    vault.tokens = {"hvs.second-token"}
    file.write_text("hvs.second-token\n")

    assert read_secret(STORE, "API_KEY", fresh=True) == "sk-1"
    assert [request["X-Vault-Token"] for request in vault.requests] == [
        "hvs.first-token",
        "hvs.first-token",
        "hvs.second-token",
    ]


def test_a_refused_token_is_named_after_one_more_try(vault: VaultServer):
    vault.tokens = set()

    message = told(kind=SecretMissingError)

    assert "secret 'API_KEY' of HashiCorp Vault (secret/data/team) is refused (403)" in message
    assert "renew the token in VAULT_TOKEN, or let its policy read secret/data/data/team" in message
    assert len(vault.requests) == 2


def test_a_path_that_is_not_there_is_named_with_what_to_do(vault: VaultServer):
    message = told(kind=SecretMissingError)

    assert "(secret/data/team): the path does not exist in a KV version 2 engine" in message
    assert "vault kv patch -mount=secret data/team API_KEY=…" in message


def test_a_deleted_version_is_told_apart(vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-1")
    vault.delete("secret/data/team")

    assert "the path was deleted" in told(kind=SecretMissingError)


def test_a_key_that_is_not_there_is_named_without_the_others_values(vault: VaultServer):
    vault.put("secret/data/team", OTHER="sk-other")

    assert "'API_KEY' of HashiCorp Vault (secret/data/team) has no such key" in told(kind=SecretMissingError)


@pytest.mark.parametrize("value", [5, None, {"user": "sk-1"}, ""])
def test_a_value_that_is_no_text_is_refused(value: Any, vault: VaultServer):
    vault.put("secret/data/team", API_KEY=value)

    assert "is not text, or empty" in told(kind=SecretMissingError)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_fault_that_passes_is_not_noticed(status: int, vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-1")
    vault.faults = [(status, {"Retry-After": "0"}), (status, {})]

    assert read_secret(STORE, "API_KEY") == "sk-1"
    assert len(vault.requests) == 3


def test_retry_after_is_waited_for(vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-1")
    vault.faults = [(429, {"Retry-After": "1"})]
    started = reading.time.monotonic()

    assert read_secret(STORE, "API_KEY") == "sk-1"
    assert reading.time.monotonic() - started >= 1


def test_a_sealed_vault_is_told_after_every_try(vault: VaultServer):
    vault.sealed = True

    assert "it is sealed or in maintenance; tried 4 times" in told(kind=SecretStoreError)
    assert len(vault.requests) == 4


def test_a_vault_that_limits_the_rate_for_good_is_told(vault: VaultServer):
    vault.faults = [(429, {"Retry-After": "0"})] * 4

    assert "it limits the rate of requests" in told(kind=SecretStoreError)


@pytest.mark.parametrize("body", ["<html>a login page</html>", "[]", '{"data": {"API_KEY": "sk-1"}}', '{"data": null}'])
def test_an_answer_of_something_else_is_told(body: str, vault: VaultServer):
    vault.faults = [body]

    assert "the answer is not that of a KV version 2 engine" in told(kind=SecretStoreError)


def test_a_vault_that_does_not_answer_in_time_is_told(vault: VaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vault_module, "TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(vault_module, "TRIES", 1)
    vault.faults = [(200, {"X-Sleep": "0.5"})]

    assert "no answer (ReadTimeoutError); check VAULT_ADDR" in told(kind=SecretStoreError)


def test_a_vault_that_is_not_there_is_told_without_its_address(vault: VaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    message = told(kind=SecretStoreError)

    assert "no answer (NewConnectionError); check VAULT_ADDR" in message
    assert "127.0.0.1" not in message


def test_a_fault_forgets_nothing_that_is_still_young(vault: VaultServer):
    vault.put("secret/data/team", API_KEY="sk-1")
    read_secret(STORE, "API_KEY")
    vault.sealed = True

    assert read_secret(STORE, "API_KEY") == "sk-1"


@pytest.mark.parametrize("variable", ["VAULT_ADDR", "VAULT_TOKEN"])
def test_a_missing_variable_is_named(variable: str, vault: VaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(variable)

    assert f"{variable} is not set" in told(kind=SecretMissingError)


def test_a_token_file_that_cannot_be_read_is_told(vault: VaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(tmp_path / "none"))

    assert "the file in VAULT_TOKEN_FILE cannot be read (FileNotFoundError)" in told(kind=SecretMissingError)


@pytest.mark.parametrize(("store", "package"), [(STORE, "hvac"), (None, "boto3")], ids=["vault", "aws"])
def test_a_missing_package_is_named(store: Any, package: str, vault: VaultServer, monkeypatch: pytest.MonkeyPatch):
    from components.governance.policy_secrets import AwsSecrets

    real = builtins.__import__

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", importing)

    assert f"need the package {package}" in told(store or AwsSecrets(store="aws_secrets_manager"))
