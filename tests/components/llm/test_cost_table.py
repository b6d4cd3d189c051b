"""The ledger as a table, held against the budgets."""

import dagster as dg
import pytest

from components.llm.cost_table import ModelCostComponent
from components.orchestration.spend import Spend
from tests.components.llm.shop import KEY, Shop
from tests.components.warehouse.project import Project, scaffolded
from tests.fakes.models import FakeModels

COSTS = "costs/model_calls"


@pytest.fixture
def shop(project: Project, models: FakeModels) -> Shop:
    scaffolded(ModelCostComponent, project.add(ModelCostComponent, "costs", {}))
    return Shop(project, models)


@pytest.mark.slot("ai", "ledger/cost", "fake")
def test_the_table_has_tokens_and_dollars_by_asset_run_owner_and_model(shop: Shop) -> None:
    enriched = shop.enrich()
    metadata = shop.enrich(COSTS)
    found = shop.rows(
        "SELECT asset, owner, provider, model, kind, state, calls, input_tokens, usd FROM costs.model_calls"
    )
    expected = (KEY, "team:ai", "openai", "gpt-5-mini", "complete", "paid", 6, enriched["input_tokens"])
    assert [row[:8] for row in found] == [expected]
    assert found[0][8] == pytest.approx(enriched["cost_usd"], abs=1e-6)
    assert metadata["usd_this_month"] == pytest.approx(enriched["cost_usd"], abs=1e-6)


def test_without_any_call_the_table_is_empty(shop: Shop) -> None:
    assert shop.enrich(COSTS)["dagster/row_count"] == 0
    assert shop.rows("SELECT * FROM costs.model_calls") == []


@pytest.mark.slot("ai", "ledger/budgets", "fake")
@pytest.mark.parametrize(("price", "passed"), [(1, True), (3400, False)])
def test_the_check_fails_from_the_warning_share_on(shop: Shop, price: float, passed: bool) -> None:
    shop.configure(provider_settings={"price": {"input_usd_per_million": price, "output_usd_per_million": price}})
    shop.run(raise_on_error=False)
    done = shop.run(COSTS)
    (check,) = done.get_asset_check_evaluations()
    assert check.passed is passed
    assert check.description.startswith("no budget is near" if passed else "team:ai: ")


def test_what_a_failed_run_has_spent_counts_for_the_budget_alerts(shop: Shop) -> None:
    shop.configure(provider_settings={"price": {"input_usd_per_million": 4000, "output_usd_per_million": 4000}})
    with dg.instance_for_test() as instance:
        done = shop.run(instance=instance, raise_on_error=False)
        spend = Spend()
        spend.add(instance, done.run_id)
    assert not done.success
    (months,) = spend.usd.values()
    assert months[KEY] > 1
