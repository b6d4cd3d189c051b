"""dbt Cloud against a local fake that runs dbt Core: models are assets, tests checks, and a run of them a run there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.components.stock.conftest import StockProject
from tests.fakes.tls_proxy import Answer
from tests.fakes.vendors.dbt_cloud import ACCOUNT, ENVIRONMENT, PROJECT, DbtCloud, parsed_project

pytestmark = pytest.mark.e2e  # each test runs dbt
ATTRIBUTES = {"account_id": ACCOUNT, "project_id": PROJECT, "environment_id": ENVIRONMENT, "poll_seconds": 0.01}


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return parsed_project(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def cloud(parsed: Path, tmp_path: Path, at_vendor: Callable) -> tuple[DbtCloud, Callable[..., StockProject]]:
    fake = DbtCloud(parsed, tmp_path / "shop")

    def made(**attributes: Any) -> StockProject:
        project = at_vendor(fake, "DbtCloudComponent", **ATTRIBUTES | attributes)
        project.refresh()
        return project

    return fake, made


@pytest.mark.slot("modern-data", "dbt-cloud", "fake")
def test_models_are_assets_tests_are_checks_and_a_run_of_them_is_a_run_there(cloud: Any):
    fake, made = cloud
    project = made()
    specs = project.specs()
    ran = project.run("marts/orders", "marts/totals")

    assert specs.keys() == {"marts/orders", "marts/totals"}
    assert [dep.asset_key.to_user_string() for dep in specs["marts/totals"].deps] == ["marts/orders"]
    assert specs["marts/orders"].owners == ["team:bi"]
    assert specs["marts/orders"].description.startswith("Orders of the shop.")
    assert "dbtcloud" in specs["marts/orders"].kinds
    assert fake.steps == ["dbt parse", "dbt build"]
    assert ran.success, ran.log
    assert ran.made["marts/totals"]["unique_id"] == "model.shop.totals"
    assert ran.made["marts/totals"]["run_url"].endswith("/runs/1002")
    assert ran.checks == {"not_null_orders_id": True, "unique_orders_id": True}


def test_a_selection_is_dbts_own(cloud: Any):
    _, made = cloud
    assert made(select="tag:nightly").specs().keys() == {"marts/totals", "marts/orders"}
    assert made(select="tag:nightly").definitions().resolve_asset_graph().materializable_asset_keys == {
        dg.AssetKey(["marts", "totals"])
    }


def test_what_a_run_selects_is_all_that_is_built_and_a_broken_test_fails_it(cloud: Any):
    fake, made = cloud
    project = made()
    (fake.project / "models" / "orders.sql").write_text("select id, 1 as amount from (values (1), (1)) as t(id)")
    ran = project.run("marts/orders")
    assert fake.steps[-1] == "dbt build --select fqn:shop.orders"
    assert not ran.success
    assert "dbt Cloud run 1002 failed" in ran.log
    assert "test.shop.unique_orders_id" in ran.log
    assert "Got 1 result, configured to fail if != 0" in ran.log


def test_a_run_that_somebody_cancels_there_is_no_success(cloud: Any):
    fake, made = cloud
    project = made()
    fake.outcome = "cancelled"
    ran = project.run("marts/orders")
    assert "dbt Cloud run 1002 was cancelled" in ran.log
    assert (ran.success, ran.made) == (False, {})


def test_a_run_that_never_ends_is_cancelled_and_the_limit_named(cloud: Any):
    fake, made = cloud
    project = made(max_runtime_minutes=0.02)
    fake.never_ends = True
    ran = project.run("marts/orders")
    assert "dbt Cloud run 1002 took longer than max_runtime_minutes (0.02); it was cancelled there" in ran.log
    assert fake.cancelled


def test_a_token_that_is_revoked_half_way_is_named_and_shown_nowhere(cloud: Any):
    fake, made = cloud
    project = made()
    fake.fail("GET /api/v2/accounts/70403/runs", Answer({"status": {"user_message": "Invalid"}}, 401), times=None)
    ran = project.run("marts/orders")
    assert "dbt Cloud refuses the credentials (401); DBT_CLOUD_TOKEN may be wrong, expired or revoked" in ran.log
    assert fake.secrets["DBT_CLOUD_TOKEN"] not in ran.log + project.state.read_text()


def test_loading_needs_no_token_and_a_run_names_it(cloud: Any, monkeypatch: pytest.MonkeyPatch):
    fake, made = cloud
    project = made()
    monkeypatch.delenv("DBT_CLOUD_TOKEN")
    asked = len(fake.asked)
    ran = project.run("marts/orders")
    assert "dbt Cloud needs DBT_CLOUD_TOKEN" in ran.log
    assert len(fake.asked) == asked


def test_dbt_cloud_down_at_refresh_leaves_the_old_state(cloud: Any):
    fake, made = cloud
    project = made()
    before = project.state.read_text()
    fake.fail("", Answer({}, 503), times=None)
    with pytest.raises(dg.Failure, match="dbt Cloud"):
        project.refresh()
    assert project.state.read_text() == before


def test_without_state_the_sample_project_is_built_here_and_says_so(
    parsed: Path, stock_project: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("WAREHOUSE_TARGET", raising=False)
    project = stock_project("DbtCloudComponent", **ATTRIBUTES, sample="{{ context.project_root }}/transform")
    fake = DbtCloud(parsed, project.root / "transform")
    ran = project.run("marts/orders", "marts/totals")
    assert ran.success, ran.log
    assert "SAMPLE: DBT_CLOUD_TOKEN not set, so dbt Cloud was not asked" in ran.log
    assert project.specs()["marts/totals"].metadata["sample"] is True
    assert fake.asked == []
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    assert "WAREHOUSE_TARGET is production, where no sample stands in" in project.run("marts/orders").log
    monkeypatch.delenv("WAREHOUSE_TARGET")
    monkeypatch.setenv("DBT_CLOUD_TOKEN", "a-token")
    assert "Run: dg utils refresh-defs-state" in project.run("marts/orders").log
