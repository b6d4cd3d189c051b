"""Attributes that components share, so that they read the same everywhere."""

from typing import Annotated

import dagster as dg

from .formats import ASSET_KEY, OWNER, TAG_VALUE

AssetKeyText = Annotated[
    str,
    dg.Resolver.default(
        description="Asset key: schema/table or group/name.",
        examples=["marts/customers"],
        json_schema_extra={"pattern": "^[^/]+(/[^/]+)*$"},
    ),
]
AssetKeys = Annotated[
    list[Annotated[str, ASSET_KEY]],
    dg.Resolver.default(description="Asset keys of what is read.", examples=[["raw/orders"]]),
]
SqlFile = Annotated[
    str | None,
    dg.Resolver.default(
        description="File with the query, beside this one; instead of sql.",
        examples=["query.sql"],
        json_schema_extra={"pattern": r"\S"},
    ),
]
Description = Annotated[str, dg.Resolver.default(description="What the asset is, and what it is for.")]
Owners = Annotated[
    list[Annotated[str, OWNER]],
    dg.Resolver.default(description="E-mail addresses, or teams as team:name.", examples=[["team:data"]]),
]
Group = Annotated[
    str | None,
    dg.Resolver.default(
        description="Asset group.",
        examples=["marts"],
        json_schema_extra={"pattern": "^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$"},
    ),
]
Tags = Annotated[
    dict[str, Annotated[str, TAG_VALUE]],
    dg.Resolver.default(description="Tags of the asset.", examples=[{"classification": "internal"}]),
]
