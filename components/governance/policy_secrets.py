"""Where policy.yaml lets secrets be read from; it names stores, never a secret."""

from typing import Annotated, Literal

from pydantic import Field

from .policy_parts import Part, Variable


class EnvironmentSecrets(Part):
    """A secret is the environment variable of its name."""

    store: Literal["environment"] = Field(default="environment", description="Environment variables.")


class VaultSecrets(Part):
    """A secret is a key of HashiCorp Vault's KV version 2 engine."""

    store: Literal["vault"] = Field(description="HashiCorp Vault.")
    address_env: Variable = Field(default="VAULT_ADDR", description="Variable with Vault's address.")
    token_env: Variable = Field(default="VAULT_TOKEN", description="Variable with the token.")
    mount: str = Field(default="secret", min_length=1, description="Mount point of the engine.")
    path: str = Field(min_length=1, description="Path that holds the secrets as keys.")


class AwsSecrets(Part):
    """A secret is one of AWS Secrets Manager; credentials come from the SDK's own chain."""

    store: Literal["aws_secrets_manager"] = Field(description="AWS Secrets Manager.")
    prefix: str = Field(default="", description="What the secrets' names start with.")
    region: str | None = Field(default=None, description="Region; the SDK's own when left out.")


SecretStore = Annotated[EnvironmentSecrets | VaultSecrets | AwsSecrets, Field(discriminator="store")]
