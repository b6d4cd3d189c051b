"""Census syncs are fetched on request, meet the policy, and run."""

import re
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest
from dagster_census import CensusResource

from tests.components.stock.census_server import KEY, running_census


@pytest.fixture
def census(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    with running_census() as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/api/v1"
        # The client knows one address only, and no option names another.
        monkeypatch.setattr(CensusResource, "api_base_url", property(lambda _: address))
        yield server


@pytest.fixture
def project(census: ThreadingHTTPServer, stock_project: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    project = stock_project("CensusComponent", workspace="sales", poll_seconds=0.01, group="activation")
    project.refresh()
    return project


def test_a_refresh_reads_every_page_and_tries_again_after_a_failure(project, census: ThreadingHTTPServer):
    assert set(project.specs()) == {"census/accounts_to_crm", "census/leads_weekly", "census/broken_sync"}
    assert census.asked == ["GET /api/v1/syncs", "GET /api/v1/syncs", "GET /api/v1/syncs?page=2"]


def test_loading_asks_nothing_and_needs_no_key(project, census: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CENSUS_API_KEY")
    census.asked.clear()
    assert len(project.specs()) == 3
    assert census.asked == []


def test_each_sync_has_owner_group_tags_kinds_and_description(project):
    for spec in project.specs().values():
        assert (spec.owners, spec.group_name, spec.tags["domain"]) == (["team:bi"], "activation", "sales")
        assert "census" in spec.kinds
        assert spec.description


def run(project, key: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = project.definitions().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        asset_selection=[dg.AssetKey.from_user_string(key)], instance=instance, raise_on_error=False
    )


def test_a_run_starts_the_sync_waits_for_it_and_keeps_its_counts(
    project, census: ThreadingHTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(project, "census/accounts_to_crm", instance)
        texts = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    [made] = result.get_asset_materialization_events()
    assert result.success
    assert made.asset_key == dg.AssetKey(["census", "accounts_to_crm"])
    assert made.materialization.metadata["census/records_processed"].value == 7
    assert census.asked.count("GET /api/v1/sync_runs/100") == 2
    assert KEY not in texts + caplog.text
    state = "".join(path.read_text() for path in tmp_path.rglob("state*") if path.is_file())
    assert "Accounts to CRM" in state
    assert KEY not in state


def test_a_sync_that_fails_fails_the_run(project):
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(project, "census/broken_sync", instance)
        texts = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert not result.success
    assert "the CRM refused" in texts
    assert result.get_asset_materialization_events() == []


def test_a_sync_that_does_not_end_in_time_is_given_up(
    census: ThreadingHTTPServer, stock_project: Callable, monkeypatch
):
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    project = stock_project("CensusComponent", workspace="sales", poll_seconds=0.01, max_runtime_minutes=0.0001)
    project.refresh()
    census.slow = True
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(project, "census/accounts_to_crm", instance)
        texts = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert not result.success
    assert "max_runtime_minutes (0.0001)" in texts


def test_a_missing_key_is_named_when_a_run_needs_it(project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CENSUS_API_KEY")
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(project, "census/accounts_to_crm", instance)
        texts = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert not result.success
    assert re.search("CENSUS_API_KEY", texts)


def test_without_state_the_project_says_what_to_run(stock_project: Callable):
    project = stock_project("CensusComponent", workspace="sales")
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        project.definitions()
    assert "dg utils refresh-defs-state" in str(raised.value.__cause__)
