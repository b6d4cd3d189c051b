"""The components as people meet them: what the YAML takes, what the scaffolders write, and that it runs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.component_scaffolding import scaffold_object

from components.retrieval.answers import AnswersComponent
from components.retrieval.evaluation import RetrievalEvaluationComponent
from components.retrieval.index import DocumentIndexComponent
from components.retrieval.page import SearchPageComponent
from components.retrieval.stores.attributes import StoreSettings
from tests.components.retrieval.library import page
from tests.components.warehouse.project import Project

ROOT = Path(__file__).parents[3]
INDEX = {"key": "search/docs", "description": "Documents.", "sources": [{"name": "docs", "folder": "documents"}]}


@pytest.mark.parametrize(
    ("component", "keys"),
    [
        (DocumentIndexComponent, {"search/documents"}),
        (AnswersComponent, {"search/documents", "search/answers"}),
        (RetrievalEvaluationComponent, {"search/documents", "search/quality"}),
        (SearchPageComponent, {"search/documents", "search/documents_page"}),
    ],
)
def test_what_a_scaffolder_writes_runs_as_it_is(project: Project, component: type, keys: set[str]) -> None:
    project.file("policy.yaml", "version: 1\n")
    folder = project.add(DocumentIndexComponent, "made", INDEX)
    (folder / "defs.yaml").unlink()
    scaffold_object(folder, f"{component.__module__}.{component.__name__}", "{}", "yaml", project.root)
    made = project.materialize()
    assert set(made) == keys
    assert made["search/documents"]["documents"] == 2


def test_an_index_has_what_the_policy_asks_for(project: Project) -> None:
    attributes = {**INDEX, "owners": ["team:search"], "group": "search", "tags": {"classification": "internal"}}
    project.add(DocumentIndexComponent, "docs", attributes)
    spec = project.spec("search/docs")
    assert (spec.owners, spec.group_name, spec.tags["classification"]) == (["team:search"], "search", "internal")
    assert spec.kinds == {"search", "sqlite"}
    with project.definitions() as definitions:
        names = {key.name for key in definitions.resolve_asset_graph().asset_check_keys}
    assert names == {"documents_read", "no_prompt_injection"}


def test_a_table_that_is_read_is_upstream(project: Project) -> None:
    source = {"name": "rows", "table": "staging/articles", "columns": {"id": "id", "text": "body"}}
    project.add(DocumentIndexComponent, "docs", {**INDEX, "sources": [source]})
    assert [dep.asset_key for dep in project.spec("search/docs").deps] == [dg.AssetKey(["staging", "articles"])]


def test_partitions_are_asked_for_by_their_number(project: Project) -> None:
    project.file("policy.yaml", "version: 1\n")
    for at in range(4):
        project.file(f"documents/{at}.md", page(f"thing {at}"))
    project.add(DocumentIndexComponent, "docs", {**INDEX, "partitions": 2})
    first = project.materialize("search/docs", partition="000")["search/docs"]
    second = project.materialize("search/docs", partition="001")["search/docs"]
    assert (first["live"], second["live"], second["documents"]) == (False, True, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": []}, "sources: expected at least one source"),
        ({"sources": [{"name": "a", "folder": "x"}, {"name": "a", "web": "y"}]}, "name 'a' is there more than once"),
        ({"sources": [{"name": "a"}]}, "expected one of folder, url, git, table, web, module, not none"),
        ({"store": {"type": "faiss"}}, "sqlite, chroma, lancedb, qdrant"),
        ({"chunking": {"size": 300, "overlap": 200}}, "overlap 200 is more than half of size 300"),
        ({"prompt_injection": "obey"}, "report, leave_out"),
    ],
)
def test_a_mistake_in_an_index_is_named(project: Project, changes: dict[str, Any], message: str) -> None:
    project.add(DocumentIndexComponent, "docs", {**INDEX, **changes})
    assert message in project.load_error()


def test_answers_take_their_questions_from_one_place(project: Project) -> None:
    given = {"key": "search/a", "description": "x", "index": "search/docs", "output": "a.jsonl"}
    project.add(AnswersComponent, "answers", given)
    assert "expected one of questions and questions_table, not neither" in project.load_error()


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"type": "pgvector", "path": "x"}, "path is for sqlite, chroma, lancedb, qdrant, milvus without url"),
        ({"type": "sqlite", "url": "http://x"}, "url is not for sqlite"),
        ({"type": "weaviate"}, "type weaviate needs url"),
        ({"type": "databricks", "namespace": "main", "endpoint": "e"}, "needs endpoint, and namespace as catalog"),
    ],
)
def test_a_store_that_does_not_fit_its_type_is_refused(attributes: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StoreSettings(**attributes)


def test_listing_the_components_imports_no_library_of_theirs() -> None:
    heavy = ["numpy", "pandas", "pypdf", "docx", "bs4", "markdown_it", "chromadb", "lancedb", "openai", "fsspec"]
    heavy += ["ray", "pyspark", "pyarrow"]
    script = (
        "import sys\n"
        "import dagster\n"
        "before = set(sys.modules)\n"
        "import components.retrieval as family\n"
        "[getattr(family, name) for name in family.__all__]\n"
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
