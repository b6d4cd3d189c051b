"""SQL of the warehouse family runs in the workspace: statements, and AI functions that only the workspace has."""

import pytest

from components.warehouse.component import WarehouseComponent
from components.warehouse.sql_table import SqlTableComponent
from tests.components.warehouse.project import Project
from tests.fakes.databricks import FakeWorkspace

MODEL = "databricks-meta-llama-3-3-70b-instruct"


@pytest.fixture
def production(governed: Project, fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose warehouse is the workspace's."""
    governed.add(WarehouseComponent, "warehouse", {"engine": "databricks"})
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    monkeypatch.setenv("DATABRICKS_HTTP_PATH", "/sql/1.0/warehouses/abc123")
    monkeypatch.setenv("DATABRICKS_CATALOG", "acme")
    fake.catalog.add("acme.raw")
    fake.sql.run("CREATE TABLE acme.raw.reviews AS SELECT 1 AS id, 'late again' AS text UNION ALL SELECT 2, 'fine'")
    return governed


def table(project: Project, sql: str) -> None:
    attributes = {"key": "marts/reviews", "description": "One row a review.", "sql": sql, "dialect": "databricks"}
    project.add(SqlTableComponent, "reviews", attributes)


@pytest.mark.slot("databricks", "sql-warehouse", "fake")
def test_a_table_is_made_by_a_statement_on_the_warehouse(production: Project, fake: FakeWorkspace):
    table(production, "SELECT id, length(text) AS letters FROM raw.reviews")
    assert production.materialize("marts/reviews")["marts/reviews"]["dagster/row_count"] == 2
    assert fake.sql.run("SELECT letters FROM acme.marts.reviews ORDER BY id") == [(10,), (4,)]


@pytest.mark.slot("databricks", "ai-functions", "fake")
def test_ai_functions_reach_the_workspace_as_they_are_written(production: Project, fake: FakeWorkspace):
    fake.sql.dialect.ai = lambda endpoint, prompt: "negative" if "late" in prompt else "positive"
    table(
        production,
        f"SELECT id, ai_query('{MODEL}', concat('Mood of: ', text)) AS mood, ai_analyze_sentiment(text) AS s "
        "FROM raw.reviews",
    )
    production.materialize("marts/reviews")
    assert fake.sql.run("SELECT mood, s FROM acme.marts.reviews ORDER BY id") == [
        ("negative", "negative"),
        ("positive", "positive"),
    ]
    assert any("ai_query" in sent["statement"].lower() for sent in fake.sent("sql/statements") if "statement" in sent)


@pytest.mark.slot("databricks", "ai-functions", "fake")
def test_an_endpoint_that_is_not_there_is_told_in_the_words_of_the_warehouse(production: Project, fake: FakeWorkspace):
    table(production, "SELECT ai_query('gone', text) AS mood FROM raw.reviews")
    assert "Endpoint gone not found" in production.failure("marts/reviews")


def test_a_mistake_in_the_sql_is_found_before_the_workspace_is_asked(production: Project, fake: FakeWorkspace):
    table(production, "SELECT ai_query('x', FROM raw.reviews")
    assert "marts/reviews" in production.failure("marts/reviews")
    assert fake.asked("sql/statements") == 0
