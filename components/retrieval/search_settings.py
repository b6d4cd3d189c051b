"""How an index is searched, as components have it in YAML."""

from typing import Annotated, Literal

import dagster as dg

from ..base import StrictModel


class SearchSettings(StrictModel):
    """How an index is searched."""

    mode: Annotated[
        Literal["hybrid", "vector", "words"],
        dg.Resolver.default(description="vector: by meaning; words: by BM25; hybrid: both, fused by rank."),
    ] = "hybrid"
    diversity: Annotated[
        float,
        dg.Resolver.default(
            description="0 keeps the order; towards 1, hits that say the same as a better one fall back.",
            json_schema_extra={"minimum": 0, "maximum": 1},
        ),
    ] = 0.0
    minimum_match: Annotated[
        float,
        dg.Resolver.default(
            description=(
                "Without a language model: share of the question's words, weighted by how rare they are, that a chunk "
                "must have; else there is no answer."
            ),
            json_schema_extra={"minimum": 0, "maximum": 1},
        ),
    ] = 0.4
