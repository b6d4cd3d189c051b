"""The dashboard in headless Chromium: what is drawn, what a reader may do, and that nothing leaves the page."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.chromium import chromium
from tests.components.dashboard_sample import create_sales, every_tile, materialize
from tests.components.warehouse.project import Project, project

__all__ = ["chromium", "project"]

pytestmark = pytest.mark.browser


class Browser:
    """The page of the shop, freshly opened, and the warehouse it was made from."""

    def __init__(self, driver: webdriver.Chrome, project: Project) -> None:
        self.driver, self.project = driver, project
        create_sales(project)
        self.file = Path(materialize(project, every_tile())["path"])
        self.open()

    def open(self) -> None:
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get(self.file.as_uri())

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(f"return {script}", *arguments)

    def tile(self, title: str) -> WebElement:
        xpath = f"//article[.//h3[starts-with(normalize-space(), '{title}')]]"
        return self.driver.find_element("xpath", xpath)

    def text(self, title: str, selector: str) -> str:
        return self.tile(title).find_element("css selector", selector).text

    def figure(self, title: str) -> str:
        return self.text(title, ".figure")

    def choose(self, region: str) -> None:
        Select(self.driver.find_element("css selector", "[data-filter]")).select_by_visible_text(region)

    def table(self, title: str) -> list[list[str]]:
        rows = self.tile(title).find_elements("css selector", "table tbody tr")
        return [[cell.text for cell in row.find_elements("css selector", "td")] for row in rows]

    def data(self, title: str) -> list[list[str]]:
        """The rows behind a chart, by its button."""
        button = self.tile(title).find_element("css selector", ".data-toggle")
        if button.get_attribute("aria-pressed") == "false":
            button.click()
        return self.table(title)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        return self.project.rows(query)

    def wait(self, condition: Any) -> Any:
        return WebDriverWait(self.driver, 5).until(lambda _: condition())


@pytest.fixture
def browser(chromium: webdriver.Chrome, project: Project) -> Iterator[Browser]:
    opened = Browser(chromium, project)
    yield opened
    opened.js("localStorage.clear()")


def test_the_page_opens_without_an_error_and_asks_the_network_for_nothing(browser: Browser) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert browser.file.as_uri() in requests
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert browser.driver.get_log("browser") == []


def test_the_policy_of_the_page_stops_a_script_that_would_reach_out(browser: Browser) -> None:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        outcome = browser.driver.execute_async_script(
            "const done = arguments[1]; new Image().src = arguments[0] + 'image';"
            "fetch(arguments[0] + 'fetch').then(() => done('fetched'), () => done('blocked'));",
            address,
        )
        server.shutdown()
    assert outcome == "blocked"
    assert asked == []


def test_every_tile_is_drawn(browser: Browser) -> None:
    painted = browser.wait(
        lambda: browser.js(
            """[...document.querySelectorAll("canvas")].map((canvas) => {
              const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
              let count = 0;
              for (let at = 3; at < pixels.length; at += 4) count += pixels[at] > 0;
              return count;
            })"""
        )
    )
    assert len(painted) == 6
    assert min(painted) > 2_000
    assert len(browser.tile("When").find_elements("css selector", ".heatmap tbody td")) == 7 * 10
    assert len(browser.table("Channels")) == 3
    assert browser.tile("Orders").find_elements("css selector", ".spark-line")
    assert browser.text("Nothing yet", ".empty") == "No rows"
    assert browser.js("document.querySelectorAll('.tile .body:empty').length") == 0


def test_figures_are_what_sql_says_with_and_without_a_filter(browser: Browser) -> None:
    weighted = "select sum(orders), round(sum(mean_value * orders) / sum(orders), 1) from shop.sales"
    for region, condition in [("All", "true"), ("north", "region = 'north'"), ("(none)", "region is null")]:
        browser.choose(region)
        orders, value = browser.sql(f"{weighted} where {condition}")[0]
        assert browser.figure("Orders") == f"{orders:,}"
        assert browser.figure("Order value") == f"{value:.1f} EUR"
    everything = browser.sql("select sum(orders) from shop.sales")[0][0]
    assert browser.text("Orders", ".note") == f"All: {everything:,}"


def test_a_tile_without_the_column_says_that_the_filter_leaves_it_alone(browser: Browser) -> None:
    browser.choose("south")
    assert browser.figure("No region") == "108"
    assert browser.text("No region", ".note") == "Not by region"


def test_a_filter_can_be_cleared(browser: Browser) -> None:
    before = browser.figure("Orders")
    browser.choose("south")
    assert browser.figure("Orders") != before
    browser.driver.find_element("css selector", ".filters button").click()
    browser.wait(lambda: browser.figure("Orders") == before)
    assert not browser.driver.find_element("css selector", ".filters button").is_displayed()


def test_charts_show_the_filtered_and_weighted_data(browser: Browser) -> None:
    browser.choose("north")
    expected = browser.sql(
        "select strftime(month, '%-d %b %Y'), sum(mean_value * orders) / sum(orders) "
        "from shop.sales where region = 'north' group by month order by month"
    )
    shown = browser.data("Value by month")
    assert [row[0].replace("Sept", "Sep") for row in shown] == [month for month, _ in expected]
    assert [row[1] for row in shown] == [f"{value:.1f}\u00a0EUR".replace("\u00a0", " ") for _, value in expected]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_a_date_is_the_same_day_wherever_it_is_read(browser: Browser, zone: str) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
    try:
        browser.open()
        days = [row[0] for row in browser.data("Value by month")]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    assert (days[0], days[-1]) == ("1 Jan 2024", "1 Dec 2024")


def test_bars_are_sorted_and_limited(browser: Browser) -> None:
    expected = browser.sql("select hour, sum(orders) from shop.sales group by hour order by 2 desc, 1 limit 3")
    assert browser.text("Best hours", ".note") == "3 of 10 shown"
    shown = browser.data("Best hours")[:3]
    assert [row[1] for row in shown] == [str(orders) for _, orders in expected]


def test_data_replaces_a_chart_and_comes_back(browser: Browser) -> None:
    tile = browser.tile("Orders by region")
    assert browser.data("Orders by region") == [
        ["north" if region == "north" else region or "\u2013", str(orders)]
        for region, orders in browser.sql(
            "select region, sum(orders) from shop.sales group by region order by min(rowid)"
        )
    ]
    assert not tile.find_elements("css selector", "canvas")
    tile.find_element("css selector", ".data-toggle").click()
    assert tile.find_elements("css selector", "canvas")


def test_a_table_sorts_by_its_heads(browser: Browser) -> None:
    by_orders = [
        channel for (channel,) in browser.sql("select channel from shop.sales group by 1 order by sum(orders) desc, 1")
    ]
    heads = "th:nth-child(2) button"
    assert [row[0] for row in browser.table("Channels")] == sorted(by_orders)
    browser.tile("Channels").find_element("css selector", heads).click()
    assert [row[0] for row in browser.table("Channels")] == by_orders
    assert (
        browser.tile("Channels").find_element("css selector", "th[aria-sort]").get_attribute("aria-sort")
        == "descending"
    )
    browser.tile("Channels").find_element("css selector", heads).click()
    assert [row[0] for row in browser.table("Channels")] == by_orders[::-1]
    assert browser.js("document.activeElement.textContent").startswith("Orders")


def test_the_theme_follows_the_system_until_one_is_chosen_and_is_remembered(browser: Browser) -> None:
    def ground() -> str:
        return browser.js("getComputedStyle(document.body).backgroundColor")

    light = ground()
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    dark = browser.wait(lambda: ground() != light and ground())
    browser.driver.find_element("id", "theme").click()
    assert ground() == light
    browser.open()
    assert ground() == light
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.driver.find_element("id", "theme").click()
    assert ground() == dark
    assert browser.driver.find_element("id", "theme").get_attribute("aria-pressed") == "true"


def test_arrow_keys_read_a_chart_to_a_screen_reader(browser: Browser) -> None:
    first, second = browser.sql(
        "select sum(mean_value * orders) / sum(orders) from shop.sales group by month order by month limit 2"
    )
    canvas = browser.tile("Value by month").find_element("css selector", "canvas")
    canvas.send_keys(Keys.ARROW_RIGHT)
    said = browser.js("document.getElementById('announcement').textContent")
    assert said == f"1 Jan 2024: Mean value {first[0]:.1f}\u00a0EUR"
    canvas.send_keys(Keys.ARROW_RIGHT)
    said = browser.js("document.getElementById('announcement').textContent")
    assert said == f"1 Feb 2024: Mean value {second[0]:.1f}\u00a0EUR"
    assert browser.driver.find_element("id", "tip").text.splitlines()[0] == "1 Feb 2024"


def test_arrow_keys_walk_through_a_heatmap(browser: Browser) -> None:
    browser.tile("When").find_element("css selector", "td[tabindex='0']").send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    focused = browser.driver.switch_to.active_element
    orders = browser.sql(
        "select coalesce(sum(orders)::varchar, '\u2013') from shop.sales where weekday = 2 and hour = 9"
    )[0][0]
    assert focused.get_attribute("aria-label") == f"Tue, 9: {orders}"


def test_everything_that_can_be_used_has_a_name(browser: Browser) -> None:
    nameless = browser.js(
        """[...document.querySelectorAll("button, select, canvas, svg, a, [tabindex='0']")].filter((node) =>
          !(node.getAttribute("aria-label") || node.textContent.trim() || node.closest("label"))).length"""
    )
    assert nameless == 0


@pytest.mark.parametrize("width", [420, 768, 1280])
def test_nothing_is_wider_than_the_window(browser: Browser, width: int) -> None:
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    try:
        browser.open()
        assert browser.js("document.documentElement.scrollWidth") <= width
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
