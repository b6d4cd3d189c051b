"""Updates of pipelines are started once, followed to their end, and ended with their run."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.databricks.pipeline.spec import DataSet, PipelineError, PipelineSpec, UpdateResult
from components.databricks.workspace.client import Workspace
from components.databricks.workspace.pipelines import run_update
from tests.fakes.databricks import FakeWorkspace, Fault
from tests.fakes.databricks.pipelines import Made, Script

pytestmark = pytest.mark.slot("databricks", "pipelines", "fake")
DATASETS = {
    "acme.silver.flights": Made(90, {"has_carrier": (90, 10)}),
    "acme.silver.delays": Made(12),
}
LONG = Script(DATASETS, looks=math.inf)


@pytest.fixture
def spec(root: Path) -> PipelineSpec:
    file = root / "pipeline" / "flights.sql"
    file.parent.mkdir()
    file.write_text("CREATE MATERIALIZED VIEW flights AS SELECT 1 AS id\n")
    data_sets = (
        DataSet("silver.flights", "streaming_table"),
        DataSet("silver.delays", "materialized_view", reads=("silver.flights",)),
    )
    return PipelineSpec("flights", (file,), root, "acme", "silver", data_sets, owner="team:data", max_runtime_minutes=5)


class Run:
    """What a run does, with its log."""

    def __init__(self, workspace: Workspace, spec: PipelineSpec) -> None:
        self.workspace, self.spec = workspace, spec
        self.lines: list[str] = []

    def __call__(self, *names: str, **changes: Any) -> UpdateResult:
        return run_update(self.workspace, replace(self.spec, **changes), names, self.lines.append, "run-1")


@pytest.fixture
def run(workspace: Workspace, spec: PipelineSpec, fake: FakeWorkspace) -> Run:
    fake.pipelines.scripts = [Script(DATASETS)]
    return Run(workspace, spec)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, looks: int, what: Callable[[], Any]) -> None:
    """Do something when a run has waited so often."""
    left = iter(range(looks))

    def pause() -> None:
        if next(left, None) is None:
            what()

    monkeypatch.setattr("components.databricks.workspace.waiting.pause", pause)


def kill() -> None:
    raise KeyboardInterrupt


def test_a_pipeline_is_made_run_and_its_rows_and_expectations_come_back(run: Run, fake: FakeWorkspace):
    done = run()
    assert done.datasets["silver.flights"].expectations == {"has_carrier": (90, 10)}
    assert done.datasets["silver.flights"].details["rows_written"] == 90  # a streaming table has more than these
    assert (done.datasets["silver.flights"].rows, done.datasets["silver.delays"].rows) == (None, 12)
    [made] = fake.pipelines.pipelines.values()
    assert (made["serverless"], made["budget_policy_id"], made["catalog"]) == (True, "bp-7", "acme")
    assert made["tags"] == {"dagster_asset": "flights", "cost_owner": "data"}
    path = made["libraries"][0]["file"]["path"]
    assert fake.files.place(path).read_text().startswith("CREATE MATERIALIZED VIEW")
    assert done.url == f"{fake.address}/pipelines/pipe-1/updates/update-2"
    assert "Flow 'acme.silver.flights' has COMPLETED." in run.lines


def test_a_second_run_changes_the_pipeline_and_makes_no_other(run: Run, fake: FakeWorkspace):
    run()
    run(configuration={"limit": "9"})
    [made] = fake.pipelines.pipelines.values()
    assert made["configuration"] == {"limit": "9", "dagster.run_id": "run-1"}
    assert len(fake.pipelines.updates) == 2


def test_only_what_is_chosen_is_refreshed(run: Run, fake: FakeWorkspace):
    assert set(run("silver.delays").datasets) == {"silver.delays"}
    run("silver.delays", full_refresh=True)
    run(full_refresh=True)
    assert fake.sent("POST /api/2.0/pipelines/pipe-1/updates") == [
        {"refresh_selection": ["acme.silver.delays"]},
        {"full_refresh_selection": ["acme.silver.delays"]},
        {"full_refresh": True},
    ]


def test_a_cluster_of_an_approved_size_costs_what_its_size_costs(run: Run, fake: FakeWorkspace):
    done = run(serverless=False, compute_size="small")
    [made] = fake.pipelines.pipelines.values()
    [cluster] = made["clusters"]
    assert (cluster["label"], cluster["node_type_id"]) == ("default", "m5d.xlarge")
    assert cluster["custom_tags"]["cost_owner"] == "data"
    assert "serverless" not in made
    assert done.cost_usd is not None


def test_events_without_details_are_read_by_sql(run: Run, fake: FakeWorkspace):
    fake.pipelines.with_details = False
    done = run()
    assert done.datasets["silver.flights"].expectations == {"has_carrier": (90, 10)}, "\n".join(run.lines)
    assert done.datasets["silver.delays"].rows == 12
    assert fake.asked("POST /api/2.0/sql/statements") == 1


def test_without_details_and_without_a_warehouse_the_tables_are_still_there(run: Run, fake: FakeWorkspace, monkeypatch):
    fake.pipelines.with_details = False
    monkeypatch.delenv("DATABRICKS_WAREHOUSE_ID")
    assert [(made.rows, made.error) for made in run().datasets.values()] == [(None, None), (None, None)]


def test_a_failed_update_says_which_table_and_why(run: Run, fake: FakeWorkspace):
    broken = {"acme.silver.flights": Made(90), "acme.silver.delays": Made(error="[DIVIDE_BY_ZERO] Division by zero.")}
    fake.pipelines.scripts = [Script(broken, ends="FAILED")]
    done = run()
    assert done.datasets["silver.delays"].error == "[DIVIDE_BY_ZERO] Division by zero."
    assert done.datasets["silver.flights"].error is None


def test_an_update_that_fails_before_any_table_fails_with_its_message(run: Run, fake: FakeWorkspace):
    fake.pipelines.scripts = [Script(ends="FAILED", says="Update is FAILED: quota of vCPUs exceeded.")]
    with pytest.raises(PipelineError, match="quota of vCPUs exceeded"):
        run()


def test_an_update_that_somebody_cancels_is_no_success(run: Run, fake: FakeWorkspace):
    fake.pipelines.scripts = [Script(ends="CANCELED")]
    with pytest.raises(PipelineError, match="update-2 was cancelled in the workspace"):
        run()


def test_an_update_that_another_one_superseded_is_no_success(run: Run, fake: FakeWorkspace):
    fake.pipelines.scripts = [Script(ends="CANCELED", followed_by="USER_ACTION"), LONG]
    with pytest.raises(PipelineError, match="update-2 was superseded by update-3"):
        run()


def test_an_update_that_the_service_tries_again_is_followed_to_its_second_end(run: Run, fake: FakeWorkspace):
    fake.pipelines.scripts = [Script(ends="FAILED", followed_by="RETRY_ON_FAILURE"), Script(DATASETS)]
    assert run().datasets["silver.delays"].rows == 12
    assert any("the service goes on with update-3" in line for line in run.lines)


def test_a_run_that_is_cancelled_cancels_its_update(run: Run, fake: FakeWorkspace, monkeypatch):
    fake.pipelines.scripts = [LONG]
    interrupt_after(monkeypatch, 2, kill)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert fake.pipelines.stopped == ["update-2"]


def test_a_run_that_takes_too_long_cancels_its_update(run: Run, fake: FakeWorkspace):
    fake.pipelines.scripts = [LONG]
    with pytest.raises(PipelineError, match="not over within max_runtime_minutes"):
        run(max_runtime_minutes=0.002)
    assert fake.pipelines.stopped == ["update-2"]


def test_a_restart_follows_the_update_that_a_killed_run_left(run: Run, fake: FakeWorkspace):
    run()
    left = fake.pipelines.begin("pipe-1")
    done = run()
    assert done.url.endswith(left)
    assert len(fake.pipelines.updates) == 2
    assert any("it is followed" in line for line in run.lines)


def test_an_update_of_other_tables_is_waited_for_and_not_joined(run: Run, fake: FakeWorkspace):
    run()
    fake.pipelines.begin("pipe-1", {"refresh_selection": ["acme.silver.flights"]})
    assert run("silver.delays").datasets["silver.delays"].rows == 12
    assert len(fake.pipelines.updates) == 3


def test_an_answer_that_gets_lost_starts_no_second_update(run: Run, fake: FakeWorkspace):
    fake.faults = [Fault("POST /api/2.0/pipelines/pipe-1/updates", 500, after=True)]
    run()
    assert len(fake.pipelines.updates) == 1


def test_a_storm_of_throttling_and_faults_is_outlasted(run: Run, fake: FakeWorkspace):
    fake.faults = [
        Fault("GET /api/2.0/pipelines?", 429, {"Retry-After": "1"}),
        Fault("/events", 500),
        Fault("/events", 504),
        Fault("updates/update", 502),
        Fault("workspace/import", 503, {"Retry-After": "1"}),
    ]
    assert run().datasets["silver.delays"].rows == 12
    assert fake.faults == []


def test_a_token_that_ends_half_way_is_renewed(run: Run, fake: FakeWorkspace, monkeypatch):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "dagster")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "s3cret-of-dagster")
    fake.logins.lifetime = 7
    assert run().datasets["silver.delays"].rows == 12
    assert len(fake.logins.given) > 1


def test_a_personal_token_that_ends_half_way_is_named_and_not_shown(run: Run, fake: FakeWorkspace, monkeypatch):
    fake.pipelines.scripts = [LONG]
    interrupt_after(monkeypatch, 1, lambda: fake.logins.tokens.clear())
    with pytest.raises(PipelineError, match=r"refuses the login.*Renew DATABRICKS_TOKEN") as raised:
        run()
    assert "made-up" not in str(raised.value)


def test_a_permission_that_lacks_is_named_with_its_grant(run: Run, fake: FakeWorkspace):
    denied = {"error_code": "PERMISSION_DENIED", "message": "User does not have USE CATALOG on Catalog 'acme'."}
    fake.faults = [Fault("POST /api/2.0/pipelines", 403, body=denied)]
    with pytest.raises(PipelineError, match="Missing grant: GRANT USE CATALOG ON CATALOG `acme` TO"):
        run()


def test_nothing_of_the_login_is_sent_as_a_setting(run: Run, fake: FakeWorkspace):
    run()
    assert "made-up" not in json.dumps(fake.pipelines.pipelines)
