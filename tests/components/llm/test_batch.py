"""Enrichment by the batch APIs: handed in once, collected once, at half the price."""

from typing import Any

import dagster as dg
import pytest

from components.llm.batches import Batches
from components.llm.prices import Prices
from components.llm.providers import anthropic_batches, openai_batches
from tests.components.llm.desk import Desk, requests
from tests.components.llm.shop import KEY, Shop
from tests.components.warehouse.project import Project
from tests.fakes.models import FakeModels

BATCH = f"{KEY}_batch"
PROVIDERS = ["openai", "anthropic"]
both = pytest.mark.parametrize("provider", PROVIDERS)


class Killed(BaseException):
    """Stands for a process that ends between two statements."""


@pytest.fixture
def shop(project: Project, models: FakeModels) -> Shop:
    return Shop(project, models)


def tick(shop: Shop) -> Any:
    """What the sensor says."""
    sensor = shop.definitions.resolve_sensor_def("enriched_tickets_batch")
    return sensor(dg.build_sensor_context(definitions=shop.definitions))


@pytest.mark.slot("ai", "batch", "fake")
@both
def test_a_batch_is_handed_in_waited_for_and_joined_at_half_the_price(shop: Shop, provider: str) -> None:
    shop.configure(provider, batch=True)
    shop.models.jobs.polls = 2
    assert shop.enrich(BATCH)["handed_in"] == 6
    assert shop.enrich()["pending"] == 6
    assert isinstance(tick(shop), dg.RunRequest), "the first poll was that of the run"
    metadata = shop.enrich()
    assert (metadata["dagster/row_count"], metadata["pending"], metadata["calls"]) == (6, 0, 6)
    assert set(shop.models.jobs.paid.values()) == {1}
    assert not shop.models.paid, "no single call was made"
    settings = Desk(shop.models, shop.project.root).settings(provider)
    whole = Prices(settings).usd(metadata["input_tokens"], metadata["output_tokens"])
    assert metadata["cost_usd"] == pytest.approx(whole / 2, rel=0.01)
    assert isinstance(tick(shop), dg.SkipReason)


@both
def test_requests_are_handed_in_once_however_often_they_are_asked_for(desk: Desk, provider: str) -> None:
    desk.models.jobs.polls = 99
    with desk.calls(desk.settings(provider)) as calls:
        batches = Batches(calls, "ai/answers")
        counts = [batches.hand_in(requests(*names)) for names in (["one", "two"], ["two", "one"], ["two", "three"])]
    assert counts == [2, 0, 1]


@both
def test_requests_that_a_batch_did_not_get_to_are_handed_in_again(desk: Desk, provider: str) -> None:
    desk.models.jobs.expires = "two"
    with desk.calls(desk.settings(provider)) as calls:
        batches = Batches(calls, "ai/answers")
        batches.hand_in(requests("one", "two"))
        assert batches.collect().calls == 1
        desk.models.jobs.expires = None
        assert batches.hand_in(requests("one", "two")) == 1
        assert batches.collect().calls == 1
    assert dict(desk.models.jobs.paid) == {"one": 1, "two": 1}


@both
@pytest.mark.parametrize("moment", ["before it is sent", "after it is sent"])
def test_a_process_that_dies_while_it_hands_in_pays_once(
    desk: Desk, provider: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = {"openai": openai_batches, "anthropic": anthropic_batches}[provider].Batches
    real = kind.submit

    def dying(self: Any, asked: Any, marker: str) -> str:
        if moment == "after it is sent":
            real(self, asked, marker)
        raise Killed

    with monkeypatch.context() as patched, desk.calls(desk.settings(provider)) as calls:
        patched.setattr(kind, "submit", dying)
        with pytest.raises(Killed):
            Batches(calls, "ai/answers").hand_in(requests("one", "two"))
    with desk.calls(desk.settings(provider), "run-2") as calls:
        handed_in = Batches(calls, "ai/answers").hand_in(requests("one", "two"))
        usage = Batches(calls, "ai/answers").collect()
    assert (handed_in, usage.calls) == ((0, 2) if moment == "after it is sent" else (2, 2))
    jobs = desk.models.jobs
    assert len(jobs.openai) + len(jobs.anthropic) == 1
    assert dict(jobs.paid) == {"one": 1, "two": 1}
    assert desk.rows("SELECT count(*) FROM answers") == [(2,)]
    assert desk.rows("SELECT count(*) FROM calls WHERE state = 'open'") == [(0,)]


@both
def test_a_batch_that_could_pass_the_budget_is_not_handed_in(shop: Shop, provider: str) -> None:
    price = {"input_usd_per_million": 8000, "output_usd_per_million": 8000}
    shop.configure(provider, batch=True, provider_settings={"price": price})
    assert "the budget of team:ai in" in shop.failure(BATCH)
    assert not shop.models.seen


def test_a_provider_without_batches_is_told_when_it_loads(shop: Shop) -> None:
    shop.configure("gemini", batch=True)
    assert "batch: gemini has no batches; expected provider openai or anthropic" in shop.project.load_error()
