"""Which model is called, and within which limits, as components have it in YAML."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field, model_validator

from ..base import StrictModel

ProviderName = Literal["local", "openai", "anthropic", "gemini", "bedrock", "openai_compatible"]
RedactKind = Literal["email", "phone", "card", "iban", "ssn", "ip"]
KEY_NAMES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
ALL_KINDS: list[RedactKind] = ["email", "phone", "card", "iban", "ssn", "ip"]
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_POSITIVE = {"exclusiveMinimum": 0}


class Price(StrictModel):
    """A price of your own, for a model that the price table does not know."""

    input_usd_per_million: Annotated[
        float,
        dg.Resolver.default(description="US dollars for a million input tokens.", json_schema_extra={"minimum": 0}),
    ]
    output_usd_per_million: Annotated[
        float,
        dg.Resolver.default(description="US dollars for a million output tokens.", json_schema_extra={"minimum": 0}),
    ] = 0.0


class ProviderSettings(StrictModel):
    """A model of a provider, and the limits that every asset that calls it shares."""

    provider: Annotated[
        ProviderName,
        dg.Resolver.default(description="Who answers; local needs no account. Ollama, vLLM, Azure: openai_compatible."),
    ] = "local"
    name: Annotated[
        str,
        dg.Resolver.default(
            description="The provider's name of the model. Of local: lexical or minilm to embed, rules to complete.",
            examples=["gpt-5-mini", "claude-sonnet-4-5", "lexical"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = "lexical"
    base_url: Annotated[
        str | None,
        dg.Resolver.default(
            description="Address of the API, where it is not the provider's own.",
            examples=["http://localhost:11434/v1"],
            json_schema_extra={"pattern": "^https?://"},
        ),
    ] = None
    api_key: Annotated[
        str | None,
        dg.Resolver.default(
            description="Name of the secret with the key; OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY by "
            "default. Bedrock uses AWS's own credentials.",
            examples=["OPENAI_API_KEY"],
            json_schema_extra={"pattern": r"^\S+$"},
        ),
    ] = None
    region: Annotated[str | None, dg.Resolver.default(description="AWS region of Bedrock; AWS_REGION by default.")] = (
        None
    )
    requests_per_minute: Annotated[
        int | None,
        dg.Resolver.default(
            description="The account's limit; nine tenths of it are used, by all assets and processes together.",
            json_schema_extra=_POSITIVE,
        ),
    ] = None
    tokens_per_minute: Annotated[
        int | None,
        dg.Resolver.default(
            description="The account's limit of input and output tokens, shared alike.", json_schema_extra=_POSITIVE
        ),
    ] = None
    dimensions: Annotated[
        int | None,
        dg.Resolver.default(
            description="Length of an embedding, where the model lets you choose.", json_schema_extra=_POSITIVE
        ),
    ] = None
    batch_size: Annotated[
        int, dg.Resolver.default(description="Most texts in one call to embed.", json_schema_extra=_POSITIVE)
    ] = 128
    concurrency: Annotated[
        int, dg.Resolver.default(description="Calls at a time.", json_schema_extra={"minimum": 1, "maximum": 64})
    ] = 8
    timeout_seconds: Annotated[
        float, dg.Resolver.default(description="Seconds that one call may take.", json_schema_extra=_POSITIVE)
    ] = 120.0
    tries: Annotated[
        int,
        dg.Resolver.default(
            description="Attempts at a call that the provider fails; waiting for its limit is none.",
            json_schema_extra={"minimum": 1, "maximum": 20},
        ),
    ] = 5
    price: Annotated[
        Price | None, dg.Resolver.default(description="For a model that the price table does not know.")
    ] = None
    max_cost_usd: Annotated[
        float | None,
        dg.Resolver.default(
            description="Most US dollars that one run of the asset may spend; refused before the call that would.",
            json_schema_extra=_POSITIVE,
        ),
    ] = None
    redact: Annotated[
        list[RedactKind] | None,
        dg.Resolver.default(
            description="Personal data that is replaced before a text leaves this machine. Left out: all kinds, for "
            "every provider that is elsewhere. [] sends texts as they are."
        ),
    ] = None
    restore_redacted: Annotated[
        bool, dg.Resolver.default(description="Put what was redacted back into the answers, on this machine.")
    ] = False
    needs: Annotated[
        list[str],
        dg.Resolver.default(
            description="Secrets or variables without which a local model stands in, in target local only, and says "
            "so; in production they are demanded. Left out: nothing stands in.",
            examples=[["OPENAI_API_KEY"]],
        ),
    ] = Field(default_factory=list)
    trace: Annotated[
        bool, dg.Resolver.default(description="Log a trace of every call to MLflow; its texts as they were sent.")
    ] = False

    @model_validator(mode="after")
    def _fits_together(self) -> "ProviderSettings":
        if self.provider == "openai_compatible" and not self.base_url and not self.needs:
            raise ValueError("base_url is missing; expected the address of the OpenAI-compatible API, ending in /v1")
        if self.provider == "local" and self.name not in ("lexical", "minilm", "rules"):
            raise ValueError(f"name: {self.name!r} is not a local model; expected lexical, minilm or rules")
        return self

    @property
    def secret(self) -> str | None:
        """Name of the secret with the key, or None where none is needed."""
        return self.api_key or KEY_NAMES.get(self.provider)

    @property
    def stays_here(self) -> bool:
        """Whether texts never leave this machine."""
        if self.provider == "local":
            return True
        return bool(self.base_url) and (urlsplit(self.base_url or "").hostname or "") in _LOOPBACK

    @property
    def redacted_kinds(self) -> list[RedactKind]:
        """The kinds of personal data that are replaced."""
        if self.redact is None:
            return [] if self.stays_here else ALL_KINDS
        return list(self.redact)

    @property
    def account(self) -> str:
        """What shares one limit: provider, address, key and model."""
        return "|".join([self.provider, self.base_url or "", self.secret or "", self.region or "", self.name])

    @property
    def title(self) -> str:
        """Provider and model, for people."""
        return f"{self.provider} {self.name}"


def local_rules() -> ProviderSettings:
    """The default for completions: rules on this machine, which are no language model."""
    return ProviderSettings(provider="local", name="rules")
