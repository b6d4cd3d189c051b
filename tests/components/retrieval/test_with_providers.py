"""Indexes and answers with a provider's models, by the provider's own SDK against a local server."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from components.llm.settings import ProviderSettings
from components.retrieval.answering import Answering, Question, answers_to
from components.retrieval.embedding import calls_for
from tests.components.llm.conftest import models
from tests.components.retrieval.library import Library, page
from tests.fakes.models import FakeModels
from tests.fakes.models.trouble import Trouble

__all__ = ["models"]


@pytest.fixture
def paid_library(models: FakeModels, tmp_path: Path) -> Library:
    """A hundred documents, and an index whose embeddings are paid for."""
    embedding: dict[str, Any] = {"provider": "openai", "name": "text-embedding-3-small", "base_url": f"{models.url}/v1"}
    made = Library(tmp_path, embedding={**embedding, "batch_size": 10, "concurrency": 2, "tries": 1})
    made.fill(100)
    return made


@pytest.mark.slot("ai", "documents/embed", "fake")
def test_a_provider_is_asked_once_for_each_text_and_for_changed_ones_only(
    paid_library: Library,
    models: FakeModels,
) -> None:
    first = paid_library.materialize()
    assert (first["calls"], len(models.seen), sum(models.paid.values())) == (30, 30, 300)
    assert first["cost_usd"] > 0
    models.seen.clear()
    second = paid_library.materialize()
    assert (second["calls"], second["cost_usd"], models.seen) == (0, 0, [])
    paid_library.write("0042.md", page("new bridge"))
    changed = paid_library.materialize()
    assert (changed["calls"], changed["chunks_written"]) == (1, 3)
    assert sum(models.paid.values()) <= 300 * 1.015
    assert max(models.paid.values()) == 1


@pytest.mark.slot("ai", "documents/embed", "fake")
def test_a_run_that_a_provider_broke_goes_on_where_it_was_and_pays_nothing_twice(
    paid_library: Library,
    models: FakeModels,
) -> None:
    models.troubles = [Trouble("status", status=401, code="invalid_api_key", skip=12, times=99)]
    assert "search/docs" in paid_library.failure()
    paid = sum(models.paid.values())
    assert 100 <= paid < 300
    models.troubles.clear()
    done = paid_library.materialize()
    assert done["documents"] == 100
    assert sum(models.paid.values()) == 300
    assert max(models.paid.values()) == 1


@pytest.mark.slot("ai", "answers", "fake")
def test_a_provider_s_answer_keeps_the_quotes_that_are_real(
    library: Library,
    models: FakeModels,
) -> None:
    library.materialize()
    said = {
        "answerable": True,
        "sentences": [
            {"text": "It costs four coins.", "citations": [{"passage": 1, "quote": "costs four coins"}]},
            {"text": "It is closed on Mondays.", "citations": [{"passage": 1, "quote": "closed on Mondays"}]},
        ],
    }
    models.troubles = [Trouble("says", text=json.dumps(said))]
    settings = ProviderSettings(provider="openai", name="gpt-5-mini", base_url=f"{models.url}/v1")
    asked = [Question("q", "What does a ticket for the volcano cost?")]
    with library.opened() as index, calls_for(settings, library.root, "search/answers") as model:
        answer = next(iter(answers_to(asked, index, Answering(), model=model)))
        again = next(iter(answers_to(asked, index, Answering(), model=model)))
    assert answer.text == "It costs four coins. [1] It is closed on Mondays."
    assert (answer.citations[0].document, answer.wrong_quotes) == ("docs/0004.md", 1)
    assert (again, len(models.seen)) == (answer, 1)


@pytest.mark.slot("ai", "upsert", "embedded")
def test_two_runs_at_once_make_one_index(library: Library) -> None:
    library.fill(60)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                library.materialize()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    with library.opened() as index:
        assert len({record.id for record in index.scan()}) == index.count() == 180
    assert library.materialize()["chunks_written"] == 0
