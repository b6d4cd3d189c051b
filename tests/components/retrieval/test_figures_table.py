"""Figures of an evaluation as a table: every run, with the size of the index, a baseline and what was accepted."""

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from components.bi import DashboardComponent
from components.retrieval.accept import main as accept
from components.retrieval.figures_table import COLUMNS, RetrievalFiguresComponent
from tests.components.retrieval.test_gate import Search
from tests.components.warehouse.project import Project

FIGURES = {"key": "quality/docs", "description": "x", "evaluation": "search/quality", "group": "search"}


def search(project: Project) -> Search:
    """The project of the gate, with its figures in a warehouse."""
    made = Search(project)
    project.add(RetrievalFiguresComponent, "figures", FIGURES)
    return made


def rows(project: Project, sql: str) -> list[tuple]:
    with duckdb.connect(str(project.root / "data" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_run_is_there_with_size_baseline_and_what_was_accepted(project: Project):
    made = search(project)
    made.run()
    assert accept(["search/quality", "--project", str(project.root)]) == 0
    metadata, _, went_well = made.run()

    [(columns,)] = rows(project, "SELECT list(column_name ORDER BY ordinal_position) FROM information_schema.columns")
    found = rows(project, "SELECT figure_value, bm25, accepted, passages FROM quality.docs WHERE figure = 'recall'")
    assert went_well
    assert columns == list(COLUMNS)
    assert len(found) == metadata["quality/docs"]["runs"] == 2
    assert all(row[0] == 1.0 and row[1] is not None and row[2] == 1.0 and row[3] >= 10 for row in found)
    assert metadata["quality/docs"]["over_time"].startswith("![figures over time](data:image/svg+xml")


def test_without_a_run_of_the_evaluation_it_is_named(project: Project):
    search(project)
    with project.definitions() as definitions, pytest.raises(dg.Failure, match="search/quality has no figures yet"):
        definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(["quality", "docs"])]
        )


@pytest.mark.browser
def test_a_report_shows_the_point_of_a_first_run(project: Project, chromium: Any):
    made = search(project)
    sql = "select measured_at, figure, figure_value from quality.docs"
    tile = {"title": "Quality", "type": "line", "sql": sql, "x": "measured_at", "y": "figure_value", "series": "figure"}
    page = {"key": "reports/docs", "title": "Docs", "output": "data/report.html", "depends_on": ["quality/docs"]}
    project.add(DashboardComponent, "report", {**page, "tiles": [{**tile, "aggregate": "max"}]})
    metadata, _, _ = made.run()

    chromium.get(Path(metadata["reports/docs"]["path"]).as_uri())
    spans = chromium.execute_script("return Object.values(Chart.instances).map(c => c.scales.x.max - c.scales.x.min)")
    inside = chromium.execute_script(
        "const [c] = Object.values(Chart.instances); const p = c.getDatasetMeta(0).data[0];"
        "return p.x > c.chartArea.left && p.x < c.chartArea.right"
    )
    assert spans == [24 * 3_600_000]
    assert inside
