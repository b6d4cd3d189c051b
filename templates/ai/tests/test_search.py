"""The questions and the gate: what they promise, and that a worse index goes no further."""

from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest
import yaml

from tests.conftest import Run, metadata

GATE = "search/python_quality"


@pytest.fixture(scope="module")
def gold(project: Path, package: str) -> list:
    """The questions of the gate."""
    read_gold = import_module(f"{package}.components.retrieval.gold").read_gold
    [file] = project.glob("src/*/defs/documents/gold.yaml")
    return read_gold(file)


def test_the_gold_set_asks_at_least_sixty_questions_and_some_without_an_answer(gold: list):
    assert len(gold) >= 60
    assert any(not question.documents for question in gold)


@pytest.mark.materialises
def test_every_document_that_the_gold_set_names_is_in_the_index(
    gold: list, package: str, project: Path, first_run: dg.ExecuteInProcessResult
):
    open_index = import_module(f"{package}.components.retrieval.search").open_index
    with open_index(project, "search/python") as index:
        indexed = {record.document for record in index.scan()}
    assert {name for question in gold for name in question.documents} - indexed == set()


@pytest.mark.materialises
def test_search_finds_at_least_what_words_alone_find(first_run: dg.ExecuteInProcessResult):
    figures = metadata(first_run, GATE)
    assert figures["recall"] >= figures["bm25_recall"]
    assert figures["recall"] >= 0.7


@pytest.mark.materialises
def test_every_answer_cites_its_passage_and_what_is_not_there_is_refused(
    project: Path, first_run: dg.ExecuteInProcessResult
):
    lines = (project / "data" / "answers" / "python.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [yaml.safe_load(line) for line in lines]
    assert all(answer["citations"] for answer in answers if not answer["refusal"])
    assert [answer["question"] for answer in answers if answer["refusal"]] == ["Who won the football world cup?"]


@pytest.mark.materialises
def test_figures_below_those_accepted_stop_what_comes_after(
    project: Path, first_run: dg.ExecuteInProcessResult, run: Run
):
    accepted = project / "evaluations" / "search_python_quality.yaml"
    accepted.parent.mkdir(exist_ok=True)
    accepted.write_text(yaml.safe_dump({"figures": {"recall": 1.0}}), encoding="utf-8")
    try:
        stopped = run(GATE, "search/python_page")
    finally:
        accepted.unlink()
    made = {event.asset_key.to_user_string() for event in stopped.get_asset_materialization_events()}
    assert made == {GATE}
    [recall] = [check for check in stopped.get_asset_check_evaluations() if check.check_name == "recall"]
    assert not recall.passed
    assert "1.000 was accepted" in recall.description
