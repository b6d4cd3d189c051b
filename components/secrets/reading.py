"""Reading secrets by name from whichever store the policy names, with a cache that forgets soon."""

import os
import threading
import time
from collections.abc import Iterable
from typing import Protocol

from ..governance.policy_secrets import AwsSecrets, EnvironmentSecrets, SecretStore, VaultSecrets
from .errors import AccessExpiredError, SecretMissingError

CACHE_SECONDS = 60.0


class _Reader(Protocol):
    """A connection to one store."""

    def read(self, name: str) -> dict[str, str]:
        """Secrets by name, among them the one asked for; others that the same answer held may be there too."""


class _Cached:
    """One store's connection and what it told in the last minute, in this process only."""

    def __init__(self, store: VaultSecrets | AwsSecrets) -> None:
        self.store = store
        self.lock = threading.Lock()
        self.reader: _Reader | None = None
        self.known: dict[str, tuple[float, str]] = {}

    def get(self, name: str, fresh: bool) -> str:
        with self.lock:
            told = self.known.get(name)
            if told is None or fresh or time.monotonic() - told[0] > CACHE_SECONDS:
                self.known.pop(name, None)
                found = self._read(name)
                now = time.monotonic()
                self.known |= {key: (now, value) for key, value in found.items()}
            return self.known[name][1]

    def _read(self, name: str) -> dict[str, str]:
        refused: AccessExpiredError | None = None
        for _ in range(2):  # our own token may have been renewed since the connection was made
            self.reader = self.reader or _connected(self.store)
            try:
                return self.reader.read(name)
            except AccessExpiredError as error:
                self.reader, refused = None, error
        raise refused or AssertionError


_stores: dict[SecretStore, _Cached] = {}
_stores_lock = threading.Lock()


def read_secret(store: SecretStore, name: str, *, fresh: bool = False) -> str:
    """One secret.

    Args:
        store: ``policy.secrets``.
        name: Name of the secret in that store.
        fresh: Ask the store even if it told the value less than a minute ago; for a service that refused the value.

    Raises:
        SecretMissingError: there is no such secret, or we may not read it.
        SecretStoreError: the store does not answer.
    """
    if isinstance(store, EnvironmentSecrets):
        value = os.environ.get(name, "")
        if not value:
            raise SecretMissingError(f"secret {name!r}: the environment variable {name} is not set; set it")
        return value
    with _stores_lock:
        cached = _stores.setdefault(store, _Cached(store))
    return cached.get(name, fresh)


def read_secrets(store: SecretStore, names: Iterable[str]) -> dict[str, str]:
    """Several secrets by name.

    Raises:
        SecretMissingError: some are missing, or we may not read them; the message names them all.
        SecretStoreError: the store does not answer.
    """
    found, missing = {}, []
    for name in names:
        try:
            found[name] = read_secret(store, name)
        except SecretMissingError as error:
            missing.append(str(error))
    if missing:
        raise SecretMissingError("\n".join(missing))
    return found


def _connected(store: VaultSecrets | AwsSecrets) -> _Reader:
    if isinstance(store, VaultSecrets):
        from .vault import VaultReader

        return VaultReader(store)
    from .aws import AwsReader

    return AwsReader(store)
