"""Time partitions of a table, as SQL components have them."""

from typing import Annotated

import dagster as dg

from ..partitions import TimePartition
from .sql import Partition


class SqlPartition(TimePartition):
    """Time partitions: a run replaces the rows of its own period and leaves all others."""

    column: Annotated[str, dg.Resolver.default(description="Column of the result that says which period a row is in.")]


def partition_of(context: dg.AssetExecutionContext) -> Partition:
    """The partition that is being materialised."""
    window = context.partition_time_window
    start, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (window.start, window.end))
    return Partition(key=context.partition_key_range.start, start=start, end=end)
