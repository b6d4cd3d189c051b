"""What can go wrong when a secret is read; no message ever holds a value or a token."""


class SecretError(Exception):
    """A secret could not be read; names the store, the secret and what to do."""


class SecretMissingError(SecretError):
    """The store has no such secret, or does not give it to us: trying again does not help."""


class SecretStoreError(SecretError):
    """The store did not answer as it should, also after several tries: it may later."""


class AccessExpiredError(SecretMissingError):
    """The store refused our own token or credentials, which may have been renewed meanwhile."""
