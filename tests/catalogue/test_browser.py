"""The site of a package with three releases in headless Chromium: search, links, light and dark, a narrow window."""

import json
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.catalogue.package import NAME, Package
from tests.catalogue.test_build import ATTRIBUTES, COLUMN, EXAMPLE, POLICY
from tests.chromium import chromium

__all__ = ["chromium"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    package = Package(tmp_path_factory.mktemp("site") / "package")
    package.write(f"src/{NAME}/policy.yaml", POLICY)
    package.component("TableComponent", "mode: Literal['append'] = 'append'", summary="A table of rows.")
    package.tag("v1.0.0")
    package.component("ViewComponent", "pass", family="views", summary="A view.")
    package.tag("v1.1.0")
    package.component("TableComponent", ATTRIBUTES, groups=COLUMN, example=EXAMPLE, summary="A table of rows.")
    package.tag("v2.0.0")
    package.write("../sales/defs/a/defs.yaml", f"type: {NAME}.TableComponent\n")
    done = package.catalogue("--repositories", package.root.parent / "sales")
    assert done.returncode == 0, done.stderr
    return package


class Site:
    """The finished site, opened as files: no server, no network."""

    def __init__(self, driver: webdriver.Chrome, package: Package) -> None:
        self.driver, self.root = driver, package.docs / "_build" / "html"

    def open(self, path: str) -> None:
        self.driver.get(f"{self.root.as_uri()}/{path}")

    def text(self, selector: str = "article") -> str:
        return self.driver.find_element("css selector", selector).text

    def js(self, script: str) -> object:
        return self.driver.execute_script(f"return {script}")

    def results(self) -> list[str]:
        WebDriverWait(self.driver, 10).until(lambda _: self.driver.find_elements("css selector", "ul.search li a"))
        return [link.text for link in self.driver.find_elements("css selector", "ul.search li > a")]


@pytest.fixture
def site(chromium: webdriver.Chrome, package: Package) -> Iterator[Site]:
    for log in ("browser", "performance"):
        chromium.get_log(log)
    chromium.set_window_size(1280, 1000)
    yield Site(chromium, package)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_every_page_opens_without_an_error_and_asks_the_network_for_nothing(site: Site) -> None:
    pages = sorted(page.relative_to(site.root).as_posix() for page in site.root.rglob("*.html"))
    assert len(pages) >= 8
    for page in pages:
        site.open(page)

    messages = [json.loads(entry["message"])["message"] for entry in site.driver.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert len(requests) > len(pages)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert [entry for entry in site.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("query", ["compute_size", "TableComponent", "append"])
def test_a_component_is_found_by_attribute_name_and_choice(site: Site, query: str) -> None:
    site.open(f"search.html?q={query}")

    assert "TableComponent" in site.results()


def test_what_is_found_leads_to_its_page(site: Site) -> None:
    site.open("index.html")
    box = site.driver.find_element("css selector", ".sidebar-search")
    box.send_keys("compute_size")
    box.submit()
    site.results()
    links = site.driver.find_elements("css selector", "ul.search li > a")
    next(link for link in links if link.text == "TableComponent").click()

    assert f"uv run dg scaffold defs {NAME}.TableComponent" in site.text()


def test_a_page_has_the_releases_the_policy_and_who_uses_it(site: Site) -> None:
    site.open("components/TableComponent.html")

    page = site.text()
    assert page.index("2.0.0 (") < page.index("1.0.0 (")
    assert "added columns[].name, required" in page
    assert 'mode: default "append" → required' in page
    assert "Hourly cost (USD)" in page
    assert "since 1.0.0" in page
    assert "used once in 1 repository" in page


def test_the_sidebar_leads_to_every_component_by_family(site: Site) -> None:
    site.open("index.html")

    tree = site.text(".sidebar-tree")
    assert [line for line in tree.splitlines() if line in ("VIEWS", "View", "WAREHOUSE", "Table", "Policy")] == [
        "Policy",
        "VIEWS",
        "View",
        "WAREHOUSE",
        "Table",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_in_dark(site: Site, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    site.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    site.open("components/TableComponent.html")

    back, text = (site.js(f"getComputedStyle(document.querySelector('{of}')).{what}") for of, what in COLOURS)
    assert contrast(str(back), str(text)) > 7
    assert (luminance(str(back)) > 0.5) == (scheme == "light")


def test_a_narrow_window_scrolls_tables_and_not_the_page(site: Site) -> None:
    site.driver.set_window_size(500, 900)
    site.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        site.open("components/TableComponent.html")
        assert site.js("document.documentElement.scrollWidth <= window.innerWidth")
        assert site.driver.find_element("css selector", ".table-wrapper table").is_displayed()
    finally:
        site.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


COLOURS = [("body", "backgroundColor"), ("article p", "color")]


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)
