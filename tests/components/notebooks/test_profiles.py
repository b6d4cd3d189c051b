import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.components.compute.fake_kubernetes import FakeKubernetes
from tests.components.notebooks.project import POLICY, code, notebook
from tests.fakes.databricks import FakeWorkspace

SECRET = "s3cr3t-Value/+9"  # made up
PROFILES = {
    "docker": {"runs_on": "container", "image": "research:1"},
    "cluster": {"runs_on": "kubernetes", "image": "research:1", "namespace": "research"},
    "workspace": {"runs_on": "databricks", "secret_scope": "research"},
}


@pytest.fixture
def docker(tmp_path, monkeypatch):
    state = tmp_path / "containers"
    state.mkdir()
    fake = Path(__file__).parents[1] / "compute" / "fake_docker.py"
    command = state / "docker"
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{fake}' \"$@\"\n")
    command.chmod(0o755)
    monkeypatch.setenv("DOCKER_FAKE_STATE", str(state))
    return {"command": str(command)}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    fake = FakeKubernetes(tmp_path / "nodes")
    (tmp_path / "kubeconfig").write_text(json.dumps(fake.kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr("components.compute.kubernetes.POLL_SECONDS", 0.1)
    yield {}
    fake.close()


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    fake = FakeWorkspace(tmp_path / "workspace")
    fake.files.scopes = {"research": {"CRM_TOKEN": SECRET}}
    monkeypatch.setenv("DATABRICKS_HOST", fake.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", "made-up")
    monkeypatch.delenv("CRM_TOKEN")  # this machine does not have it
    monkeypatch.setattr("components.compute.databricks.POLL_SECONDS", 0.1)
    yield {}
    fake.close()


@pytest.mark.parametrize("name", PROFILES)
def test_the_same_notebook_runs_wherever_the_variable_says(project, monkeypatch, request, name):
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    settings = request.getfixturevalue(name)
    project.policy({**POLICY, "compute_profiles": {name: {**PROFILES[name], **settings}}})
    project.add(
        notebook(
            code("rows = 1", "parameters"),
            code("import os\ntoken = os.environ['CRM_TOKEN']\nprint('length', len(token), token)"),
            code("open('out.csv', 'w').write('a,b')"),
            code(
                "from IPython.display import display\n"
                "display({'application/vnd.dagster.metadata+json': {'rows': rows}, 'text/plain': ''}, raw=True)"
            ),
        ),
        parameters={"rows": 7},
        secrets=["CRM_TOKEN"],
        outputs=["out.csv"],
    )
    monkeypatch.setenv("COMPUTE_PROFILE", name)
    metadata = project.materialize()
    assert (metadata["rows"], metadata["compute_profile"]) == (7, name)
    assert Path(metadata["output/out.csv"]).read_text() == "a,b"
    rendered = Path(metadata["notebook"]).read_text()
    assert f"length {len(SECRET)} ***" in rendered
    assert SECRET not in rendered


def test_a_notebook_that_fails_elsewhere_is_kept_and_its_cell_is_named(project, monkeypatch, cluster):
    project.policy({**POLICY, "compute_profiles": {"cluster": PROFILES["cluster"]}})
    project.add(notebook(code("1 + 1"), code("1 / 0")), compute_profile="cluster")
    message, metadata = project.failure()
    assert "cell 2 of 2: ZeroDivisionError: division by zero" in message
    assert "ZeroDivisionError" in Path(metadata["notebook"]).read_text()


def test_a_cancelled_run_leaves_no_kernel_and_keeps_what_was_shown(project):
    project.add(
        notebook(
            code("print('the first cell')"),
            code(
                "import os, pathlib, time\npathlib.Path(os.environ['PROJECT_ROOT'], 'pid').write_text(str(os.getpid()))"
            ),
            code("time.sleep(120)"),
        )
    )
    pid_file = project.root / "pid"

    def cancel() -> None:
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=cancel).start()
    started = time.monotonic()
    assert not project.run().success
    assert time.monotonic() - started < 60
    pid = int(pid_file.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert "the first cell" in project.rendered()[0].read_text()
