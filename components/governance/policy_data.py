"""What policy.yaml says about kinds of data: how they are handled, where they may go, and which rules apply to them."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from .policy_parts import Part

Pack = Literal["gdpr", "hipaa", "pci", "soc2"]


class Classification(Part):
    """How data of one kind is handled: the value of the tag ``classification``."""

    description: str = Field(default="", description="Which data belongs here.")
    destinations: list[str] | None = Field(
        default=None,
        description="Patterns of the places that it may go to, such as duckdb or s3://lake/*; anywhere when left out.",
    )
    tags: dict[str, str] = Field(default_factory=dict, description="Tags that its assets get.")
    metadata: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Metadata that its assets get, such as retention_days or purpose."
    )
    compliance: list[Pack] = Field(default_factory=list, description="Compliance packs whose rules hold for it.")


class Destination(Part):
    """What is known about a place that data goes to."""

    description: str = Field(default="", description="What it is.")
    encrypted: bool = Field(default=False, description="Whether it encrypts data at rest and on the way.")
    private_endpoint: bool = Field(default=False, description="Whether it cannot be reached from the internet.")
    region: str | None = Field(default=None, description="Where it keeps the data, such as eu-central-1.")


class Audit(Part):
    """The trail of what made which data: metadata of each materialisation, and a file where one is named."""

    enabled: bool = Field(default=True, description="Whether materialisations say who, what config and which policy.")
    file: str | None = Field(
        default=None,
        min_length=1,
        description="File below the project's root that one line of JSON is added to for each materialisation.",
    )


def _shape(value: Any) -> str:
    return "names" if isinstance(value, list | tuple) else "groups"


Classifications = Annotated[
    Annotated[list[str], Tag("names")] | Annotated[dict[str, Classification], Tag("groups")], Discriminator(_shape)
]
