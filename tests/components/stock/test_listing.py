"""Stock components are listed where their library is installed, cost nothing to list, and scaffold no secret."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

import components.stock
from tests.rendering import ROOT

NAMES = dir(components.stock)
LISTING = """
import sys, components.stock as stock
schemas = [getattr(stock, name).get_model_cls().model_json_schema() for name in dir(stock)]
heavy = ["requests", "looker_sdk", "tableauserverclient", "aiohttp", "sqlglot", "databricks"]
heavy += ["dagster_" + name for name in ("dbt", "fivetran", "airbyte", "powerbi", "hightouch", "census", "looker")]
print(len(schemas), [name for name in heavy if name in sys.modules])
"""


def test_all_twelve_are_listed_where_their_libraries_are():
    assert len(NAMES) == 12


def test_a_component_without_its_library_is_not_listed(monkeypatch: pytest.MonkeyPatch):
    present = components.stock.find_spec
    monkeypatch.setattr(components.stock, "find_spec", lambda name: name != "dagster_looker" and present(name))
    assert "LookerComponent" not in dir(components.stock)


def test_listing_imports_no_vendors_library():
    done = subprocess.run([sys.executable, "-c", LISTING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "12 []\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_first_file_names_secrets_and_fits_the_schema(name: str):
    component = getattr(components.stock, name)
    with create_defs_folder_sandbox() as sandbox:
        path: Path = sandbox.scaffold_component(component)
        written = yaml.safe_load((path / "defs.yaml").read_text())
    component.get_model_cls().model_validate(written["attributes"])


@pytest.mark.parametrize("name", ["DatabricksAssetBundleComponent", "DatabricksWorkspaceComponent"])
def test_databricks_takes_the_name_of_a_token_and_never_asks_for_the_token(name: str):
    component = getattr(components.stock, name)
    assert component.get_model_cls().model_fields["token"].default == "DATABRICKS_TOKEN"
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component)
        assert "token: DATABRICKS_TOKEN" in (path / "defs.yaml").read_text()


@pytest.mark.parametrize("key", ["looker_resource", "base_ulr"])
def test_an_unknown_key_is_named(stock_project: Callable, key: str):
    project = stock_project("LookerComponent", base_url="https://acme.example.com", **{key: "x"})
    with pytest.raises(Exception, match="stock") as raised:
        project.definitions()
    assert key in str(raised.value.__cause__)


def test_a_secret_in_place_of_its_name_is_refused():
    model = components.stock.OmniComponent.get_model_cls()
    with pytest.raises(ValueError, match="api_key"):
        model.model_validate({"base_url": "https://acme.example.com", "api_key": "sk 8f=/+!"})
    assert issubclass(components.stock.OmniComponent, dg.Component)
