"""AUTO CDC: the state that a feed of changes leads to, computed from the whole feed."""

from typing import Any

from .spec import PipelineError
from .sql_source import Cdc

_START, _END, _RANK = "__START_AT", "__END_AT", "__rank"


def applied(cdc: Cdc, feed: Any) -> Any:
    """The table that changes lead to.

    Args:
        cdc: Keys, order and deletes; of SQL text, or of Spark's columns.
        feed: Every change, also those that came late.

    Raises:
        PipelineError: the type of slowly changing dimension is neither 1 nor 2.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    keys = [_column(key) for key in cdc.keys]
    order = _column(cdc.sequence_by)
    gone = F.lit(False) if cdc.delete_when is None else F.coalesce(_column(cdc.delete_when), F.lit(False))
    by_key = Window.partitionBy(*keys)
    if cdc.scd_type == 1:
        ranked = feed.withColumn(_RANK, F.row_number().over(by_key.orderBy(order.desc())))
        state = ranked.where((F.col(_RANK) == 1) & ~gone)
        return state.select(*_columns(cdc, feed))
    if cdc.scd_type == 2:
        spans = feed.withColumn(_START, order).withColumn(_END, F.lead(order).over(by_key.orderBy(order)))
        return spans.where(~gone).select(*_columns(cdc, feed), _START, _END)
    raise PipelineError(f"SCD type {cdc.scd_type} is not valid; expected 1 or 2")


def _columns(cdc: Cdc, feed: Any) -> list[Any]:
    if cdc.columns is not None:
        return [_column(column) for column in cdc.columns]
    excluded = feed.select(*[_column(column) for column in cdc.except_columns]).columns if cdc.except_columns else []
    return [column for column in feed.columns if column not in excluded]


def _column(value: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: N812

    return F.expr(value) if isinstance(value, str) else value
