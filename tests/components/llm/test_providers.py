"""Every provider through its own SDK, over the wire."""

import numpy as np
import pytest

from components.llm.errors import ModelCallError
from components.llm.providers.base import retry_after
from components.llm.settings import Price, ProviderSettings
from tests.components.llm.desk import EVERYWHERE, NAMES, Desk

SLOTS = {name: name.replace("_", "-") for name in NAMES}


def each_provider() -> list:
    return [pytest.param(name, marks=pytest.mark.slot("ai", SLOTS[name], "fake"), id=name) for name in EVERYWHERE]


@pytest.mark.parametrize("most", [300, 5000], ids=["at once", "streamed"])
@pytest.mark.parametrize("provider", each_provider())
def test_an_answer_fits_the_schema_and_is_counted(provider: str, most: int, desk: Desk) -> None:
    reply = desk.ask(provider, "I was charged twice.", max_output_tokens=most)["I was charged twice."]
    assert (reply.fault, set(reply.data or {})) == (None, {"sentiment", "urgency"})
    assert reply.usage.calls == 1
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0
    assert (reply.usage.usd > 0) == (provider != "openai_compatible")
    assert desk.states() == {"paid": 1}


@pytest.mark.parametrize("provider", each_provider())
def test_the_same_request_is_never_paid_again(provider: str, desk: Desk) -> None:
    first = desk.ask(provider, "one", "two")
    second = desk.ask(provider, "two", "one")
    assert {name: reply.data for name, reply in first.items()} == {name: reply.data for name, reply in second.items()}
    assert [second[name].usage.usd for name in ("one", "two")] == [0, 0]
    assert set(desk.models.paid.values()) == {1}


EMBEDDERS = [
    pytest.param("openai", "text-embedding-3-small", id="openai"),
    pytest.param("openai_compatible", "nomic-embed-text", id="openai_compatible"),
    pytest.param("gemini", "gemini-embedding-001", id="gemini"),
    pytest.param("bedrock", "amazon.titan-embed-text-v2:0", id="titan"),
    pytest.param("bedrock", "cohere.embed-english-v3", id="cohere"),
]


@pytest.mark.parametrize(("provider", "name"), EMBEDDERS)
def test_embeddings_are_unit_rows_in_the_order_of_the_texts(provider: str, name: str, desk: Desk) -> None:
    texts = [f"text number {number} about cats" for number in range(150)]
    settings = desk.settings(provider, name=name, price=Price(input_usd_per_million=0.02))
    with desk.calls(settings) as calls:
        vectors = calls.embed([*texts, texts[3]])
        again = calls.embed(texts)
    assert (vectors.dtype, len(vectors)) == (np.float32, 151)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[3], vectors[150])
    assert np.array_equal(vectors[:150], again)
    assert set(desk.models.paid.values()) == {1}
    assert calls.usage.cached == 151


def test_anthropic_says_that_it_has_no_embeddings(desk: Desk) -> None:
    with desk.calls(desk.settings("anthropic")) as calls, pytest.raises(ModelCallError, match="has no embeddings"):
        calls.embed(["text"])


def test_a_missing_key_is_named_before_anything_is_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelCallError, match=r"openai gpt-5-mini: secret 'OPENAI_API_KEY'.* set it"):
        desk.ask("openai", "hello")
    assert desk.models.seen == []


def test_a_server_of_your_own_needs_no_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    desk.models.key = None
    settings = ProviderSettings(provider="openai_compatible", name="llama3.2", base_url=f"{desk.models.url}/v1")
    with desk.calls(settings) as calls:
        assert calls.embed(["a"]).shape == (1, 64)


def test_an_sdk_that_is_not_installed_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(ModelCallError, match="needs the package anthropic; add it to the project"):
        desk.ask("anthropic", "hello")


def test_no_key_is_in_the_ledger_or_the_log(desk: Desk) -> None:
    desk.ask("openai", "hello")
    held = (desk.root / "data/model_calls.db").read_bytes()
    assert b"sk-fake" not in held + "".join(desk.log).encode()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
