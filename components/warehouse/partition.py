"""Time partitions of a table, as SQL components have them."""

from typing import Annotated, Literal

import dagster as dg

from ..base import StrictModel
from .sql import Partition

Period = Literal["hourly", "daily", "weekly", "monthly"]


class SqlPartition(StrictModel):
    """Time partitions: a run replaces the rows of its own period and leaves all others."""

    by: Annotated[Period, dg.Resolver.default(description="Length of a partition.")]
    start: Annotated[
        str,
        dg.Resolver.default(
            description="First day, in UTC.",
            examples=["2013-01-01"],
            json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}$"},
        ),
    ]
    column: Annotated[str, dg.Resolver.default(description="Column of the result that says which period a row is in.")]

    def definition(self) -> dg.TimeWindowPartitionsDefinition:
        """Dagster's partitions definition."""
        match self.by:
            case "hourly":
                return dg.HourlyPartitionsDefinition(f"{self.start}-00:00")
            case "daily":
                return dg.DailyPartitionsDefinition(self.start)
            case "weekly":
                return dg.WeeklyPartitionsDefinition(self.start)
            case _:
                return dg.MonthlyPartitionsDefinition(self.start)


def partition_of(context: dg.AssetExecutionContext) -> Partition:
    """The partition that is being materialised."""
    window = context.partition_time_window
    start, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (window.start, window.end))
    return Partition(key=context.partition_key_range.start, start=start, end=end)
