"""What providers do wrong: nothing is lost, nothing is paid twice, and one message says what to do."""

import re
import time

import pytest

from components.llm import attempts, governor
from components.llm.errors import BudgetError, ModelCallError, PriceError
from components.llm.settings import Price
from tests.components.llm.desk import EVERYWHERE, NAMES, Desk, requests
from tests.fakes.models import Trouble

NEWEST = ["openai", "anthropic"]
CHATTY = ["openai", "openai_compatible", "anthropic"]
PROMPTS = [f"ticket {number}" for number in range(12)]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(governor, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(governor, "_FIRST_SPACING", 0.01)


def everything_is_answered(desk: Desk, provider: str, **more: object) -> None:
    replies = desk.ask(provider, *PROMPTS, concurrency=4, **more)
    assert sorted(replies) == sorted(PROMPTS)
    assert [reply.fault for reply in replies.values()] == [None] * len(PROMPTS)


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_429_with_retry_after_stops_everybody_for_that_long(provider: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 429, "rate_limit_exceeded", {"retry-after": "1"}, skip=3)]
    everything_is_answered(desk, provider)
    seen = desk.models.seen
    refused = next(place for place, one in enumerate(seen) if one.status == 429)
    later = [one.at - seen[refused].at for one in seen[refused + 1 :]]
    assert all(gap > 0.95 or gap < 0.3 for gap in later), "calls under way end, and no new one starts"
    assert max(later) > 0.95
    assert set(desk.models.paid.values()) == {1}


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_429_without_retry_after_waits_longer_each_time(provider: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 429, "rate_limit_exceeded", times=3)]
    with desk.calls(desk.settings(provider, concurrency=1)) as calls:
        started = time.monotonic()
        (reply,) = calls.complete(requests("hello"))
    assert reply.fault is None
    assert time.monotonic() - started > 0.1 + 0.2 + 0.4
    assert desk.models.statuses == {429: 3, 200: 1}


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_a_limit_that_stays_reached_ends_the_run_and_says_what_to_set(provider: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 429, "slow_down", {"retry-after": "0"}, times=99)]
    with pytest.raises(ModelCallError, match="Refused 12 times; set requests_per_minute") as caught:
        desk.ask(provider, "hello")
    assert caught.value.transient


@pytest.mark.parametrize("status", [500, 529])
@pytest.mark.parametrize("provider", EVERYWHERE)
def test_a_provider_that_fails_is_asked_again(provider: str, status: int, desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", status, "InternalServerException", times=2)]
    everything_is_answered(desk, provider)
    assert desk.states() == {"paid": len(PROMPTS), "failed": 2}
    assert set(desk.models.paid.values()) == {1}


def test_a_row_that_the_provider_always_fails_at_comes_back_and_the_others_go_on(desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 500, times=99, match="ticket 5")]
    replies = desk.ask("openai", *PROMPTS, tries=3)
    bad = replies.pop("ticket 5")
    assert "answered 500" in str(bad.fault)
    assert bad.retry
    assert all(reply.fault is None for reply in replies.values())


def test_a_provider_that_is_down_ends_the_run_and_the_next_one_goes_on(desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 500, times=10_000, skip=4)]
    with pytest.raises(ModelCallError, match="5 requests in a row failed") as caught:
        desk.ask("openai", *PROMPTS, tries=2)
    assert caught.value.transient
    desk.models.troubles = []
    everything_is_answered(desk, "openai")
    assert set(desk.models.paid.values()) == {1}


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_a_call_that_takes_too_long_is_given_up_and_counted_as_perhaps_billed(provider: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble("slow", seconds=1.5)]
    reply = desk.ask(provider, "hello", timeout_seconds=0.5, price=Price(input_usd_per_million=1))["hello"]
    assert reply.fault is None
    assert desk.states() == {"paid": 1, "unknown": 1}
    assert desk.rows("SELECT min(usd) FROM calls WHERE state = 'unknown'")[0][0] > 0


@pytest.mark.parametrize("most", [300, 5000], ids=["at once", "streamed"])
@pytest.mark.parametrize("provider", EVERYWHERE)
def test_a_connection_that_is_cut_is_asked_again(provider: str, most: int, desk: Desk) -> None:
    desk.models.troubles = [Trouble("cut")]
    reply = desk.ask(provider, "hello", max_output_tokens=most)["hello"]
    assert reply.fault is None
    assert desk.states() == {"paid": 1, "unknown": 1}


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_an_answer_that_is_no_json_is_asked_again(provider: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble("not_json")]
    assert desk.ask(provider, "hello")["hello"].fault is None
    assert desk.states() == {"paid": 1, "unknown": 1}


@pytest.mark.parametrize("kind", ["truncated", "wrong_schema", "malformed"])
@pytest.mark.parametrize("provider", CHATTY)
def test_an_answer_of_the_wrong_shape_is_mended_once(provider: str, kind: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble(kind)]  # type: ignore[arg-type]
    reply = desk.ask(provider, "hello")["hello"]
    assert reply.fault is None
    assert reply.usage.calls == 2
    assert "Your last answer could not be used" in desk.models.sent()


FAULTS = {
    "truncated": "truncated: the answer is longer than",
    "wrong_schema": "wrong schema: Additional properties are not allowed",
    "malformed": "malformed JSON: ",
    "refusal": "refusal: I cannot help with that.",
}


@pytest.mark.parametrize("kind", list(FAULTS))
@pytest.mark.parametrize("provider", CHATTY)
def test_an_answer_that_stays_wrong_comes_back_with_the_reason_and_is_paid_once(
    provider: str, kind: str, desk: Desk
) -> None:
    desk.models.troubles = [Trouble(kind, times=99, match="ticket 1.")]  # type: ignore[arg-type]
    first = desk.ask(provider, "ticket 1.", "ticket 2.")
    assert str(first["ticket 1."].fault).startswith(FAULTS[kind])
    assert first["ticket 2."].fault is None
    calls = len(desk.models.seen)
    again = desk.ask(provider, "ticket 1.", "ticket 2.")
    assert again["ticket 1."].fault == first["ticket 1."].fault
    assert len(desk.models.seen) == calls


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_a_key_that_is_revoked_half_way_ends_the_run_and_loses_nothing(provider: str, desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 401, "UnrecognizedClientException", times=99, skip=5)]
    got = []
    with (
        desk.calls(desk.settings(provider, concurrency=2)) as calls,
        pytest.raises(ModelCallError, match="What was answered until now is kept") as caught,
    ):
        got.extend(calls.complete(requests(*PROMPTS)))
    assert (len(got), caught.value.transient) == (5, False)
    assert sum(one.status == 401 for one in desk.models.seen) <= 2
    desk.models.troubles = []
    everything_is_answered(desk, provider)
    assert set(desk.models.paid.values()) == {1}


def test_an_account_without_credit_is_not_asked_again(desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 429, "insufficient_quota", times=99)]
    with pytest.raises(ModelCallError, match="out of credit"):
        desk.ask("openai", "hello")
    assert len(desk.models.seen) == 1


@pytest.mark.parametrize("provider", NEWEST)
def test_a_price_that_nobody_knows_is_told_before_anything_is_sent(provider: str, desk: Desk) -> None:
    with pytest.raises(PriceError, match=r"Set price with input_usd_per_million and output_usd_per_million"):
        desk.ask(provider, "hello", name="made-up-model")
    assert desk.models.seen == []
    priced = Price(input_usd_per_million=1000, output_usd_per_million=2000)
    reply = desk.ask(provider, "hello", name="made-up-model", price=priced)["hello"]
    usage = reply.usage
    assert usage.usd == pytest.approx(usage.input_tokens / 1000 + usage.output_tokens * 2 / 1000)


@pytest.mark.slot("ai", "ledger/budgets", "fake")
@pytest.mark.parametrize("provider", NEWEST)
def test_a_budget_is_never_passed_and_the_run_ends_before_the_call_that_could(provider: str, desk: Desk) -> None:
    priced = Price(input_usd_per_million=1000, output_usd_per_million=1000)  # a call may cost 0.46 and costs 0.014
    desk.budget_usd = 0.6
    got = []
    with (
        desk.calls(desk.settings(provider, price=priced)) as calls,
        pytest.raises(BudgetError, match=r"budget of team:ai in \d{4}-\d\d .* is 0.60 USD") as caught,
    ):
        got.extend(calls.complete(requests(*(f"ticket {number}" for number in range(40)))))
    spent = desk.rows("SELECT sum(usd) FROM calls")[0][0]
    assert 3 <= len(got) < 40
    assert spent <= 0.6
    assert "It was not made" in str(caught.value)
    assert len(desk.models.seen) == len(got)
    desk.budget_usd = 50
    with desk.calls(desk.settings(provider, price=priced), "run-2") as calls:
        assert len(list(calls.complete(requests(*(f"ticket {number}" for number in range(40)))))) == 40
    assert set(desk.models.paid.values()) == {1}


def test_a_limit_for_one_run_holds_for_that_run_only(desk: Desk) -> None:
    price = Price(input_usd_per_million=1000, output_usd_per_million=1000)
    answered = [0]
    for run in ("run-1", "run-2"):
        with (
            desk.calls(desk.settings("openai", price=price, max_cost_usd=0.6, concurrency=1), run) as calls,
            pytest.raises(BudgetError, match=r"max_cost_usd of ai/answers for one run is 0\.60 USD"),
        ):
            list(calls.complete(requests(*(f"ticket {number}" for number in range(40)))))
        answered.append(len(desk.models.paid))
        assert answered[-1] > answered[-2]
        assert desk.rows(f"SELECT sum(usd) FROM calls WHERE run_id = '{run}'")[0][0] <= 0.6


def test_a_request_that_is_not_taken_comes_back_and_is_not_sent_again(desk: Desk) -> None:
    desk.models.troubles = [Trouble("status", 400, "context_length_exceeded", times=99, match="ticket 3")]
    replies = desk.ask("openai", *PROMPTS)
    assert "context_length_exceeded" in str(replies["ticket 3"].fault)
    assert not replies["ticket 3"].retry
    assert desk.models.statuses[400] == 1


def test_the_metadata_say_how_old_the_prices_are(desk: Desk) -> None:
    with desk.calls(desk.settings("openai")) as calls:
        told = str(calls.metadata()["prices"].value)
    found = re.fullmatch(
        r"genai-prices [\d.]+, with prices up to (\d{4}-\d\d-\d\d), installed on (\d{4}-\d\d-\d\d)", told
    )
    assert found
    assert "2026-01-01" < found[1] <= found[2]


def test_the_names_of_the_models_have_prices() -> None:
    assert set(NEWEST) <= set(NAMES)
