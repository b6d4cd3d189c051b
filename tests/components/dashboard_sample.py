"""A small shop whose dashboard has every type of tile, and the page that its materialisation wrote."""

from typing import Any

from components.bi.component import DashboardComponent
from tests.components.warehouse.project import Project

KEY = "dashboards/shop"
PAGE = "dashboards/shop.html"
LINE = {"title": "Trend", "type": "line", "sql": "select 1 as a, 2 as b", "x": "a", "y": "b"}

_SALES = """
create table shop.sales as
select
    cast(date '2024-01-01' + to_months(cast(m as integer)) as date) as month,
    case r when 0 then 'north' when 1 then 'south' else null end as region,
    case c when 0 then 'web' when 1 then 'shop' else 'phone' end as channel,
    cast(1 + (m * 7 + r * 5 + c * 3) % 11 as integer) as orders,
    cast(10 + (m * 13 + r * 29 + c * 17) % 40 as decimal(10, 2)) + 0.25 as mean_value,
    1 + (m + c) % 7 as weekday,
    8 + (m * 3 + r) % 10 as hour,
    'not for readers' as secret
from range(12) as months(m), range(3) as regions(r), range(3) as channels(c)
"""


def create_sales(project: Project) -> None:
    """Make the table that the dashboard reads: 108 rows, some of a region that is null."""
    project.warehouse.execute("create schema if not exists shop", "drop table if exists shop.sales", _SALES)


def metric(**changes: Any) -> dict[str, Any]:
    """A tile that is right, with changes; None takes a key away."""
    tile = {
        "title": "Orders", "type": "metric", "sql": "select * from shop.sales", "value": "orders", "aggregate": "sum"
    } | changes  # fmt: skip
    return {key: value for key, value in tile.items() if value is not None}


def dashboard(*tiles: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Attributes of a dashboard over the sales."""
    return {
        "key": KEY,
        "title": "The shop",
        "description": "What sells, where and when.",
        "output": PAGE,
        "owners": ["team:shop"],
        "tags": {"domain": "shop"},
        "depends_on": ["shop/sales"],
        "tiles": list(tiles) or [metric()],
    } | changes


def every_tile() -> dict[str, Any]:
    """Attributes of a dashboard with every type of tile and a filter."""
    sales = "select month, region, channel, orders, mean_value, weekday, hour from shop.sales"
    mean = {"aggregate": "mean", "weight": "orders", "format": "decimal", "unit": "EUR"}
    by_month = {"column": "month", "format": "month"}
    return dashboard(
        {"title": "At a glance", "type": "section", "description": "The year in four figures."},
        metric(sql=sales, trend="month", better="higher", columns=[by_month]),
        metric(title="Order value", sql=sales, value="mean_value", **mean),
        metric(title="No region", sql="select count(*) as days from shop.sales", value="days", aggregate=None),
        {"title": "Over time", "type": "section"},
        {"title": "Value by month", "type": "line", "sql": sales, "x": "month", "y": "mean_value", **mean},
        {"title": "Orders by channel", "type": "area", "sql": sales, "x": "month", "y": "orders", "series": "channel",
         "aggregate": "sum"},
        {"title": "Orders by month", "type": "stacked_bar", "sql": sales, "x": "month", "y": ["orders"],
         "series": "channel", "aggregate": "sum", "columns": [by_month]},
        {"title": "Orders by region", "type": "bar", "sql": sales, "x": "region", "y": "orders", "aggregate": "sum"},
        {"title": "Best hours", "type": "horizontal_bar", "sql": sales, "x": "hour", "y": "orders", "aggregate": "sum",
         "sort": "-orders", "limit": 3, "columns": [{"column": "hour", "format": "hour"}]},
        {"title": "Value and orders", "type": "scatter", "sql": sales, "x": "orders", "y": "mean_value",
         "series": "channel"},
        {"title": "When", "type": "heatmap", "sql": sales, "x": "hour", "y": "weekday", "value": "orders",
         "aggregate": "sum", "columns": [{"column": "weekday", "format": "weekday"}]},
        {"title": "Channels", "type": "table", "sql": sales, "sort": "channel", "columns": [
            {"column": "channel", "label": "Channel"},
            {"column": "orders", "aggregate": "sum"},
            {"column": "mean_value", "label": "Value", "aggregate": "mean", "weight": "orders", "format": "currency",
             "unit": "EUR"},
        ]},
        {"title": "Nothing yet", "type": "line", "sql": "select month, orders from shop.sales where orders > 1000",
         "x": "month", "y": "orders"},
        filters=[{"column": "region", "label": "Region"}],
    )  # fmt: skip


def materialize(project: Project, attributes: dict[str, Any]) -> dict[str, Any]:
    """Materialise the dashboard; its metadata."""
    project.add(DashboardComponent, "dashboard", attributes)
    return project.materialize(KEY)[KEY]


def failure(project: Project, attributes: dict[str, Any]) -> str:
    """What materialising the dashboard fails with."""
    project.add(DashboardComponent, "dashboard", attributes)
    return project.failure(KEY)


def page(project: Project) -> str:
    """The page as it was written."""
    return (project.root / PAGE).read_text(encoding="utf-8")
