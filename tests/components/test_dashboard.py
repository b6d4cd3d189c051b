"""Dashboards, materialised: what is written, and what is said when something is wrong."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from components.bi.attributes import Tile
from components.bi.component import DashboardComponent, write_atomically
from components.bi.tiles import DashboardError, plan
from components.bi.values import to_dataset
from tests.components.dashboard_page import Page
from tests.components.dashboard_sample import (
    LINE,
    PAGE,
    create_sales,
    dashboard,
    every_tile,
    failure,
    materialize,
    metric,
    page,
)
from tests.components.warehouse.project import Project, any_project, project, scaffolded

__all__ = ["any_project", "project"]

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "templates/modern-data/src/[= package =]/defs/dashboards/flights/defs.yaml.jinja"
MARTS = REPOSITORY / "templates/modern-data/transform/models/marts/_marts.yml"


@pytest.fixture
def shop(project: Project) -> Project:
    create_sales(project)
    return project


def test_the_page_is_written_where_the_yaml_says(shop: Project) -> None:
    metadata = materialize(shop, every_tile())
    file = shop.root / PAGE
    assert metadata["path"] == str(file)
    assert metadata["url"] == file.as_uri()
    assert metadata["size_bytes"] == file.stat().st_size
    assert metadata["rows_per_tile"]["Orders"] == 108
    assert metadata["rows_per_tile"]["Nothing yet"] == 0
    assert "| Orders by region | bar | 108 |" in metadata["preview"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_two_runs_over_the_same_data_differ_in_the_footer_only(shop: Project) -> None:
    pages = []
    for _ in range(2):
        materialize(shop, every_tile())
        pages.append(page(shop))
    without_footer = [re.sub(r"<footer>.*?</footer>", "", text, flags=re.DOTALL) for text in pages]
    assert without_footer[0] == without_footer[1]
    assert pages[0] != pages[1]


def test_rows_are_embedded_once_for_equal_queries_and_without_columns_nobody_sees(shop: Project) -> None:
    materialize(shop, dashboard(metric(), metric(title="Again", value="mean_value", aggregate="max")))
    data = Page(page(shop)).data
    assert [dataset["columns"] for dataset in data["datasets"]] == [["orders", "mean_value"]]
    assert [tile["dataset"] for tile in data["tiles"]] == [0, 0]
    assert "not for readers" not in page(shop)


def test_a_missing_column_is_answered_with_the_columns_there_are(shop: Project) -> None:
    message = failure(shop, dashboard(metric(sql="select month, orders from shop.sales", value="order_count")))
    assert "tile 'Orders': its query gives no column 'order_count'; it gives month, orders" in message


def test_a_query_that_fails_is_shown_and_the_old_page_stays(shop: Project) -> None:
    materialize(shop, dashboard())
    before = page(shop)
    message = failure(shop, dashboard(metric(sql="select orderz from shop.sales")))
    assert "the query of tile 'Orders' failed" in message
    assert message.endswith("select orderz from shop.sales")
    assert page(shop) == before
    assert [path.name for path in (shop.root / "dashboards").iterdir()] == ["shop.html"]


def test_a_query_may_end_in_a_semicolon_or_a_comment(shop: Project) -> None:
    sql = "select * from shop.sales; -- all of it"
    assert materialize(shop, dashboard(metric(sql=sql)))["rows_per_tile"] == {"Orders": 108}


def test_too_many_rows_are_refused_with_advice(shop: Project) -> None:
    message = failure(shop, dashboard(max_rows=107))
    assert "tile 'Orders' has more than 107 rows (max_rows)" in message
    assert "Sum them up in its SQL" in message
    assert materialize(shop, dashboard(max_rows=108))["rows_per_tile"] == {"Orders": 108}


def test_several_rows_on_one_mark_need_an_aggregate(shop: Project) -> None:
    tile = LINE | {
        "sql": "select month, region, orders from shop.sales where channel = 'web'",
        "x": "month",
        "y": "orders",
    }
    message = failure(shop, dashboard(tile, filters=[{"column": "region"}]))
    assert "tile 'Trend': 3 rows fall on month = 2024-" in message
    assert "a row for each region, for the filter" in message
    assert "say how orders is summed up: aggregate: sum, mean (with weight), min or max" in message


@pytest.mark.parametrize(
    ("tile", "named"),
    [
        (metric(value="channel", aggregate="max"), "column 'channel' holds text such as "),
        (metric(aggregate="mean", weight="channel"), "column 'channel' holds text such as "),
        (metric(trend="channel", columns=[{"column": "channel", "format": "month"}]), "format: month needs dates"),
        (
            metric(trend="month", columns=[{"column": "month", "format": "weekday"}]),
            "column 'month' holds date such as ",
        ),
    ],
)
def test_columns_of_the_wrong_kind_are_named(shop: Project, tile: dict[str, Any], named: str) -> None:
    message = failure(shop, dashboard(tile))
    assert "tile 'Orders'" in message
    assert named in message


def test_two_columns_of_one_name_are_named() -> None:
    with pytest.raises(DashboardError, match="tile 'Trend': its query gives two columns called 'a'"):
        plan(Tile(**LINE), to_dataset(["a", "b", "a"], []), [])


def test_a_filter_that_no_query_gives_is_named_with_the_columns_there_are(shop: Project) -> None:
    message = failure(shop, dashboard(metric(sql="select month, orders from shop.sales"), filters=[{"column": "shop"}]))
    assert "filter 'shop': no tile's query gives that column; the queries give month, orders" in message


def test_the_footer_says_when_sources_were_materialised(shop: Project) -> None:
    @dg.asset(key=dg.AssetKey(["shop", "sales"]))
    def sales() -> None: ...

    with dg.instance_for_test() as instance:
        shop.add(DashboardComponent, "dashboard", dashboard())
        with shop.definitions() as definitions:
            assets = [sales, definitions.get_assets_def(dg.AssetKey(["dashboards", "shop"]))]
            dg.materialize(assets, instance=instance, resources={"warehouse": shop.warehouse})
    footer = page(shop).split("<footer>")[1]
    moment = r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ">'
    assert re.search(rf"<td>shop/sales</td><td>{moment}", footer)
    assert re.search(rf"Materialised {moment}.* by run [0-9a-f]{{8}} from DuckDB .*\(local target\)", footer)
    assert "<td>Orders</td><td>108</td>" in footer


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_atomically(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "lone surrogate \ud800")
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        write_atomically(file, "a folder stands there")
    assert list(tmp_path.iterdir()) == [file]


def test_what_the_scaffolder_writes_materialises(shop: Project, tmp_path: Path) -> None:
    attributes = scaffolded(DashboardComponent, tmp_path / "first", table="shop/sales", owner="team:shop")
    shop.add(DashboardComponent, "first", attributes)
    metadata = shop.materialize("dashboards/sales")["dashboards/sales"]
    assert metadata["rows_per_tile"] == {"Rows": 1, "First rows": 100}


def sample_attributes() -> dict[str, Any]:
    text = SAMPLE.read_text(encoding="utf-8").replace("[= package =]", "flights").replace("[= owner =]", "team:data")
    return yaml.safe_load(text)["attributes"]


def create_marts(project: Project, names: set[str]) -> None:
    """Empty marts with the columns of their contracts, then three rows each."""
    statements = ["create schema if not exists marts"]
    for mart in yaml.safe_load(MARTS.read_text(encoding="utf-8"))["models"]:
        if mart["name"] not in names:
            continue
        # dbt says `string` in each warehouse's own word.
        columns = {column["name"]: column["data_type"].replace("string", "varchar") for column in mart["columns"]}
        statements.append(f"create table marts.{mart['name']} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
        for row in range(3):
            fixed = {"flights": "100", "cancelled": "5", "delayed": "20", "origin": f"'{('EWR', 'JFK', 'LGA')[row]}'",
                     "dest_lat": "35", "dest_lon": "-80", "scheduled_hour": "9"}  # fmt: skip
            by_type = {"date": f"date '2013-0{row + 1}-15'", "varchar": "'name'"}
            values = [fixed.get(name, by_type.get(kind, str(row + 1))) for name, kind in columns.items()]
            statements.append(f"insert into marts.{mart['name']} values ({', '.join(values)})")
    project.warehouse.execute(*statements)


def test_the_flights_dashboard_runs_on_the_marts_as_their_contracts_say(any_project: Project) -> None:
    attributes = sample_attributes()
    create_marts(any_project, {key.removeprefix("marts/") for key in attributes["depends_on"]})
    any_project.add(DashboardComponent, "flights", attributes)
    rows = any_project.materialize("dashboards/flights")["dashboards/flights"]["rows_per_tile"]
    assert set(rows.values()) == {3}
    assert len(rows) == sum(tile["type"] != "section" for tile in attributes["tiles"])


def test_every_tile_of_the_flights_dashboard_follows_the_airport_filter(project: Project) -> None:
    attributes = sample_attributes()
    create_marts(project, {key.removeprefix("marts/") for key in attributes["depends_on"]})
    project.add(DashboardComponent, "flights", attributes)
    project.materialize("dashboards/flights")
    data = Page((project.root / attributes["output"]).read_text(encoding="utf-8")).data
    assert all("origin" in dataset["columns"] for dataset in data["datasets"])
