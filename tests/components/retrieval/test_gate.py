"""The evaluation gate: figures of a gold set, held against those accepted, and what comes after it waits."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from components.retrieval.accept import main as accept
from components.retrieval.answers import AnswersComponent
from components.retrieval.evaluation import RetrievalEvaluationComponent
from components.retrieval.gold import GoldError, read_gold
from components.retrieval.index import DocumentIndexComponent
from components.retrieval.page import SearchPageComponent
from tests.components.llm.conftest import models
from tests.components.retrieval.library import TOPICS, page
from tests.components.warehouse.project import Project
from tests.fakes.models import FakeModels, Trouble

__all__ = ["models"]

pytestmark = pytest.mark.slot("ai", "evaluation", "embedded")

QUESTIONS = [
    *({"question": f"How much is a ticket for the {topic}?", "documents": [f"docs/{at:04d}.md"]}
      for at, topic in enumerate(TOPICS)),
    {"question": "Who won the football world cup?", "documents": []},
]  # fmt: skip


class Search:
    """A project with an index, its gate, and answers and a page that wait for the gate."""

    def __init__(self, project: Project, **quality: Any) -> None:
        self.project = project
        project.file("policy.yaml", "version: 1\n")
        for at, topic in enumerate(TOPICS):
            project.file(f"documents/{at:04d}.md", page(topic))
        own = {"description": "x", "owners": ["team:search"], "group": "search"}
        index = {"key": "search/docs", "sources": [{"name": "docs", "folder": "documents"}], **own}
        project.add(DocumentIndexComponent, "docs", index)
        folder = project.add(
            RetrievalEvaluationComponent,
            "quality",
            {
                "key": "search/quality",
                "index": "search/docs",
                "gold_set": "gold.yaml",
                "demands": [{"figure": "recall", "minimum": 0.5, "max_drop": 0.02}, {"figure": "answered_right"}],
                **own,
                **quality,
            },
        )
        self.gold = folder / "gold.yaml"
        self.gold.write_text(yaml.safe_dump({"questions": QUESTIONS}))
        after = {"index": "search/docs", "depends_on": ["search/quality"], "owners": ["team:search"]}
        questions = {"questions": ["How much is a ticket for the quarry?", "Who won?"], "output": "data/a.jsonl"}
        project.add(AnswersComponent, "answers", {"key": "search/answers", "description": "x", **questions, **after})
        shown = {"title": "Docs", "output": "data/page.html", "evaluation": "search/quality", "index": "search/docs"}
        project.add(SearchPageComponent, "page", {"key": "search/page", **shown})

    def run(self) -> tuple[dict[str, dict[str, Any]], dict[str, dg.AssetCheckEvaluation], bool]:
        """Metadata of what was materialised, check results by name, and whether all went well."""
        with self.project.definitions() as definitions:
            done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
        made = {
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
            }
            for event in done.get_asset_materialization_events()
        }
        return made, {found.check_name: found for found in done.get_asset_check_evaluations()}, done.success


@pytest.fixture
def search(project: Project) -> Search:
    return Search(project)


def test_everything_runs_while_the_figures_hold_and_nothing_after_the_gate_once_they_do_not(search: Search) -> None:
    made, checks, success = search.run()
    assert success
    assert set(made) == {"search/docs", "search/quality", "search/answers", "search/page"}
    quality = made["search/quality"]
    assert (quality["recall"], quality["mrr"], quality["questions"]) == (1.0, 1.0, 11)
    assert (quality["quotes_real"], quality["sentences_supported"], quality["answered_right"]) == (1.0, 1.0, 1.0)
    assert quality["bm25_recall"] == 1.0
    assert quality["over_time"].startswith("![figures over time](data:image/svg+xml;base64,")
    assert checks["recall"].passed

    rows = [json.loads(line) for line in (search.project.root / "data" / "a.jsonl").read_text().splitlines()]
    assert rows[0]["answer"].startswith("A ticket for the quarry costs four coins. [1]")
    assert rows[0]["citations"][0]["document"] == "docs/0009.md"
    assert (rows[1]["answer"], rows[1]["refusal"]) == ("", "nothing in search_docs is about this")
    assert (made["search/answers"]["answered"], made["search/answers"]["not_answered"]) == (1, 1)

    assert accept(["search/quality", "--project", str(search.project.root)]) == 0
    for at in range(4):
        search.project.file(f"documents/{at:04d}.md", "# Closed\n\nNothing to see here.")
    made, checks, success = search.run()
    assert not success
    assert set(made) == {"search/docs", "search/quality"}
    assert not checks["recall"].passed
    assert checks["recall"].description == "recall is 0.600; at least 0.980 is needed (1.000 was accepted)"
    assert made["search/quality"]["missed"] == [item["question"] for item in QUESTIONS[:4]]


def test_worse_figures_can_be_accepted_and_let_the_rest_run_again(search: Search) -> None:
    root = search.project.root
    search.run()
    accept(["search/quality", "--project", str(root)])
    search.project.file("documents/0000.md", "# Closed\n\nNothing to see here.")
    assert not search.run()[2]
    assert accept(["search/quality", "--project", str(root)]) == 0
    accepted = yaml.safe_load((root / "evaluations" / "search_quality.yaml").read_text())
    assert accepted["figures"]["recall"] == 0.9
    assert search.run()[2]


@pytest.mark.slot("ai", "evaluation", "fake")
def test_a_model_that_invents_quotes_closes_the_gate(project: Project, models: FakeModels) -> None:
    said = {
        "answerable": True,
        "sentences": [
            {"text": "Four coins.", "citations": [{"passage": 1, "quote": "costs four coins"}]},
            {"text": "Closed on Mondays.", "citations": [{"passage": 1, "quote": "closed on Mondays"}]},
        ],
    }
    models.troubles = [Trouble("says", text=json.dumps(said), times=99)]
    search = Search(
        project,
        completion={"provider": "openai", "name": "gpt-5-mini", "base_url": f"{models.url}/v1"},
        demands=[{"figure": "recall", "minimum": 0.9}, {"figure": "quotes_real", "minimum": 0.9}],
    )
    made, checks, success = search.run()
    assert (success, set(made)) == (False, {"search/docs", "search/quality"})
    quality = made["search/quality"]
    assert (quality["recall"], quality["quotes_real"], quality["sentences_supported"]) == (1.0, 0.5, 0.5)
    assert (checks["recall"].passed, checks["quotes_real"].passed) == (True, False)
    assert quality["cost_usd"] > 0


def test_accepting_without_any_figures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accept(["search/quality", "--project", str(tmp_path)]) == 1
    assert "search/quality has no figures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("questions: [{question: a, document: b}]", "questions.0.document: Extra inputs are not permitted"),
        ("questions: [{question: a, documents: []}]", "no question names a document"),
        ("questions: [{question: a, documents: [x], id: q}, {question: b, id: q}]", "id 'q' is there more than once"),
        ("{", "is no YAML"),
    ],
)
def test_a_gold_set_that_is_wrong_is_explained(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "gold.yaml"
    file.write_text(content)
    with pytest.raises(GoldError, match=message):
        read_gold(file)


def test_a_passage_has_to_be_in_the_chunk_that_is_found(search: Search) -> None:
    gold = [{"question": "What does the violin cost?", "documents": ["docs/0003.md"], "passages": ["costs five coins"]}]
    search.gold.write_text(yaml.safe_dump({"questions": gold}))
    made, checks, _ = search.run()
    assert (made["search/quality"]["recall"], checks["recall"].passed) == (0.0, False)
