"""The enriched table: typed, complete, and held against what people said."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.conftest import metadata

pytestmark = pytest.mark.materialises


def rows(project: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(project / "data" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_sentence_has_a_sentiment_and_a_topic_of_the_schema(project: Path, first_run: dg.ExecuteInProcessResult):
    [(sentences, sentiments, topics)] = rows(
        project, "SELECT count(*), list(DISTINCT sentiment), list(DISTINCT topic) FROM enriched.reviews"
    )
    assert sentences == metadata(first_run, "enriched/reviews")["dagster/row_count"]
    assert set(sentiments) <= {"positive", "neutral", "negative"}
    assert set(topics) <= {"product", "film", "other"}


def test_where_a_side_is_taken_people_mostly_agree(project: Path, first_run: dg.ExecuteInProcessResult):
    agreed = "sum(same_with_a_side) / sum(with_a_side)"
    shares = rows(project, f"SELECT judged_as, {agreed} FROM enriched.review_agreement GROUP BY 1 ORDER BY 1")
    assert [name for name, _ in shares] == ["sentiment", "topic"]
    assert all(share > 0.75 for _, share in shares), shares
