"""What a query may read, decided by a dry run before it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import dagster as dg
from pydantic import model_validator

from ..base import StrictModel
from .engines.base import WarehouseError

TIB = 2**40
LEAST_BILLED = 10 * 2**20  # BigQuery bills at least 10 MiB a table


class QueryBudget(StrictModel):
    """The most that one run may read. The price is the policy's where it is not given here."""

    max_bytes_billed: Annotated[
        int | None, dg.Resolver.default(description="Bytes.", json_schema_extra={"minimum": LEAST_BILLED})
    ] = None
    max_cost_usd: Annotated[
        float | None, dg.Resolver.default(description="US dollars.", json_schema_extra={"exclusiveMinimum": 0})
    ] = None
    price_per_tib_usd: Annotated[
        float | None,
        dg.Resolver.default(
            description="US dollars for a TiB read, as your contract has it.", json_schema_extra={"exclusiveMinimum": 0}
        ),
    ] = None
    price_as_of: Annotated[
        str | None,
        dg.Resolver.default(
            description="Day the price was looked up.",
            examples=["2026-11-01"],
            json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}$"},
        ),
    ] = None

    @model_validator(mode="after")
    def _says_something(self) -> "QueryBudget":
        if self.max_bytes_billed is None and self.max_cost_usd is None:
            raise ValueError("expected max_bytes_billed, max_cost_usd or both")
        if (self.price_per_tib_usd is None) != (self.price_as_of is None):
            raise ValueError("price_per_tib_usd and price_as_of go together: a price holds for a time")
        return self


@dataclass(frozen=True)
class Price:
    """US dollars for a TiB read, and the day that was true."""

    per_tib_usd: float
    as_of: str

    def of(self, read: int) -> float:
        """What a number of bytes costs."""
        return read / TIB * self.per_tib_usd

    def bytes_for(self, usd: float) -> int:
        """How many bytes an amount pays for."""
        return int(usd / self.per_tib_usd * TIB)


def price_of(budget: QueryBudget | None, project_root: Path) -> Price | None:
    """The price that holds: that of the budget, or the policy's ``query_prices.bigquery``.

    Raises:
        dg.DagsterInvalidDefinitionError: a cost is limited, and nobody says what a TiB costs.
    """
    if budget and budget.price_per_tib_usd and budget.price_as_of:
        return Price(budget.price_per_tib_usd, budget.price_as_of)
    if (project_root / "policy.yaml").is_file():
        from ..governance.policy import policy_for

        if stated := policy_for(project_root).query_prices.get("bigquery"):
            return Price(stated.per_tib_usd, stated.as_of.isoformat())
    if budget and budget.max_cost_usd is not None:
        raise dg.DagsterInvalidDefinitionError(
            "budget.max_cost_usd needs a price: give budget.price_per_tib_usd and budget.price_as_of, or "
            "query_prices.bigquery in policy.yaml"
        )
    return None


def allowed_bytes(budget: QueryBudget | None, price: Price | None) -> int | None:
    """The most bytes that the budget pays for, or None where there is none."""
    limits = []
    if budget and budget.max_bytes_billed is not None:
        limits.append(budget.max_bytes_billed)
    if budget and budget.max_cost_usd is not None and price:
        limits.append(price.bytes_for(budget.max_cost_usd))
    return min(limits, default=None)


def hold_against(read: int, budget: QueryBudget | None, price: Price | None) -> None:
    """Raise WarehouseError where a query would read more than its budget allows."""
    most = allowed_bytes(budget, price)
    if most is None or read <= most:
        return
    cost = f", {price.of(read):,.2f} USD at {price.per_tib_usd:g} USD a TiB ({price.as_of})" if price else ""
    paid = f", {price.of(most):,.2f} USD" if price else ""
    raise WarehouseError(
        f"refused before it ran: the query would read {read:,} bytes{cost}, but its budget is {most:,} bytes{paid}. "
        "Read fewer columns or partitions, or raise budget"
    )
