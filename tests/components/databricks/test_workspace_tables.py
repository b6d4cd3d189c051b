"""Tables kept by a query in the workspace: every mode, by statements on the SQL warehouse."""

from collections.abc import Iterator
from typing import Any

import pytest
from dagster.components.testing import create_defs_folder_sandbox

from components.databricks import LakehouseTableComponent
from tests.components.databricks.local.project import LakehouseProject, failure, metadata
from tests.components.databricks.workspace.conftest import fake
from tests.fakes.databricks import FakeWorkspace

__all__ = ["fake"]
pytestmark = pytest.mark.slot("databricks", "delta-iceberg/delta", "fake")


@pytest.fixture
def project(fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[LakehouseProject]:
    monkeypatch.delenv("DATABRICKS_TARGET", raising=False)
    monkeypatch.setenv("DATABRICKS_CATALOG", "acme")
    monkeypatch.setenv("DATABRICKS_HTTP_PATH", "/sql/1.0/warehouses/abc123")
    fake.sql.dialect.attach("acme")
    with create_defs_folder_sandbox() as sandbox:
        yield LakehouseProject(sandbox)


def run(project: LakehouseProject, sql: str, **attributes: Any) -> Any:
    given = {"key": "gold/days", "description": "One row a day.", "catalog": "acme", "sql": sql, **attributes}
    project.add(LakehouseTableComponent, "days", given)
    return project.run()


def days(*rows: tuple[int, str]) -> str:
    return "SELECT * FROM VALUES " + ", ".join(f"({day}, '{word}')" for day, word in rows) + " AS v(day, word)"


def held(fake: FakeWorkspace, columns: str = "day, word") -> list[tuple]:
    return fake.sql.run(f"SELECT {columns} FROM acme.gold.days ORDER BY day, word")


def test_rows_are_replaced(project: LakehouseProject, fake: FakeWorkspace):
    run(project, days((1, "a"), (2, "b")))
    told = metadata(run(project, days((3, "c"))), "gold/days")

    assert held(fake) == [(3, "c")]
    assert (told["mode"], told["version"], told["dagster/row_count"]) == ("replace", 1, 1)


def test_rows_are_appended(project: LakehouseProject, fake: FakeWorkspace):
    for _ in range(2):
        assert run(project, days((1, "a")), mode="append").success

    assert held(fake) == [(1, "a"), (1, "a")]


def test_rows_are_merged_by_their_keys(project: LakehouseProject, fake: FakeWorkspace):
    how: dict[str, Any] = {"mode": "merge", "merge_keys": ["day"]}
    run(project, days((1, "a"), (2, "b")), **how)
    assert run(project, days((2, "new"), (3, "c")), **how).success

    assert held(fake) == [(1, "a"), (2, "new"), (3, "c")]


def test_only_the_partitions_that_the_query_has_are_replaced(project: LakehouseProject, fake: FakeWorkspace):
    how: dict[str, Any] = {"mode": "overwrite_partitions", "partition_by": ["day"]}
    run(project, days((1, "a"), (2, "b"), (2, "bb")), **how)
    assert run(project, days((2, "new"), (3, "c")), **how).success

    assert held(fake) == [(1, "a"), (2, "new"), (3, "c")]
    assert any("PARTITIONED BY (`day`)" in statement for _, statement in fake.sql.asked_by)
    assert any("REPLACE WHERE" in statement for _, statement in fake.sql.asked_by)


def test_other_columns_are_refused_and_the_table_stays(project: LakehouseProject, fake: FakeWorkspace):
    run(project, days((1, "a")), mode="append")
    told = failure(run(project, "SELECT 2 AS day, 'b' AS word, true AS sunny", mode="append"))

    assert "acme.gold.days: the columns changed: sunny is new" in told
    assert held(fake) == [(1, "a")]


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_new_columns_are_taken_where_they_may_be(project: LakehouseProject, fake: FakeWorkspace, mode: str):
    how: dict[str, Any] = {
        "mode": mode,
        "schema_changes": "evolve",
        **({"merge_keys": ["day"]} if mode == "merge" else {}),
    }
    run(project, days((1, "a")), **how)
    told = metadata(run(project, "SELECT 2 AS day, 'b' AS word, true AS sunny", **how), "gold/days")

    assert told["schema_changes"] == "sunny is new"
    assert held(fake, "day, word, sunny") == [(1, "a", None), (2, "b", True)]


def test_comments_and_properties_reach_the_catalog(project: LakehouseProject, fake: FakeWorkspace):
    run(project, days((1, "a")), columns={"day": "The day's number."}, properties={"quality": "gold"})

    comment = "SELECT comment FROM duckdb_tables() WHERE table_name = 'days'"
    column = "SELECT comment FROM duckdb_columns() WHERE table_name = 'days' AND column_name = 'day'"
    assert fake.sql.database.execute(comment).fetchall() == [("One row a day.",)]
    assert fake.sql.database.execute(column).fetchall() == [("The day's number.",)]
    assert fake.sql.dialect.showing.properties == {"acme.gold.days": {"quality": "gold"}}
