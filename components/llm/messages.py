"""What goes to a model and what comes back, whoever the provider is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Stop = Literal["end", "truncated", "refusal"]


@dataclass(frozen=True)
class Completion:
    """One request.

    Args:
        id: The caller's own name of it, which its reply carries.
        prompt: What is asked.
        system: Instructions that stand above it.
        schema: JSON schema that the answer has to fit; None asks for plain text.
        max_output_tokens: Most tokens of the answer.
    """

    id: str
    prompt: str
    system: str = ""
    schema: Mapping[str, Any] | None = None
    max_output_tokens: int = 1024


@dataclass(frozen=True)
class Answered:
    """What a provider sent for one call, before anybody looked at it.

    Args:
        text: The answer.
        stop: Why it ended.
        input_tokens: Tokens that are billed as input.
        output_tokens: Tokens that are billed as output.
    """

    text: str
    stop: Stop
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Embedded:
    """Embeddings as a provider sent them, in the order of the texts."""

    vectors: Any
    input_tokens: int


@dataclass
class Usage:
    """What calls have cost.

    Args:
        calls: Calls that a provider answered.
        cached: Texts or requests that were answered before and not asked again.
        input_tokens: Tokens billed as input.
        output_tokens: Tokens billed as output.
        usd: US dollars, each call at its own price.
    """

    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0

    def add(self, other: "Usage") -> None:
        """Count another's calls too."""
        self.calls += other.calls
        self.cached += other.cached
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.usd += other.usd


@dataclass(frozen=True)
class Reply:
    """What came of a Completion.

    Args:
        id: That of the Completion.
        text: The answer as text.
        data: The answer as the schema wants it; None without a schema, and where there is a fault.
        fault: Why there is no usable answer, in words; None where there is one.
        usage: What it cost now: nothing where it was answered before.
        retry: Whether the provider failed, so that asking again may help; any other fault stays.
    """

    id: str
    text: str
    data: Any | None = None
    fault: str | None = None
    usage: Usage = field(default_factory=Usage)
    retry: bool = False
