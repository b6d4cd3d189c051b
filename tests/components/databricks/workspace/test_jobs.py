"""Jobs of the workspace, without the known defects of the stock components: each has its test here."""

import contextlib
import json
import math
from typing import Any

import dagster as dg
import pytest
from databricks.bundles.jobs import Job

from components.databricks.workspace.jobs import DatabricksJobComponent
from tests.components.warehouse.project import Project, scaffolded
from tests.fakes.databricks import FakeWorkspace, Fault

pytestmark = pytest.mark.slot("databricks", "jobs", "fake")
SQL = {"sql_task": {"warehouse_id": "abc123", "file": {"path": "/Workspace/report.sql"}}}
TASKS = [
    {"key": "extract", "notebook": {"path": "/Workspace/extract", "parameters": {"region": "emea"}}},
    {"key": "report", "depends_on": ["extract"], "settings": SQL},
    {"key": "refresh", "depends_on": ["report"], "settings": {"pipeline_task": {"pipeline_id": "pipe-1"}}},
]


class Sales:
    """A project with a job, and what comes of runs of it."""

    def __init__(self, project: Project, fake: FakeWorkspace) -> None:
        self.project, self.fake = project, fake
        self.write(tasks=TASKS)

    def write(self, **attributes: Any) -> None:
        given = {"name": "sales", "owners": ["team:data"], "tasks": TASKS, **attributes}
        self.project.add(DatabricksJobComponent, "job", given)

    def run(self, *tasks: str, **parameters: str) -> tuple[set[str], str]:
        """The tasks that were materialised, and the log."""
        config = {"ops": {"run_sales": {"config": {"parameters": parameters}}}} if parameters else None
        with self.project.definitions() as definitions, dg.DagsterInstance.ephemeral() as instance:
            done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                run_config=config,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(["sales", task]) for task in tasks] or None,
            )
            self.made = {
                event.asset_key.path[-1]: {name: each.value for name, each in event.materialization.metadata.items()}
                for event in done.get_asset_materialization_events()
            }
            return set(self.made), "\n".join(str(entry) for entry in instance.all_logs(done.run_id))

    @property
    def asked(self) -> dict[str, Any]:
        """What the latest run was started with."""
        return list(self.fake.jobs.runs.values())[-1]["asked"]

    @property
    def job(self) -> dict[str, Any]:
        [job] = self.fake.jobs.jobs.values()
        return job


@pytest.fixture
def sales(governed: Project, fake: FakeWorkspace) -> Sales:
    return Sales(governed, fake)


def test_a_job_runs_to_its_end_and_every_task_is_an_asset(sales: Sales, fake: FakeWorkspace):
    made, log = sales.run()
    assert made == {"extract", "report", "refresh"}, log
    assert sales.made["report"]["databricks/run_id"] == "7000"
    assert sales.made["report"]["run_url"].startswith(fake.address)
    assert "task report: SUCCESS" in log


def test_every_type_of_task_keeps_its_place_and_what_it_depends_on(sales: Sales):
    sales.run()
    kinds = {task["task_key"]: next(key for key in task if key.endswith("_task")) for task in sales.job["tasks"]}
    assert kinds == {"extract": "notebook_task", "report": "sql_task", "refresh": "pipeline_task"}
    assert sales.job["tasks"][2]["depends_on"] == [{"task_key": "report"}]


@pytest.mark.slot("databricks", "notebooks", "fake")
def test_parameters_reach_the_job_and_the_notebook_and_a_run_may_change_them(sales: Sales):
    sales.write(parameters={"day": "2026-01-31"})
    sales.run(day="2026-02-01")
    assert sales.job["parameters"] == [{"name": "day", "default": "2026-01-31"}]
    assert sales.asked["job_parameters"] == {"day": "2026-02-01"}
    assert sales.job["tasks"][0]["notebook_task"]["base_parameters"] == {"region": "emea"}


def test_clusters_environments_timeouts_and_retries_are_kept(sales: Sales):
    script = {"key": "load", "script": {"file": "/Workspace/load.py"}, "timeout_seconds": 600, "max_retries": 2}
    sales.write(tasks=[script], dependencies=["polars"], max_runtime_minutes=30)
    sales.run()
    [task] = sales.job["tasks"]
    assert (task["timeout_seconds"], task["max_retries"], task["environment_key"]) == (600, 2, "default")
    assert sales.job["environments"][0]["spec"]["dependencies"] == ["polars"]
    assert sales.job["timeout_seconds"] == 1800
    sales.write(tasks=[{**script, "compute": {"size": "small", "spot": True}}], dependencies=["polars"])
    sales.run()
    [task], [cluster] = sales.job["tasks"], sales.job["job_clusters"]
    assert (task["job_cluster_key"], task["libraries"]) == ("small", [{"pypi": {"package": "polars"}}])
    assert cluster["new_cluster"]["aws_attributes"]["availability"] == "SPOT_WITH_FALLBACK"
    assert cluster["new_cluster"]["custom_tags"]["cost_owner"] == "data"


def test_one_chosen_task_runs_alone(sales: Sales):
    made, _ = sales.run("report")
    assert made == {"report"}
    assert sales.asked["only"] == ["report"]


def test_a_run_of_two_hours_is_waited_for(sales: Sales, fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch):
    now = [0.0]
    monkeypatch.setattr("components.databricks.workspace.runs.time.monotonic", lambda: now[0])
    monkeypatch.setattr("components.databricks.workspace.waiting.pause", lambda: now.__setitem__(0, now[0] + 300))
    fake.jobs.looks_until_end = 25
    made, log = sales.run()
    assert made == {"extract", "report", "refresh"}, log
    assert now[0] >= 2 * 60 * 60


def test_a_run_that_takes_too_long_is_cancelled_there(sales: Sales, fake: FakeWorkspace):
    sales.write(max_runtime_minutes=0.01)
    fake.jobs.looks_until_end = math.inf
    made, log = sales.run()
    assert made == set()
    assert fake.jobs.cancelled == [7000]
    assert "run 7000 was not over within max_runtime_minutes and is cancelled" in log


def test_a_run_that_is_cancelled_there_is_no_success(sales: Sales, fake: FakeWorkspace):
    fake.jobs.ends = dict.fromkeys(("extract", "report", "refresh"), ("CANCELED", ""))
    made, log = sales.run()
    assert made == set()
    assert "run 7000 ended as CANCELED" in log


def test_what_succeeded_before_a_failure_is_kept_and_the_failure_says_why(sales: Sales, fake: FakeWorkspace):
    fake.jobs.ends = {"report": ("FAILED", "AnalysisException: no table"), "refresh": ("UPSTREAM_FAILED", "")}
    made, log = sales.run()
    assert made == {"extract"}
    assert "task report (FAILED): AnalysisException: no table" in log
    assert "task refresh (UPSTREAM_FAILED)" in log


def test_a_run_that_is_interrupted_cancels_its_run_there(sales: Sales, fake: FakeWorkspace, monkeypatch):
    def interrupt() -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    fake.jobs.looks_until_end = math.inf
    with monkeypatch.context() as patched:
        patched.setattr("components.databricks.workspace.waiting.pause", interrupt)
        with contextlib.suppress(KeyboardInterrupt):
            sales.run()
    assert fake.jobs.cancelled == [7000]


def test_a_run_that_was_killed_finds_its_run_again_and_starts_no_second(sales: Sales, fake: FakeWorkspace):
    sales.run(day="1")
    fake.jobs.looks_until_end = 6
    job_id = next(iter(fake.jobs.jobs))
    tasks = fake.jobs.jobs[job_id]["tasks"]
    left = fake.jobs._start({"job_id": job_id, "job_parameters": {"day": "1"}}, tasks, job_id)
    made, log = sales.run(day="1")
    assert made == {"extract", "report", "refresh"}
    assert f"run {left} is on its way; it is followed" in log
    assert len(fake.jobs.runs) == 2


def test_a_run_with_other_parameters_is_not_joined(sales: Sales, fake: FakeWorkspace):
    sales.run(day="1")
    job_id = next(iter(fake.jobs.jobs))
    fake.jobs.looks_until_end = 4
    fake.jobs._start({"job_id": job_id, "job_parameters": {"day": "1"}}, fake.jobs.jobs[job_id]["tasks"], job_id)
    sales.run(day="2")
    assert len(fake.jobs.runs) == 3


def test_answers_that_get_lost_make_no_second_job_and_no_second_run(sales: Sales, fake: FakeWorkspace):
    fake.faults = [Fault("jobs/create", 500, after=True), Fault("jobs/run-now", 502, after=True)]
    made, log = sales.run()
    assert made == {"extract", "report", "refresh"}, log
    assert (len(fake.jobs.jobs), len(fake.jobs.runs)) == (1, 1)


def test_a_login_by_client_credentials_is_enough(sales: Sales, fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "dagster")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "s3cret-of-dagster")
    made, log = sales.run()
    assert made == {"extract", "report", "refresh"}
    assert "s3cret" not in log


def test_jobs_with_tasks_of_the_same_name_do_not_clash(sales: Sales, fake: FakeWorkspace):
    other = {"name": "stores", "owners": ["team:data"], "tasks": TASKS}
    sales.project.add(DatabricksJobComponent, "other", other)
    made = sales.project.materialize()
    assert {"sales/extract", "stores/extract"} <= set(made)


def test_a_field_that_the_api_does_not_have_is_named(sales: Sales, fake: FakeWorkspace):
    sales.write(tasks=[{"key": "a", "settings": {"sql_task": {"warehouse_id": "abc123", "fiel": {"path": "/x"}}}}])
    _, log = sales.run()
    assert "the Jobs API has no tasks.sql_task.fiel" in log
    assert fake.jobs.runs == {}


def test_the_settings_are_those_of_a_bundle(sales: Sales):
    sales.run()
    assert Job.from_dict({key: value for key, value in sales.job.items() if key != "format"}).name == "sales"


@pytest.mark.slot("databricks", "compute-policies", "fake")
@pytest.mark.parametrize(
    ("compute", "said"),
    [
        ({"size": "huge"}, "compute_size: 'huge' is not approved by policy.yaml; expected one of: small"),
        ({"size": "wide"}, "size 'wide' has 9 workers; policy.yaml approves at most 4"),
        ({"size": "laptop"}, "size 'laptop' names no node_type; policy.yaml approves serverless compute, size small"),
        ({"size": "small", "runtime": "9.1"}, "runtime: '9.1'; policy.yaml approves one of: 16.4.x-scala2.12"),
        ({"existing_cluster": "0101-mine"}, "existing_cluster: '0101-mine'; policy.yaml approves"),
    ],
)
def test_compute_that_is_not_approved_is_refused_when_definitions_load(sales: Sales, compute: dict, said: str):
    sales.write(compute=compute)
    assert said in sales.project.load_error()


def test_an_owner_without_a_budget_policy_may_not_use_serverless_compute(sales: Sales):
    sales.write(owners=["team:other"])
    said = "none of the owners ['team:other'] has a budget policy; policy.yaml approves one of the owners: team:data"
    assert said in sales.project.load_error()


def test_a_running_cluster_that_does_not_end_by_itself_is_refused(sales: Sales, fake: FakeWorkspace):
    policy = (sales.project.root / "policy.yaml").read_text()
    sales.project.file("policy.yaml", policy.replace("spot: allowed", "spot: allowed, auto_termination_minutes: 60"))
    sales.write(compute={"existing_cluster": "0101-shared"})
    fake.jobs.clusters = {"0101-shared": {"autotermination_minutes": 0}}
    assert "ends after no idle minutes; policy.yaml asks for at most 60" in sales.run()[1]
    fake.jobs.clusters = {"0101-shared": {"autotermination_minutes": 30}}
    assert sales.run()[0] == {"extract", "report", "refresh"}


def test_what_the_scaffolder_writes_runs(governed: Project, fake: FakeWorkspace):
    folder = governed.root / "hello"
    attributes = scaffolded(DatabricksJobComponent, folder, name="hello")
    attributes["tasks"][0]["script"]["file"] = "hello/hello.py"
    governed.add(DatabricksJobComponent, "job", {**attributes, "owners": ["team:data"]})
    governed.materialize("hello/hello")
    [run] = fake.jobs.runs.values()
    assert run["logs"] == "hello from Databricks\n"


PIPED = """\
from dagster_pipes import PipesCliArgsParamsLoader, PipesDefaultMessageWriter, open_dagster_pipes
from dagster_pipes import PipesUnityCatalogVolumesContextLoader, PipesUnityCatalogVolumesMessageWriter

with open_dagster_pipes(
    params_loader=PipesCliArgsParamsLoader(),
    context_loader=PipesUnityCatalogVolumesContextLoader(),
    message_writer=PipesUnityCatalogVolumesMessageWriter(),
) as pipes:
    pipes.log.info("forty-two rows")
    pipes.report_asset_materialization(metadata={"rows": 42}, asset_key="sales/load")
"""


@pytest.mark.slot("databricks", "pipes", "fake")
def test_a_script_reports_logs_and_metadata_by_pipes(sales: Sales, fake: FakeWorkspace):
    sales.project.file("scripts/load.py", PIPED)
    script = {"file": "scripts/load.py", "pipes": True}
    sales.write(tasks=[{"key": "load", "script": script}], pipes_volume="/Volumes/acme/ops/pipes")
    fake.files.place("/Volumes/acme/ops/pipes").mkdir(parents=True)
    made, log = sales.run()
    assert made == {"load"}, log + json.dumps([run.get("logs") for run in fake.jobs.runs.values()])
    assert sales.made["load"]["rows"] == 42
    assert "forty-two rows" in log


def test_a_storm_of_throttling_is_outlasted(sales: Sales, fake: FakeWorkspace):
    fake.faults = [
        Fault("runs/get?", status, {"Retry-After": "1"} if status == 429 else {}) for status in (429, 500, 504)
    ]
    assert sales.run()[0] == {"extract", "report", "refresh"}
    assert fake.faults == []


def test_a_job_that_a_bundle_deploys_is_run_and_not_changed(sales: Sales, fake: FakeWorkspace):
    sales.write(deployed_by="bundle")
    assert "the workspace has no job 'sales'; deploy the bundle first" in sales.run()[1]
    fake.jobs.jobs[1] = {"name": "sales", "tasks": [{"task_key": task["key"]} for task in TASKS]}
    assert sales.run()[0] == {"extract", "report", "refresh"}
    assert fake.asked("jobs/create") + fake.asked("jobs/reset") == 0
