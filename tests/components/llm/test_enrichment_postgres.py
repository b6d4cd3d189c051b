"""An enrichment in a PostgreSQL server, whose tables are loaded and merged by SQL of its own."""

import pytest

from tests.components.llm.shop import Shop
from tests.components.warehouse.project import Project
from tests.fakes.models import FakeModels, Trouble


@pytest.mark.postgres
def test_rows_are_merged_in_postgres_too(project: Project, models: FakeModels, postgres_database: object) -> None:
    shop = Shop(project, models)
    models.troubles = [Trouble("refusal", times=9, match="ticket 1:")]
    assert shop.enrich()["dagster/row_count"] == 5
    shop.tell(
        "UPDATE raw.tickets SET body = 'changed' WHERE id = 1",
        "DELETE FROM raw.tickets WHERE id = 2",
        "INSERT INTO raw.tickets VALUES (9, 'new')",
    )
    metadata = shop.enrich()
    assert (metadata["calls"], metadata["rejected"], metadata["dagster/row_count"]) == (2, 0, 6)
    assert shop.rows("SELECT id FROM enriched.tickets ORDER BY id") == [(0,), (1,), (3,), (4,), (5,), (9,)]
