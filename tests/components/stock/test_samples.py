"""Until a key is set, a component runs on its sample in target local, says so, and never does in production."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

import components.stock
from components.secrets import SecretError
from tests.components.stock.conftest import StockProject
from tests.components.stock.vendor_cases import CASES
from tests.fakes.vendors.looker import Looker
from tests.rendering import ROOT

DEFS = ROOT / "templates" / "modern-data" / "src" / "[= package =]" / "defs"
SEEDED = {
    "FivetranAccountComponent": "ingestion/fivetran",
    "AirbyteWorkspaceComponent": "ingestion/airbyte",
    "PowerBIWorkspaceComponent": "bi/powerbi",
    "TableauComponent": "bi/tableau",
    "LookerComponent": "bi/looker",
    "CensusComponent": "activation/census",
    "HightouchSyncComponent": "activation/hightouch",
}
RUNS = {
    "FivetranAccountComponent": ["fivetran_stripe/charge", "fivetran_stripe/customer"],
    "AirbyteWorkspaceComponent": ["airbyte_hubspot/companies", "airbyte_hubspot/contacts"],
    "PowerBIWorkspaceComponent": ["powerbi/semantic_model_flight_performance"],
    "TableauComponent": ["tableau/carriers"],
    "LookerComponent": ["looker/view_carrier_facts"],
    "CensusComponent": ["census/carriers_to_crm"],
    "HightouchSyncComponent": ["hightouch/carriers_to_crm"],
}
EVERY = pytest.mark.parametrize("name", SEEDED)


@pytest.fixture
def seeded(stock_project: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], StockProject]:
    """A function that makes a project of what the starter seeds for a vendor."""
    monkeypatch.delenv("WAREHOUSE_TARGET", raising=False)

    def make(name: str) -> StockProject:
        folder = DEFS / SEEDED[name]
        text = (folder / "defs.yaml.jinja").read_text()
        attributes = yaml.safe_load(text.replace("[=", "").replace("=]", ""))["attributes"]
        project = stock_project(name, **attributes | {"owners": ["team:bi"], "tags": {"domain": "sales"}})
        if (folder / "sample").exists():
            shutil.copytree(folder / "sample", project.root / "src" / "company" / "defs" / "stock" / "sample")
        monkeypatch.setenv("WAREHOUSE_DUCKDB_FILE", str(project.root / "local.duckdb"))
        with duckdb.connect(str(project.root / "local.duckdb")) as connection:
            connection.execute("create schema marts")
            connection.execute("create table marts.carrier_performance as select 'AA' as carrier, 7 as flights")
        return project

    return make


@EVERY
def test_the_sample_materialises_and_says_loudly_that_it_is_one(seeded: Callable, name: str):
    project = seeded(name)
    ran = project.run(*RUNS[name])
    assert ran.success, ran.log
    assert ran.made.keys() == set(RUNS[name])
    assert all(metadata["sample"] is True for metadata in ran.made.values())
    assert f"not set, so {project.type.title} was not asked" in ran.log


@EVERY
def test_in_production_no_sample_stands_in_and_the_missing_key_is_named(
    seeded: Callable, name: str, monkeypatch: pytest.MonkeyPatch
):
    project = seeded(name)
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    ran = project.run(*RUNS[name])
    assert (ran.success, ran.made) == (False, {})
    assert f"{project.type.title} needs {', '.join(project.component.secret_names)}" in ran.log


def test_sources_load_their_rows_into_the_local_warehouse(seeded: Callable):
    project = seeded("FivetranAccountComponent")
    ran = project.run(*RUNS["FivetranAccountComponent"])
    with duckdb.connect(str(project.root / "local.duckdb")) as connection:
        found = connection.execute(
            "select count(*), sum(amount) > 0 from fivetran_stripe.charge join fivetran_stripe.customer c "
            "on customer_id = c.id"
        ).fetchall()
    assert found == [(24, True)]
    assert ran.made["fivetran_stripe/charge"]["dagster/row_count"] == 24


@pytest.mark.parametrize("name", ["HightouchSyncComponent", "CensusComponent"])
def test_activation_writes_what_it_would_send(seeded: Callable, name: str):
    project = seeded(name)
    [made] = project.run(*RUNS[name]).made.values()
    assert [json.loads(line) for line in Path(made["path"]).read_text().splitlines()] == [
        {"carrier": "AA", "flights": 7}
    ]
    assert Path(made["path"]).is_relative_to(project.root / "data" / "activation")


def test_a_key_that_is_set_beside_the_sample_names_the_command_to_run(
    seeded: Callable, monkeypatch: pytest.MonkeyPatch
):
    project = seeded("CensusComponent")
    monkeypatch.setenv("CENSUS_API_KEY", "a-key")
    ran = project.run("census/carriers_to_crm")
    assert (
        "With CENSUS_API_KEY set, these assets are still those of the sample. Run: dg utils refresh-defs-state"
        in ran.log
    )


@pytest.mark.parametrize("name", [name for name in SEEDED if name != "HightouchSyncComponent"])
def test_a_refresh_without_a_key_changes_nothing_and_is_refused_in_production(
    seeded: Callable, name: str, monkeypatch: pytest.MonkeyPatch
):
    """CI refreshes the state of every component, whoever has which account."""
    project = seeded(name)
    project.refresh()
    assert set(RUNS[name]) <= project.specs().keys()
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    with pytest.raises(SecretError, match=project.component.secret_names[0]):
        project.refresh()


def test_a_sample_without_its_rows_loads_nothing(seeded: Callable):
    project = seeded("FivetranAccountComponent")
    sample = project.root / "src" / "company" / "defs" / "stock" / "sample"
    (sample / "fivetran_stripe" / "charge.csv").unlink()
    ran = project.run(*RUNS["FivetranAccountComponent"])
    with duckdb.connect(str(project.root / "local.duckdb")) as connection:
        tables = connection.execute("select table_name from information_schema.tables").fetchall()
    assert "the sample has no" in ran.log
    assert tables == [("carrier_performance",)]


@pytest.mark.parametrize("name", [name for name in SEEDED if name != "HightouchSyncComponent"])
def test_the_seeded_state_is_what_a_refresh_finds(at_vendor: Callable, name: str):
    """The shape of the samples is the vendor's: a refresh against the fake gives the same state."""
    case: Any = CASES.get(name)
    fake = case.fake() if case else Looker()
    attributes = case.attributes if case else {"base_url": "https://acme.cloud.looker.com"}
    project = at_vendor(fake, name, **attributes)
    project.refresh()
    seeded = json.loads((DEFS / SEEDED[name] / "sample" / "state.json").read_text())
    assert json.loads(project.state.read_text()) == seeded


def test_every_seeded_vendor_is_a_component():
    assert set(dir(components.stock)) >= SEEDED.keys()
