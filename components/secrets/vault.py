"""Secrets of HashiCorp Vault's KV version 2 engine, through hvac."""

import os
from pathlib import Path
from typing import Any

from ..governance.policy_secrets import VaultSecrets
from .errors import AccessExpiredError, SecretError, SecretMissingError, SecretStoreError

TIMEOUT_SECONDS = 10
TRIES = 4
LONGEST_WAIT_SECONDS = 30


class VaultReader:
    """A connection to Vault with the token that was valid when it was made.

    Args:
        store: Where Vault is, and the path that holds the secrets as keys.

    Raises:
        SecretMissingError: hvac is not installed, or the environment has no address or no token.
    """

    def __init__(self, store: VaultSecrets) -> None:
        self.path = f"{store.mount}/{store.path}"
        self.store = store
        try:
            import hvac
        except ImportError:
            raise SecretMissingError(
                "secrets of HashiCorp Vault need the package hvac; add it to the project"
            ) from None
        address = os.environ.get(store.address_env, "").strip()
        if not address:
            raise SecretMissingError(f"secrets of HashiCorp Vault: {store.address_env} is not set; expected its URL")
        self.client = hvac.Client(
            url=address,
            token=_token(store.token_env),
            timeout=TIMEOUT_SECONDS,
            namespace=os.environ.get("VAULT_NAMESPACE") or None,
        )
        for scheme in ("http://", "https://"):
            self.client.session.mount(scheme, _patient_adapter())

    def read(self, name: str) -> dict[str, str]:
        """Every secret of the path that is text.

        Raises:
            SecretMissingError: the path, or the name in it, is not there, or is no text.
            AccessExpiredError: Vault refuses the token.
            SecretStoreError: Vault does not answer, or answers with something else.
        """
        data = self._data(name)
        if name not in data:
            raise SecretMissingError(f"{self._named(name)} has no such key; add it with: {self._put(name)}")
        if not isinstance(data[name], str) or not data[name]:
            raise SecretMissingError(f"{self._named(name)} is not text, or empty; write it as text: {self._put(name)}")
        return {key: value for key, value in data.items() if isinstance(value, str) and value}

    def _data(self, name: str) -> dict[str, Any]:
        import hvac.exceptions as vault
        import requests

        told: SecretError | None = None
        try:
            answer = self.client.secrets.kv.v2.read_secret_version(
                self.store.path, mount_point=self.store.mount, raise_on_deleted_version=True
            )
        except vault.Forbidden:
            told = AccessExpiredError(
                f"{self._named(name)} is refused (403); renew the token in {self.store.token_env}, "
                f"or let its policy read {self.store.mount}/data/{self.store.path}"
            )
        except vault.InvalidPath as error:
            why = "was deleted" if _is_deleted(error.json) else "does not exist in a KV version 2 engine"
            told = SecretMissingError(f"{self._named(name)}: the path {why}; write it with: {self._put(name)}")
        except vault.VaultError as error:
            words = {
                "RateLimitExceeded": "it limits the rate of requests",
                "VaultDown": "it is sealed or in maintenance",
            }
            why = words.get(type(error).__name__, f"it failed ({type(error).__name__})")
            told = SecretStoreError(f"{self._named(name)} could not be read: {why}; tried {TRIES} times")
        except requests.RequestException as error:
            reason = type(getattr(error.args[0], "reason", error) if error.args else error).__name__
            told = SecretStoreError(f"{self._named(name)}: no answer ({reason}); check {self.store.address_env}")
        if told:  # raised here, so that no error of the client, which quotes the address, is its context
            raise told
        try:
            return dict(answer["data"]["data"])
        except (KeyError, TypeError, ValueError):
            message = f"{self._named(name)}: the answer is not that of a KV version 2 engine; check mount and address"
            raise SecretStoreError(message) from None

    def _named(self, name: str) -> str:
        return f"secret {name!r} of HashiCorp Vault ({self.path})"

    def _put(self, name: str) -> str:
        return f"vault kv patch -mount={self.store.mount} {self.store.path} {name}=…"


def _token(variable: str) -> str:
    """The token of a variable, or of the file that the variable's name with _FILE added points to."""
    token = os.environ.get(variable, "").strip()
    file = os.environ.get(f"{variable}_FILE", "").strip()
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissingError(
                f"secrets of HashiCorp Vault: the file in {variable}_FILE cannot be read ({type(error).__name__})"
            ) from None
    if not token:
        raise SecretMissingError(
            f"secrets of HashiCorp Vault: {variable} is not set; "
            f"expected a token there, or in {variable}_FILE the file that holds one"
        )
    return token


def _patient_adapter() -> Any:
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    return HTTPAdapter(
        max_retries=Retry(
            total=TRIES - 1,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods={"GET"},
            backoff_factor=0.25,
            backoff_jitter=0.1,
            retry_after_max=LONGEST_WAIT_SECONDS,
            raise_on_status=False,  # the last answer says what is wrong
        )
    )


def _is_deleted(answer: Any) -> bool:
    try:
        metadata = answer["data"]["metadata"]
        return bool(metadata["deletion_time"]) or bool(metadata["destroyed"])
    except (KeyError, TypeError):
        return False
