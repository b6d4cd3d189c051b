"""Time partitions, as components have them in YAML."""

from typing import Annotated, Literal

import dagster as dg

from .base import StrictModel


class TimePartition(StrictModel):
    """Time partitions: a run works on its own period."""

    by: Annotated[
        Literal["hourly", "daily", "weekly", "monthly"], dg.Resolver.default(description="Length of a partition.")
    ]
    start: Annotated[
        str,
        dg.Resolver.default(
            description="First day, in UTC.",
            examples=["2026-01-01"],
            json_schema_extra={"pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"},
        ),
    ]

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
