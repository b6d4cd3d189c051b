"""What a dashboard's YAML may say, and how a mistake in it is named."""

from typing import Any

import jsonschema
import pytest

from components.bi.component import DashboardComponent
from components.bi.lineage import tables_read
from tests.components.dashboard_sample import (
    KEY,
    LINE,
    dashboard,
    every_tile,
    metric,
)
from tests.components.warehouse.project import Project, project

__all__ = ["project"]


MISTAKES = [
    (metric(type="pie"), "pie"),
    (metric(value=None), "value"),
    (LINE | {"trend": "a"}, "trend"),
    ({key: value for key, value in LINE.items() if key != "x"}, "x"),
    (metric(colour="red"), "colour"),
    (metric(aggregate="median"), "median"),
    (metric(width=13), "13"),
    (metric(format="money"), "money"),
]


@pytest.mark.parametrize(("tile", "named"), MISTAKES)
def test_a_mistake_in_a_tile_is_named_when_the_project_loads(
    project: Project, tile: dict[str, Any], named: str
) -> None:
    project.add(DashboardComponent, "dashboard", dashboard(tile, depends_on=["shop/sales"]))
    error = project.load_error()
    assert named in error
    assert "defs.yaml" in error


@pytest.mark.parametrize(("tile", "named"), MISTAKES)
def test_the_json_schema_finds_the_same_mistakes(tile: dict[str, Any], named: str) -> None:
    validator = jsonschema.Draft202012Validator(DashboardComponent.get_model_cls().model_json_schema())
    errors = [error.message for error in validator.iter_errors(dashboard(tile))]
    assert any(named in error for error in errors), errors


def test_the_json_schema_accepts_every_type_of_tile() -> None:
    schema = DashboardComponent.get_model_cls().model_json_schema()
    jsonschema.validate(every_tile(), schema, jsonschema.Draft202012Validator)


def test_a_wrong_key_of_a_tile_is_answered_with_the_valid_ones(project: Project) -> None:
    project.add(DashboardComponent, "dashboard", dashboard(LINE | {"trend": "a"}))
    assert "tile 'Trend' (line): trend is no key of it; valid are type, title, description, width, sql, x, y" in (
        project.load_error()
    )


@pytest.mark.parametrize(
    ("tile", "message"),
    [
        (metric(aggregate="mean"), "aggregate: mean needs weight"),
        (metric(weight="orders"), "weight is only for aggregate: mean"),
        (metric(format="currency", unit="euro"), "three-letter currency code as unit, not 'euro'"),
        (LINE | {"y": ["b", "c"], "series": "d"}, "series needs a single y"),
        (LINE | {"y": []}, "y is empty"),
        (LINE | {"type": "heatmap", "y": ["a", "b"], "value": "c"}, "y takes one column"),
        (LINE | {"type": "scatter", "series": "a", "value": "c"}, "either series or value"),
        (LINE | {"columns": [{"column": "z"}]}, "columns has 'z', which is not drawn; drawn are a, b"),
        (LINE | {"columns": [{"column": "a"}, {"column": "a"}]}, "columns has 'a' twice"),
        (LINE | {"type": "bar", "sort": "-z"}, "sort: '-z' is not drawn; drawn are a, b"),
        ({"title": "T", "type": "table", "sql": "select 1 as a", "columns": [{"column": "a", "aggregate": "mean"}]},
         "column 'a': aggregate: mean needs weight"),
    ],
)  # fmt: skip
def test_attributes_that_contradict_each_other_are_named(tile: dict[str, Any], message: str, project: Project) -> None:
    project.add(DashboardComponent, "dashboard", dashboard(tile))
    assert message in project.load_error()


@pytest.mark.parametrize(
    "output", ["../out.html", "/tmp/out.html", "out.txt", "a/../b.html", "C:\\out.html", "a//b.html"]
)
def test_a_page_outside_the_project_is_refused(project: Project, output: str) -> None:
    project.add(DashboardComponent, "dashboard", dashboard(output=output))
    assert "output" in project.load_error()


def test_a_table_that_is_read_but_not_depended_on_is_named(project: Project) -> None:
    project.add(DashboardComponent, "dashboard", dashboard(depends_on=[]))
    assert "depends_on does not list every table that is read: tile 'Orders' reads shop/sales" in project.load_error()


def test_the_asset_has_what_governance_asks_for(project: Project) -> None:
    project.add(DashboardComponent, "dashboard", dashboard())
    spec = project.spec(KEY)
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["shop/sales"]
    assert (spec.owners, spec.group_name, spec.description) == (
        ["team:shop"],
        "dashboards",
        "What sells, where and when.",
    )
    assert spec.kinds == {"dashboard", "html"}
    assert spec.tags["domain"] == "shop"


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select * from marts.a", ["marts/a"]),
        ('select * from "marts"."a b" as x join lake.raw.c using (id)', ["marts/a b", "raw/c"]),
        ("select * from marts.a x, marts.b as y, (select 1) z", ["marts/a", "marts/b"]),
        ("with t as (select * from marts.a) select * from t", ["marts/a"]),
        ("select extract(year from t.day), trim(both from t.b) from marts.a t", ["marts/a"]),
        ("select a is distinct from t.b from marts.a t", ["marts/a"]),
        ("select 'from x.y' -- from c.d\n/* from e.f */ from marts.a", ["marts/a"]),
        ("select * FROM\n  Marts.A\nLEFT JOIN\n  marts.b ON true", ["Marts/A", "marts/b"]),
        ("select * from information_schema.tables, range(3)", []),
    ],
)
def test_the_tables_of_a_query_are_found(sql: str, tables: list[str]) -> None:
    assert tables_read(sql) == tables
