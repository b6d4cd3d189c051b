"""What the YAML of a catalog says about its schemas, tables and volumes."""

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field

from ...attributes import Description
from ...base import StrictModel
from ...formats import TAG_VALUE
from ..attributes import NAME_PATTERN

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Classified = Annotated[
    Annotated[str, TAG_VALUE] | None,
    dg.Resolver.default(
        description="Classification of policy.yaml, which decides tags and grants; that of the schema when left out.",
        examples=["internal"],
    ),
]
Location = Annotated[
    str | None,
    dg.Resolver.default(
        description="Where the files are, of what is external.",
        examples=["s3://lake/orders"],
        json_schema_extra={"pattern": r"^[a-z0-9]+://\S+$"},
    ),
]


class CatalogTable(StrictModel):
    """A table."""

    description: Description = ""
    made_by: Annotated[
        Literal["here", "elsewhere", "project"],
        dg.Resolver.default(
            description="here: created or registered by this component. elsewhere: observed. project: another "
            "component of the project makes it; it is checked and granted only."
        ),
    ] = "elsewhere"
    columns: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="Types by column: of a table that is created here, and what others are held against.",
            examples=[{"id": "BIGINT", "carrier": "STRING"}],
        ),
    ] = Field(default_factory=dict)
    location: Location = None
    classification: Classified = None
    fresh_within_hours: Annotated[
        float | None,
        dg.Resolver.default(
            description="Hours after which a table that nobody has written is late.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = None


class CatalogVolume(StrictModel):
    """A volume, which is created where it is missing."""

    description: Description = ""
    location: Location = None
    classification: Classified = None


class CatalogSchema(StrictModel):
    """A schema, which is created where it is missing."""

    description: Description = ""
    classification: Classified = None
    tables: Annotated[dict[str, CatalogTable], dg.Resolver.default(description="Tables by name.")] = Field(
        default_factory=dict
    )
    volumes: Annotated[dict[str, CatalogVolume], dg.Resolver.default(description="Volumes by name.")] = Field(
        default_factory=dict
    )
