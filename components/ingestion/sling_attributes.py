"""What the YAML of a Sling replication says about its connections."""

import os
from typing import Annotated

import dagster as dg
from pydantic import Field

from ..base import StrictModel
from .attributes import SecretName

Variable = Annotated[str, dg.Resolver.default(json_schema_extra={"pattern": r"^[A-Za-z_][A-Za-z0-9_]*$"})]
Option = str | int | bool


class SlingConnection(StrictModel):
    """A connection of Sling, whose properties are read when an asset runs."""

    type: Annotated[
        str,
        dg.Resolver.default(
            description="Sling's name of the kind of connection.",
            examples=["postgres", "mysql", "s3", "file"],
            json_schema_extra={"pattern": "^[a-z0-9_]+$"},
        ),
    ]
    variables: Annotated[
        dict[str, Variable],
        dg.Resolver.default(
            description="Properties by the environment variables that hold them.",
            examples=[{"host": "SHOP_DB_HOST", "user": "SHOP_DB_USER"}],
        ),
    ] = Field(default_factory=dict)
    secrets: Annotated[
        dict[str, SecretName],
        dg.Resolver.default(
            description="Properties by the names of the secrets that hold them.",
            examples=[{"password": "SHOP_DB_PASSWORD"}],
        ),
    ] = Field(default_factory=dict)
    options: Annotated[
        dict[str, Option],
        dg.Resolver.default(description="Properties that are no secret.", examples=[{"sslmode": "require"}]),
    ] = Field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """The environment variables that are not set."""
        return [name for name in self.variables.values() if not os.environ.get(name)]
