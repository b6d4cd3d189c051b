"""How documents are cut, as the YAML of an index says it."""

from typing import Annotated

import dagster as dg

from ..base import StrictModel


class Chunking(StrictModel):
    """How documents are cut."""

    size: Annotated[
        int,
        dg.Resolver.default(
            description="Characters of a chunk; a table or a piece of code up to twice as long stays whole.",
            json_schema_extra={"minimum": 100, "maximum": 20000},
        ),
    ] = 1200
    overlap: Annotated[
        int,
        dg.Resolver.default(
            description="Characters, at most, that a chunk repeats of the one before under the same heading.",
            json_schema_extra={"minimum": 0},
        ),
    ] = 150

    def model_post_init(self, context: object) -> None:
        """Raise ValueError where chunks would repeat more than they add."""
        if self.overlap > self.size // 2:
            raise ValueError(f"overlap {self.overlap} is more than half of size {self.size}")
