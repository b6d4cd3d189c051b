"""The migration guide's code as printed: the factory and the component make the same assets and the same data."""

import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.rendering import ROOT, render

PAGE = ROOT / "docs" / "how-to" / "from-asset-factories.md"
BLOCK = re.compile(r"\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
CUSTOMERS = "id,email\n1,ada@example.com\n2,bob@example.com\n"
ORDERS = "id,amount\n1,10\n2,20\n3,5\n"
KEYS = ["feeds/customers", "feeds/orders"]


def forget(*packages: str) -> None:
    """Let packages be imported again from what their files say now."""
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        del sys.modules[name]
    importlib.invalidate_caches()


class Shop:
    """The project of the page, with the company's package beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, text in FILES.items():
            if not path.startswith(("src/acme_components/", "tests/")):
                self.write(path, text)
        self.write("src/shop/__init__.py", "")
        self.write("src/shop/defs/__init__.py", "")
        self.write("landing/customers.csv", CUSTOMERS)
        self.write("landing/orders.csv", ORDERS)
        self.write("pyproject.toml", '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "shop"\n')

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def tool(self, name: str) -> Any:
        """A script of the page as a module."""
        spec = importlib.util.spec_from_file_location(name, self.root / "tools" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def definitions(self) -> dg.Definitions:
        forget("shop")
        return importlib.import_module("shop.definitions").defs()

    def graph(self, printed: pytest.CaptureFixture[str]) -> Any:
        """What the page's script prints."""
        forget("shop")
        self.tool("asset_graph").main("shop.definitions")
        return json.loads(printed.readouterr().out)

    def materialized(self, instance: dg.DagsterInstance) -> tuple[dict[str, Any], dict[str, str]]:
        """A run of everything: row counts and checks by key, and the data."""
        done = self.definitions().resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
        rows = {
            event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata[
                "dagster/row_count"
            ].value
            for event in done.get_asset_materialization_events()
            if event.asset_key
        }
        checks = {
            f"{check.asset_key.to_user_string()}:{check.check_name}": (check.passed, check.metadata["rows"].value)
            for check in done.get_asset_check_evaluations()
        }
        folder = self.root / "data" / "feeds"
        return rows | checks, {path.name: path.read_text() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's package with the page's component in it."""
    folder = render(template, tmp_path_factory.mktemp("acme"), {"kind": "component-package", "families": ["notebooks"]})
    for path, text in FILES.items():
        if path.startswith(("src/acme_components/", "tests/")):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return folder


@pytest.fixture
def shop(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("FEED_SALT", "some-salt")
    made = Shop(tmp_path / "shop")
    monkeypatch.syspath_prepend(package / "src")
    monkeypatch.syspath_prepend(made.root / "src")
    yield made
    forget("shop", "acme_components")


def test_the_page_holds_every_file_that_the_steps_need():
    assert list(FILES) == [
        "feeds.yaml",
        "src/shop/factory.py",
        "tools/asset_graph.py",
        "src/acme_components/own/feed_component.py",
        "tests/own/test_feed_component.py",
        "src/shop/definitions.py",
        "tools/move_feed.py",
    ]


def test_each_moved_asset_leaves_the_graph_the_data_and_the_history_as_they_were(
    shop: Shop, capsys: pytest.CaptureFixture[str]
):
    before = shop.graph(capsys)
    assert list(before["assets"]) == KEYS
    assert before["assets"]["feeds/orders"]["deps"] == ["feeds/customers"]
    assert before["assets"]["feeds/orders"]["checks"] == ["enough_rows"]
    assert before["schedules"]["feed_orders_schedule"] == {"job": "feed_orders", "cron": "30 5 * * *"}
    with dg.DagsterInstance.ephemeral() as instance:
        made, data = shop.materialized(instance)
        assert made["feeds/orders:enough_rows"] == (True, 3)
        assert "ada@example.com" not in data["customers.jsonl"]

        for number, name in enumerate(("orders", "customers"), start=2):
            shop.tool("move_feed").move(shop.root, name)
            assert shop.graph(capsys) == before
            assert shop.materialized(instance) == (made, data)
            for key in KEYS:
                records = instance.fetch_materializations(dg.AssetKey.from_user_string(key), limit=9).records
                assert len(records) == number

    assert "feeds: []" in (shop.root / "feeds.yaml").read_text()


def test_the_script_shows_a_key_that_changed(shop: Shop, capsys: pytest.CaptureFixture[str]):
    before = shop.graph(capsys)
    shop.tool("move_feed").move(shop.root, "orders")
    file = shop.root / "src/shop/defs/feeds/orders/defs.yaml"
    file.write_text(file.read_text().replace("name: orders", "name: order"))
    assert set(before["assets"]) ^ set(shop.graph(capsys)["assets"]) == {"feeds/orders", "feeds/order"}


def test_the_pages_own_tests_of_the_component_pass(package: Path, shop: Shop):
    path = package / "tests/own/test_feed_component.py"
    spec = importlib.util.spec_from_file_location("page_tests", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = [getattr(module, name) for name in dir(module) if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


def test_under_the_companys_policy_the_moved_assets_load(shop: Shop):
    from acme_components.governance import governed  # type: ignore[import-not-found]  # on the path of this test

    for name in ("orders", "customers"):
        shop.tool("move_feed").move(shop.root, name)
    keys = governed(shop.definitions(), shop.root).resolve_all_asset_keys()
    assert sorted(key.to_user_string() for key in keys) == KEYS
