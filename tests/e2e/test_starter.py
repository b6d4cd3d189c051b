"""The modern-data starter with default answers, as a newcomer runs it."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.conftest import Project, clean_environment, stop, uv
from tests.rendering import ROOT

RECORDED_RUNS = """
import tempfile
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
with tempfile.TemporaryDirectory() as folder:
    with DagsterInstance.from_ref(InstanceRef.from_dir(folder, config_dir=".")) as instance:
        print([run.status.value for run in instance.get_runs()])
"""


@pytest.mark.slot("modern-data", "dlt", "embedded")
def test_every_table_of_the_sample_data_is_loaded_whole(starter: Project):
    rows = {
        table: starter.query(f"select count(*) from raw.{table}")[0][0]
        for table in ("flights", "weather", "planes", "airports", "airlines")
    }
    assert rows == {"flights": 336_776, "weather": 26_115, "planes": 3_322, "airports": 1_458, "airlines": 16}


@pytest.mark.slot("modern-data", "duckdb", "embedded")
@pytest.mark.slot("modern-data", "dbt-core", "embedded")
def test_the_marts_agree_with_the_raw_data(starter: Project):
    late = "select count(*) from raw.flights where arr_delay > 15"
    assert starter.query("select sum(flights), sum(delayed) from marts.carrier_performance") == [
        (336_776, starter.query(late)[0][0])
    ]


@pytest.mark.slot("modern-data", "dashboard", "embedded")
def test_the_dashboard_and_the_export_are_written(starter: Project):
    page = (starter.path / "dashboards" / "flights.html").read_text()
    assert "<html" in page
    assert "336" in page
    assert list((starter.path / "exports").iterdir())


def test_a_second_run_without_a_network_gives_the_same_tables(own_copy: Project):
    if not shutil.which("unshare"):
        pytest.fail("unshare is missing: apt-get install util-linux")
    before = own_copy.query("select count(*), sum(arr_delay_minutes) from marts.fct_flights")
    inside = f"ip link set lo up 2>/dev/null; exec {uv()} run --offline --no-sync dg launch --assets '*'"
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", inside],
        cwd=own_copy.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert own_copy.query("select count(*), sum(arr_delay_minutes) from marts.fct_flights") == before


def test_checking_yaml_and_definitions_finds_nothing_wrong(starter: Project):
    assert "valid" in starter.run("dg", "check", "yaml").stdout.lower()
    assert "valid" in starter.run("dg", "check", "defs").stdout.lower()


def test_every_asset_has_what_the_policy_asks_for(starter: Project):
    listed = json.loads(starter.run("dg", "list", "defs", "--json").stdout)
    required = ("group_name", "kinds", "description", "owners", "tags")
    incomplete = [asset["asset_key"] for asset in listed["assets"] if not all(asset[name] for name in required)]
    assert len(listed["assets"]) >= 19
    assert incomplete == []


def test_the_projects_own_tests_pass(starter: Project):
    assert " passed" in starter.run("pytest").stdout


def test_loading_definitions_starts_no_dbt_when_nothing_changed(own_copy: Project, tmp_path: Path):
    own_copy.run("dg", "check", "defs")
    recorder = own_copy.path / ".venv" / "bin" / "dbt"
    real, log = recorder.with_name("dbt-real"), tmp_path / "started"
    recorder.rename(real)
    recorder.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    recorder.chmod(0o755)

    own_copy.run("dg", "check", "defs")
    assert not log.exists()

    model = own_copy.path / "transform" / "models" / "staging" / "stg_airlines.sql"
    model.write_text(model.read_text() + "-- changed\n")
    own_copy.run("dg", "check", "defs")
    assert "parse" in log.read_text()


def test_dg_dev_shows_what_dg_launch_ran(starter: Project):
    # As dg dev opens its records: a temporary instance with the dagster.yaml of the working folder.
    assert "SUCCESS" in starter.run("python", "-c", RECORDED_RUNS, DAGSTER_HOME="").stdout


def test_the_web_ui_lists_every_asset(starter: Project):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [uv(), "run", "--no-sync", "dg", "dev", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        command,
        cwd=starter.path,
        env=clean_environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        nodes = asked(port, "{assetNodes {assetKey {path}}}", time.monotonic() + 120)
    finally:
        stop(server)
    assert ["dashboards", "flights"] in [node["assetKey"]["path"] for node in nodes]


def asked(port: int, query: str, deadline: float) -> list[dict]:
    """The asset nodes that the web server answers with, once its code location has loaded."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    while time.monotonic() < deadline:
        try:
            nodes = json.load(urllib.request.urlopen(request, timeout=10))["data"]["assetNodes"]
        except OSError:
            nodes = []
        if nodes:
            return nodes
        time.sleep(1)
    pytest.fail("the web server listed no assets within its time")


def test_the_demo_command_shows_each_asset_and_says_where_to_look(demonstration: tuple[Project, str]):
    project, said = demonstration
    assert "dashboards/flights" in said
    assert f"The dashboard:   {project.path / 'dashboards' / 'flights.html'}" in said
    assert "s  in all" in said


def test_the_demo_command_refuses_a_folder_that_is_not_empty(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "demo.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
