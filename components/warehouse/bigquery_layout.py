"""How BigQuery lays a table out: partitions and clusters, as attributes and as SQL."""

from typing import Annotated, Literal

import dagster as dg
from pydantic import model_validator

from ..base import StrictModel
from .engines.base import Column, WarehouseError

Granularity = Literal["hour", "day", "month", "year"]
MOST_CLUSTER_COLUMNS = 4
MOST_PARTITIONS = 10_000


class IntegerRange(StrictModel):
    """Partitions of equal ranges of whole numbers."""

    start: Annotated[int, dg.Resolver.default(description="First number of the first partition.")]
    end: Annotated[int, dg.Resolver.default(description="First number after the last partition.")]
    interval: Annotated[
        int, dg.Resolver.default(description="Numbers in a partition.", json_schema_extra={"minimum": 1})
    ]

    @model_validator(mode="after")
    def _has_partitions(self) -> "IntegerRange":
        if self.end <= self.start:
            raise ValueError(f"end: {self.end} is not valid; expected more than start, {self.start}")
        if (count := -(-(self.end - self.start) // self.interval)) > MOST_PARTITIONS:
            raise ValueError(
                f"interval: {self.interval} makes {count:,} partitions; BigQuery takes {MOST_PARTITIONS:,}"
            )
        return self


class PartitionBy(StrictModel):
    """How BigQuery splits the table: by a column of dates or times, by whole numbers, or by when rows arrived."""

    column: Annotated[
        str | None, dg.Resolver.default(description="Column that decides; the time of loading when left out.")
    ] = None
    granularity: Annotated[Granularity, dg.Resolver.default(description="Length of a time partition.")] = "day"
    integer_range: Annotated[
        IntegerRange | None, dg.Resolver.default(description="Ranges of a column of whole numbers.")
    ] = None

    @model_validator(mode="after")
    def _range_has_a_column(self) -> "PartitionBy":
        if self.integer_range and not self.column:
            raise ValueError("integer_range needs column, the column of whole numbers")
        return self

    @property
    def by_arrival(self) -> bool:
        """Whether the time of loading decides."""
        return self.column is None

    def clause(self, columns: dict[str, Column], quoted: str) -> str:
        """The clause of ``create table``.

        Args:
            columns: Columns of the query by name.
            quoted: The column's name as SQL.

        Raises:
            WarehouseError: the column's type cannot be partitioned by in this way.
        """
        kind = columns[str(self.column)].type
        if spec := self.integer_range:
            if kind != "INT64":
                raise WarehouseError(f"partition_by: column {self.column!r} is {kind}; integer_range needs INT64")
            return f"PARTITION BY RANGE_BUCKET({quoted}, GENERATE_ARRAY({spec.start}, {spec.end}, {spec.interval}))"
        if kind not in ("DATE", "DATETIME", "TIMESTAMP"):
            raise WarehouseError(
                f"partition_by: column {self.column!r} is {kind}; expected DATE, DATETIME, TIMESTAMP or integer_range"
            )
        if kind == "DATE" and self.granularity == "hour":
            raise WarehouseError(f"partition_by: column {self.column!r} is DATE, which has no hour")
        if kind == "DATE" and self.granularity == "day":
            return f"PARTITION BY {quoted}"
        return f"PARTITION BY {kind}_TRUNC({quoted}, {self.granularity.upper()})"


def check_layout(
    key: str, partition_by: PartitionBy | None, cluster_by: list[str], *, require_filter: bool, view: bool
) -> None:
    """Raise ValueError where the attributes cannot hold together."""
    if len(cluster_by) > MOST_CLUSTER_COLUMNS:
        raise ValueError(f"{key}: cluster_by has {len(cluster_by)} columns; BigQuery takes {MOST_CLUSTER_COLUMNS}")
    if twice := sorted({name for name in cluster_by if cluster_by.count(name) > 1}):
        raise ValueError(f"{key}: cluster_by names {', '.join(twice)} more than once")
    if require_filter and not partition_by:
        raise ValueError(f"{key}: require_partition_filter needs partition_by")
    if view and (partition_by or cluster_by):
        raise ValueError(f"{key}: partition_by and cluster_by need materialized table; a view has no rows of its own")
