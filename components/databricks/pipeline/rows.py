"""Expectations over rows, as Databricks reads them: a condition that is NULL does not hold."""

from collections.abc import Sequence
from typing import Any

from .spec import Expectation


def checked(rows: Any, expectations: Sequence[Expectation]) -> dict[str, tuple[int, int]]:
    """Rows that passed and failed each expectation, found in one pass.

    Args:
        rows: A data frame.
        expectations: Expectations, each with a name of its own.
    """
    if not expectations:
        return {}
    failures = [
        f"coalesce(sum(CASE WHEN {_holds(one)} THEN 0 ELSE 1 END), 0) AS failed_{number}"
        for number, one in enumerate(expectations)
    ]
    total, *failed = rows.selectExpr("count(*) AS total", *failures).collect()[0]
    return {one.name: (int(total - count), int(count)) for one, count in zip(expectations, failed, strict=True)}


def dropped(rows: Any, expectations: Sequence[Expectation]) -> Any:
    """The rows that break no expectation which drops them."""
    kept = [_holds(one) for one in expectations if one.action == "drop"]
    return rows.where(" AND ".join(kept)) if kept else rows


def _holds(expectation: Expectation) -> str:
    return f"coalesce(({expectation.condition}), false)"
