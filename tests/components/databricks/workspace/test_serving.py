"""A model is served by a canary, and taken back where it fails; an index follows its table."""

from typing import Any

import pytest

from components.databricks.workspace.serving import ServingEndpointComponent
from components.databricks.workspace.vector_search import VectorSearchIndexComponent
from tests.components.warehouse.project import Project, scaffolded
from tests.fakes.databricks import FakeWorkspace, Fault

serving = pytest.mark.slot("databricks", "model-serving", "fake")
search = pytest.mark.slot("databricks", "vector-search", "fake")
ENDPOINT = {
    "key": "serving/delays",
    "description": "Predicts delays.",
    "endpoint": "delays",
    "registered_model": "acme.ml.delays",
    "canary": {"percent": 10, "probes": [{"hour": 9}, {"hour": 18}]},
    "owners": ["team:data"],
}
INDEX = {
    "key": "search/chunks",
    "description": "Finds paragraphs.",
    "index": "acme.docs.chunks_index",
    "endpoint": "search",
    "source_table": "acme.docs.chunks",
    "primary_key": "id",
    "text_column": "text",
    "embedding_endpoint": "databricks-gte-large-en",
}


@pytest.fixture
def delays(governed: Project, fake: FakeWorkspace) -> Project:
    """A project that serves the champion of a model with two versions: the first."""
    fake.models.add("acme.ml.delays", 2, champion=1)
    governed.add(ServingEndpointComponent, "serving", ENDPOINT)
    return governed


def served(fake: FakeWorkspace) -> dict[str, int]:
    """What the endpoint serves, with shares."""
    routes = fake.serving.endpoints["delays"]["config"]["traffic_config"]["routes"]
    return {each["served_model_name"]: each["traffic_percentage"] for each in routes}


def deploy(project: Project) -> dict[str, Any]:
    return project.materialize("serving/delays")["serving/delays"]


@serving
def test_the_champion_is_served_and_a_second_run_changes_nothing(delays: Project, fake: FakeWorkspace):
    assert deploy(delays)["change"] == "created"
    assert served(fake) == {"delays-1": 100}
    assert {"key": "cost_owner", "value": "team-data"} in fake.sent("POST /api/2.0/serving-endpoints")[0]["tags"]
    assert deploy(delays)["change"] == "none"
    assert fake.asked("PUT") == 0


@serving
def test_a_new_champion_gets_a_tenth_of_the_requests_first_and_then_all(delays: Project, fake: FakeWorkspace):
    deploy(delays)
    fake.models.add("acme.ml.delays", 2, champion=2, previous=1)
    told = deploy(delays)
    assert (told["change"], told["version"], told["version_before"]) == ("replaced", "2", "1")
    shares = [
        {each["served_model_name"]: each["traffic_percentage"] for each in body["traffic_config"]["routes"]}
        for body in fake.sent("PUT")
    ]
    assert shares == [{"delays-1": 90, "delays-2": 10}, {"delays-2": 100}]
    assert fake.asked("served-models/delays-2/invocations") == 3


@serving
def test_a_champion_that_cannot_answer_is_taken_back(delays: Project, fake: FakeWorkspace):
    deploy(delays)
    fake.models.add("acme.ml.delays", 2, champion=2)

    def broken(_: Any) -> float:
        raise ValueError("no column distance")

    fake.serving.answers = {"acme.ml.delays/2": broken}
    said = delays.failure("serving/delays")
    assert "version 2 was rolled back to delays-1: 3 of 3 probes failed" in said
    assert "no column distance" in said
    assert served(fake) == {"delays-1": 100}


def test_a_champion_that_cannot_be_deployed_is_taken_back(delays: Project, fake: FakeWorkspace):
    deploy(delays)
    fake.models.add("acme.ml.delays", 2, champion=2)
    fake.serving.undeployable = {"acme.ml.delays/2"}
    assert "rolled back to delays-1: the change of endpoint delays ended as UPDATE_FAILED" in delays.failure()
    assert served(fake) == {"delays-1": 100}


def test_a_first_version_that_cannot_answer_leaves_no_endpoint(delays: Project, fake: FakeWorkspace):
    fake.serving.answers = {"acme.ml.delays/1": lambda record: 1 / 0}
    assert "version 1 was taken back: 3 of 3 probes failed" in delays.failure()
    assert fake.serving.endpoints == {}


def test_an_alias_that_is_not_there_is_named(delays: Project, fake: FakeWorkspace):
    fake.models.add("acme.ml.delays", 1)
    assert "looking for acme.ml.delays@champion: Alias 'champion'" in delays.failure()


def test_a_size_that_is_not_approved_is_refused_when_definitions_load(delays: Project):
    delays.add(ServingEndpointComponent, "serving", {**ENDPOINT, "workload_size": "Large"})
    assert "workload_size: 'Large'; policy.yaml approves Small" in delays.load_error()


def test_what_the_scaffolder_writes_is_served(governed: Project, fake: FakeWorkspace):
    fake.models.add("main.ml.model", 1, champion=1)
    governed.add(ServingEndpointComponent, "serving", scaffolded(ServingEndpointComponent, governed.root / "s"))
    assert governed.materialize("serving/model")["serving/model"]["change"] == "created"


@pytest.fixture
def chunks(governed: Project, fake: FakeWorkspace) -> Project:
    """A project with an index over a table of two rows."""
    fake.catalog.add("acme.docs")
    fake.sql.run("CREATE TABLE acme.docs.chunks AS SELECT 1 AS id, 'hello' AS text UNION ALL SELECT 2, 'world'")
    governed.add(VectorSearchIndexComponent, "search", INDEX)
    return governed


@search
def test_an_index_is_made_waited_for_and_follows_its_table(chunks: Project, fake: FakeWorkspace):
    made = chunks.materialize("search/chunks")["search/chunks"]
    assert (made["change"], made["dagster/row_count"]) == ("created", 2)
    fake.sql.run("INSERT INTO acme.docs.chunks VALUES (3, 'again')")
    made = chunks.materialize("search/chunks")["search/chunks"]
    assert (made["change"], made["dagster/row_count"]) == ("synchronised", 3)
    assert fake.search.indexes["acme.docs.chunks_index"]["syncs"] == 1


@search
def test_the_index_answers_the_real_client(chunks: Project, fake: FakeWorkspace):
    from databricks.sdk import WorkspaceClient

    chunks.materialize("search/chunks")
    answer = WorkspaceClient().vector_search_indexes.query_index(INDEX["index"], ["id", "text"], query_text="hello")
    assert [row[:2] for row in answer.result.data_array] == [["1", "hello"], ["2", "world"]]


def test_an_index_with_embeddings_of_our_own_names_their_column(chunks: Project, fake: FakeWorkspace):
    given = {key: value for key, value in INDEX.items() if key not in ("text_column", "embedding_endpoint")}
    chunks.add(VectorSearchIndexComponent, "search", {**given, "vector_column": "embedding", "dimensions": 384})
    chunks.materialize("search/chunks")
    [sent] = fake.sent("POST /api/2.0/vector-search/indexes")
    column = {"name": "embedding", "embedding_dimension": 384}
    assert sent["delta_sync_index_spec"]["embedding_vector_columns"] == [column]


def test_an_index_that_fails_says_why(chunks: Project, fake: FakeWorkspace):
    fake.search.fails_with = "Index synchronisation failed: change data feed is not enabled"
    assert "change data feed is not enabled" in chunks.failure("search/chunks")


def test_an_index_whose_answer_gets_lost_is_found_again(chunks: Project, fake: FakeWorkspace):
    fake.faults = [Fault("POST /api/2.0/vector-search/indexes", 500, after=True)]
    assert chunks.materialize("search/chunks")["search/chunks"]["dagster/row_count"] == 2


def test_an_index_needs_texts_or_embeddings(chunks: Project):
    chunks.add(VectorSearchIndexComponent, "search", {**INDEX, "vector_column": "embedding", "dimensions": 384})
    assert "expected text_column with embedding_endpoint, or vector_column with dimensions" in chunks.load_error()


def test_what_the_scaffolder_writes_is_an_index(governed: Project, fake: FakeWorkspace):
    fake.catalog.add("main_docs.docs")
    attributes = scaffolded(VectorSearchIndexComponent, governed.root / "s")
    fake.sql.run("CREATE TABLE main_docs.docs.chunks AS SELECT 1 AS id, 'a' AS text")
    names = {"index": "main_docs.docs.i", "source_table": "main_docs.docs.chunks"}  # DuckDB keeps main to itself
    governed.add(VectorSearchIndexComponent, "search", {**attributes, **names})
    assert governed.materialize("search/chunks")["search/chunks"]["dagster/row_count"] == 1
