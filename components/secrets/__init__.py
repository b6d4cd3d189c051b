"""Secrets: read by name from the store of policy.yaml when they are first needed, and kept out of every text."""

from .errors import SecretError, SecretMissingError, SecretStoreError
from .reading import read_secret, read_secrets
from .redaction import redacted

__all__ = ["SecretError", "SecretMissingError", "SecretStoreError", "read_secret", "read_secrets", "redacted"]
