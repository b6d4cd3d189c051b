"""The AI starter with default answers, as a newcomer runs it: no account, no key, no model hub."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import chromium
from tests.e2e.conftest import Project, clean_environment, installed, uv

__all__ = ["chromium"]
ASSETS = 10


@pytest.fixture(scope="module")
def ai(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Installed and materialised once."""
    project = installed(template, tmp_path_factory.mktemp("ai") / "data-platform", {"kind": "ai"})
    project.launch()
    return project


def figures(project: Project) -> list[dict[str, Any]]:
    """What every run of the evaluation measured."""
    file = project.path / "data" / "evaluations" / "search_python_quality.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def audited(project: Project) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project.path / "data" / "audit.jsonl").read_text().splitlines()]


@pytest.mark.slot("ai", "in-process", "embedded")
@pytest.mark.slot("ai", "documents/ingest", "embedded")
@pytest.mark.slot("ai", "documents/chunk", "embedded")
@pytest.mark.slot("ai", "documents/embed", "embedded")
@pytest.mark.slot("ai", "evaluation", "embedded")
def test_the_index_finds_what_the_readme_says_and_more_than_words_alone(ai: Project):
    measured = figures(ai)[-1]
    readme = (ai.path / "README.md").read_text()
    assert "**.784**" in readme
    assert measured["values"]["recall"] == pytest.approx(0.784, abs=0.04)  # topics differ a little between Pythons
    assert measured["values"]["recall"] > measured["baseline"]["recall"]
    assert (measured["questions"], measured["passages"] > 300) == (86, True)


@pytest.mark.slot("ai", "enrichment", "embedded")
@pytest.mark.slot("ai", "ledger/cost", "embedded")
def test_real_sentences_are_enriched_to_a_typed_table_and_held_against_people(ai: Project):
    [(rows, rejected)] = ai.query(
        "SELECT count(*), (SELECT count(*) FROM enriched.reviews_rejected) FROM enriched.reviews"
    )
    [(sentiments,)] = ai.query("SELECT list(DISTINCT sentiment ORDER BY sentiment) FROM enriched.reviews")
    agreed = dict(
        ai.query("SELECT judged_as, sum(same_with_a_side) / sum(with_a_side) FROM enriched.review_agreement GROUP BY 1")
    )
    [(asset, calls, usd)] = ai.query("SELECT asset, sum(calls), sum(usd) FROM costs.model_calls GROUP BY asset")
    assert (rows, rejected) == (900, 0)
    assert sentiments == ["negative", "neutral", "positive"]
    assert agreed["sentiment"] > 0.8
    assert agreed["topic"] > 0.85
    assert (asset, calls > 800, usd) == ("enriched/reviews", True, 0)


@pytest.mark.slot("ai", "upsert", "embedded")
def test_a_second_launch_writes_nothing_to_the_index_and_asks_no_model(ai: Project):
    [(before,)] = ai.query("SELECT sum(calls) FROM costs.model_calls")
    index = (ai.path / "data" / "vectors.db").read_bytes()
    runs = len(figures(ai))
    ai.launch()
    assert ai.query("SELECT sum(calls) FROM costs.model_calls") == [(before,)]
    assert (ai.path / "data" / "vectors.db").read_bytes() == index
    assert len(figures(ai)) == runs + 1


def test_checking_yaml_and_definitions_finds_nothing_wrong(ai: Project):
    assert "valid" in ai.run("dg", "check", "yaml").stdout.lower()
    assert "successfully" in ai.run("dg", "check", "defs").stdout.lower()


def test_every_asset_is_listed_with_what_the_policy_asks_for(ai: Project):
    listed = json.loads(ai.run("dg", "list", "defs", "--json").stdout)
    required = ("group_name", "kinds", "description", "owners", "tags")
    assert [asset["asset_key"] for asset in listed["assets"] if not all(asset[name] for name in required)] == []
    assert len(listed["assets"]) == ASSETS
    assert len({line["asset"] for line in audited(ai)}) == ASSETS


@pytest.mark.browser
@pytest.mark.slot("ai", "answers", "embedded")
def test_the_page_searches_the_index_and_answers_with_citations(ai: Project, chromium: Any):
    from selenium.webdriver.support.ui import WebDriverWait

    module = "data_platform.components.retrieval.serve"
    server = subprocess.Popen(
        [uv(), "run", "--no-sync", "python", "-m", module, "data/pages/python.html", "--port", "0"],
        cwd=ai.path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        chromium.get((server.stdout.readline() if server.stdout else "").split()[0])
        chromium.find_element("id", "question").send_keys("When are default values of parameters evaluated?\n")
        wait = WebDriverWait(chromium, 20)
        answer = wait.until(lambda driver: driver.find_element("id", "answer").text)
        hits = chromium.find_element("id", "hits").text
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
    assert "evaluated from left to right when the function definition is executed" in answer.lower().replace("\n", " ")
    assert "python/function" in answer + hits
    assert not [line for line in chromium.get_log("browser") if line["level"] == "SEVERE"]


@pytest.mark.browser
def test_the_report_shows_size_quality_and_cost(ai: Project, chromium: Any):
    for log in ("browser", "performance"):
        chromium.get_log(log)
    chromium.get((ai.path / "data" / "pages" / "report.html").as_uri())
    deadline = time.monotonic() + 20
    while "By asset and model" not in (text := chromium.find_element("tag name", "main").text):
        assert time.monotonic() < deadline, text
    drawn = chromium.execute_script("return document.querySelectorAll('main canvas, main svg').length")
    [(passages,)] = ai.query("SELECT max(passages) FROM quality.python")
    assert str(passages) in text
    assert "enriched/reviews" in text
    assert "$0" in text.replace("US", "") or "0.00" in text
    assert drawn >= 3
    assert not [line for line in chromium.get_log("browser") if line["level"] == "SEVERE"]


def test_the_projects_own_tests_and_lint_pass(ai: Project):
    assert " passed" in ai.run("pytest").stdout
    ai.run("ruff", "check", ".")
    ai.run("ruff", "format", "--check", ".")
