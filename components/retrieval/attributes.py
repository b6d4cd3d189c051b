"""Attributes that the retrieval components share."""

from typing import Annotated

import dagster as dg

from ..formats import ASSET_KEY
from .search_settings import SearchSettings
from .stores.attributes import StoreSettings

Key = Annotated[
    str,
    dg.Resolver.default(
        description="Asset key, two levels.",
        examples=["search/handbook"],
        json_schema_extra={"pattern": r"^[\w-]+/[\w-]+$"},
    ),
]
IndexKey = Annotated[
    str,
    dg.Resolver.default(
        description="Asset key of the index that is searched; it becomes upstream.",
        examples=["search/handbook"],
        json_schema_extra={"pattern": r"^[\w-]+/[\w-]+$"},
    ),
]
DependsOn = Annotated[
    list[Annotated[str, ASSET_KEY]],
    dg.Resolver.default(description="Further asset keys that come first.", examples=[["search/handbook_quality"]]),
]
HITS = {"minimum": 1, "maximum": 100}
Search = Annotated[SearchSettings, dg.Resolver.default(description="How the index is searched.")]
Store = Annotated[StoreSettings, dg.Resolver.default(description="The vector store of the index.")]
