"""The component that shows the ledger of model calls as a table, held against the budgets."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel

from ..attributes import AssetKeys, Description, Group, Owners, Tags
from ..base import StrictComponent
from ..governance.policy import Policy, policy_for
from ..ml.data import scratch_folder
from ..ml.predictions import put_into_table
from ..warehouse.engines.base import WarehouseError
from ..warehouse.kind import engine_kind
from ..warehouse.sql_table import KEY_PATTERN
from .errors import ModelCallError
from .ledger import LEDGER_FILE, Ledger

_CHECK = "within_budget"
_SHOWN_ROWS = 50
_COLUMNS = ["month", "owner", "asset", "run_id", "provider", "model", "kind", "state", "calls", "input_tokens"]
_COLUMNS += ["output_tokens", "usd", "first_call", "last_call"]
_SUMS = (
    "SELECT month, owner, asset, run_id, provider, name, kind, state, count(*), sum(input_tokens), sum(output_tokens), "
    "sum(usd), min(at), max(at) FROM calls GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY max(at) DESC"
)


class ModelCostScaffolder(dg.Scaffolder[BaseModel]):
    """Writes the component."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        attributes = {"key": "costs/model_calls", "description": "What calls to models have cost.", "group": "costs"}
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(ModelCostScaffolder)
@dataclass
class ModelCostComponent(StrictComponent):
    """What calls to models have cost: tokens and US dollars by asset, run, owner and model, as a table.

    A check holds this month against the budgets of policy.yaml. It tells; refusing is done before each call.

    .. code-block:: yaml

        type: components.ModelCostComponent
        attributes:
          key: costs/model_calls
          description: What calls to models have cost.
          owners: [team:platform]
          group: costs
          tags:
            domain: finance
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key: schema/table.",
            examples=["costs/model_calls"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    description: Description
    depends_on: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset and its check."""
        root = context.project_root
        asset_key = dg.AssetKey.from_user_string(self.key)
        check = dg.AssetCheckSpec(
            _CHECK, asset=asset_key, description="No owner has spent the warning share of this month's budget."
        )

        @dg.asset(
            key=asset_key,
            description=self.description,
            deps=[dg.AssetKey.from_user_string(key) for key in self.depends_on],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"table", "cost"} | engine_kind(context),
            metadata={"dagster/table_name": self.key.replace("/", ".")},
            check_specs=[check],
            required_resource_keys={"warehouse"},
        )
        def model_cost(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._written(context, root, asset_key)
            except ModelCallError as error:
                raise error.as_failure(self.key) from None
            except WarehouseError as error:
                raise dg.Failure(description=f"{self.key}: {error}") from None

        return dg.Definitions(assets=[model_cost])

    def _written(self, context: dg.AssetExecutionContext, root: Path, key: dg.AssetKey) -> dg.MaterializeResult:
        ledger = Ledger(root / LEDGER_FILE)
        try:
            rows = ledger.rows(_SUMS)
            result = self._budget_check(ledger, policy_for(root), key)
        finally:
            ledger.close()
        engine = context.resources.warehouse.engine
        with scratch_folder() as folder:
            _write(rows, folder)
            schema_name, table = self.key.split("/")
            put_into_table(engine, folder, schema_name, table, None)
        schema = dg.TableSchema([dg.TableColumn(name) for name in _COLUMNS])
        shown = [dg.TableRecord(dict(zip(_COLUMNS, row, strict=True))) for row in rows[:_SHOWN_ROWS]]
        month = datetime.now(UTC).strftime("%Y-%m")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "month": month,
                "usd_this_month": round(sum(row[11] for row in rows if row[0] == month), 6),
                "latest": dg.MetadataValue.table(shown, schema),
            },
            check_results=[result],
        )

    def _budget_check(self, ledger: Ledger, policy: Policy, key: dg.AssetKey) -> dg.AssetCheckResult:
        month = datetime.now(UTC).strftime("%Y-%m")
        reached, shares = [], {}
        for owner, budget in policy.budgets.items():
            spent = ledger.spent(owner, month).usd
            shares[owner] = round(spent / budget.monthly_usd, 4)
            if shares[owner] >= budget.warn_at:
                reached.append(f"{owner}: {spent:,.2f} of {budget.monthly_usd:,.2f} USD ({shares[owner]:.0%})")
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=_CHECK,
            passed=not reached,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(reached) or f"no budget is near its end in {month}",
            metadata={"share_of_budget": shares},
        )


def _write(rows: list[tuple[Any, ...]], folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = [pa.string()] * 8 + [pa.int64()] * 3 + [pa.float64()] + [pa.timestamp("us")] * 2
    made = [[*row[:12], *(datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in row[12:])] for row in rows]
    arrays = [pa.array([row[place] for row in made], kind) for place, kind in enumerate(kinds)]
    parquet.write_table(pa.table(dict(zip(_COLUMNS, arrays, strict=True))), folder / "calls.parquet")
