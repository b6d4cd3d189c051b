"""Attributes that the stock components share."""

from typing import Annotated

import dagster as dg

SECRET_NAME = r"^[A-Za-z][A-Za-z0-9_/.-]{0,126}$"  # noqa: S105 the shape of a name, not a secret

Secret = Annotated[
    str,
    dg.Resolver.default(
        description="Name of the secret, in the store that policy.yaml names; never its value.",
        json_schema_extra={"pattern": SECRET_NAME},
    ),
]
Url = Annotated[
    str,
    dg.Resolver.default(
        description="Address of the service.",
        examples=["https://example.com"],
        json_schema_extra={"pattern": r"^https?://[^\s/]+"},
    ),
]
PollSeconds = Annotated[
    float,
    dg.Resolver.default(
        description="Seconds between two questions whether it is done.", json_schema_extra={"exclusiveMinimum": 0}
    ),
]
MaxMinutes = Annotated[
    float,
    dg.Resolver.default(
        description="Minutes after which the run stops waiting and fails.", json_schema_extra={"exclusiveMinimum": 0}
    ),
]
Sample = Annotated[
    str | None,
    dg.Resolver.default(
        description="Folder beside this file with what stands in, in target local only, until the service's key is "
        "set: state.json with what the service holds, and rows as SCHEMA/TABLE.csv.",
        examples=["sample"],
        json_schema_extra={"pattern": r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$"},
    ),
]
