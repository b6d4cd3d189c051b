"""Which ended runs a sensor takes: those of its own code location, whoever started them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from components.orchestration import ended_runs as module
from components.orchestration.ended_runs import ended_runs, newest_position, position_before
from tests.components.orchestration.shop import Receiver, Shop, run_all

REPOSITORY = "__repository__"


def sensor_context(
    defs: dg.Definitions, instance: dg.DagsterInstance, location: str | None
) -> dg.SensorEvaluationContext:
    return dg.SensorEvaluationContext(
        instance_ref=None,
        instance=instance,
        last_tick_completion_time=None,
        last_run_key=None,
        cursor=None,
        repository_name=REPOSITORY,
        repository_def=defs.get_repository_def(),
        code_location_origin=RegisteredCodeLocationOrigin(location) if location else None,
    )


def started_elsewhere(defs: dg.Definitions, instance: dg.DagsterInstance, location: str) -> str:
    """A run as the web UI and schedules of a code location start it, which then fails."""
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), REPOSITORY), "__ASSET_JOB")
    job = defs.resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, remote_job_origin=origin, job_code_origin=None)
    instance.report_run_failed(run)
    return run.run_id


def test_runs_of_the_own_location_and_of_a_shell_are_taken_and_others_passed_over(
    shop: Shop, instance: dg.DagsterInstance
):
    with shop.definitions() as defs:
        mine = started_elsewhere(defs, instance, "here")
        started_elsewhere(defs, instance, "there")
        by_hand = run_all(defs, instance).run_id
        taken, position = ended_runs(sensor_context(defs, instance, "here"), 0, 10)

        assert [ended.run.run_id for ended in taken] == [mine, by_hand]
        assert position == newest_position(instance)
        assert ended_runs(sensor_context(defs, instance, "here"), position, 10) == ([], position)


def test_every_run_is_taken_once_however_small_the_bites(
    shop: Shop, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_BATCH", 2)
    taken, position = [], 0
    with shop.definitions() as defs:
        expected = []
        for index in range(7):
            failing = index % 3 == 0
            expected.append(started_elsewhere(defs, instance, "here") if failing else run_all(defs, instance).run_id)
        context = sensor_context(defs, instance, "here")
        for _ in range(5):
            runs, position = ended_runs(context, position, 2)
            taken += [ended.run.run_id for ended in runs]

    assert taken == expected


def test_a_run_that_was_deleted_is_passed_over(shop: Shop, instance: dg.DagsterInstance):
    with shop.definitions() as defs:
        instance.delete_run(run_all(defs, instance).run_id)
        kept = run_all(defs, instance).run_id
        taken, _ = ended_runs(sensor_context(defs, instance, "here"), 0, 10)

    assert [ended.run.run_id for ended in taken] == [kept]


def test_a_position_before_a_moment_finds_what_ended_after_it(shop: Shop, instance: dg.DagsterInstance):
    with shop.definitions() as defs:
        run_all(defs, instance)
        middle = instance.get_run_records()[0].end_time + 0.001
        later = run_all(defs, instance).run_id
        context = sensor_context(defs, instance, "here")

        assert [e.run.run_id for e in ended_runs(context, position_before(instance, middle), 10)[0]] == [later]
        assert len(ended_runs(context, position_before(instance, 0.0), 10)[0]) == 2
        assert ended_runs(context, position_before(instance, middle + 3600), 10)[0] == []


PROJECT = """\
from pathlib import Path

import dagster as dg

from components.governance.policy import load_policy
from components.orchestration.routes import Routes
from components.orchestration.run_alerts import RunAlerts


@dg.asset(key=["raw", "orders"], owners=["team:data"])
def orders():
    raise ValueError("no file")


policy = load_policy(Path(__file__).with_name("policy.yaml"))
ours = dg.SensorDefinition(name="ours", evaluation_fn=RunAlerts(Routes(policy, None, None)).tick)
defs = dg.Definitions(assets=[orders], sensors=[ours])
"""


@pytest.mark.e2e
def test_a_run_that_a_shell_started_is_told_by_the_sensor_of_a_real_code_location(tmp_path: Path, routes: Receiver):
    (tmp_path / "shell_project.py").write_text(PROJECT)
    (tmp_path / "policy.yaml").write_text(
        "version: 1\nalert_routes:\n  data: {url_env: DATA_ALERTS_URL, owners: [team:data]}\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": paths}

    def dagster(*arguments: str) -> None:
        command = [sys.executable, "-m", "dagster", *arguments, "-m", "shell_project"]
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=120, check=False)

    dagster("asset", "materialize", "--select", "*")
    dagster("sensor", "preview", "ours", "--cursor", json.dumps({"position": 0, "unsent": []}))

    (message,) = routes.received
    assert message["title"] == "assets run by hand failed: raw/orders"
    assert "ValueError: no file" in message["message"]
