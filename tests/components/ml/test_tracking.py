"""Where MLflow is, and what is said when it is not there; with the real client, database and server."""

import os
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from components.ml.tracking import Tracking, TrackingError, tracking

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_server(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_default_is_a_database_of_the_project_and_nothing_is_made_by_asking(tmp_path):
    found = tracking(tmp_path)
    assert found.is_local
    assert found.address.endswith("/data/mlflow.db")
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_logged_with_its_tags_and_its_artifacts_stay_in_the_project(tmp_path):
    found = tracking(tmp_path)
    with found.run("wine", "first", {"dagster.run_id": "abc"}) as run:
        found.activate().log_metric("accuracy", 0.9)
        found.activate().log_text("hello", "note.txt")
    logged = found.client.get_run(run.info.run_id)
    assert (logged.info.status, logged.data.metrics, logged.data.tags["dagster.run_id"]) == (
        "FINISHED",
        {"accuracy": 0.9},
        "abc",
    )
    assert (tmp_path / "data" / "mlflow.db").is_file()
    assert [file.read_text() for file in (tmp_path / "data" / "mlartifacts").rglob("note.txt")] == ["hello"]


def test_a_run_whose_block_raises_is_marked_as_failed(tmp_path):
    found = tracking(tmp_path)
    with pytest.raises(ZeroDivisionError), found.run("wine", "first", {}) as run:
        _ = 1 / 0
    assert found.client.get_run(run.info.run_id).info.status == "FAILED"


def test_two_projects_in_one_process_each_keep_their_own_database(tmp_path):
    for name in ("a", "b", "a"):
        found = tracking(tmp_path / name)
        with found.run("wine", name, {}):
            pass
    counts = [len(tracking(tmp_path / name).client.search_runs(["1"])) for name in ("a", "b")]
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert counts == [2, 1]


def test_a_deleted_experiment_is_named_with_the_way_back(tmp_path):
    found = tracking(tmp_path)
    found.activate()
    found.client.delete_experiment(found.experiment_id("wine"))
    with pytest.raises(TrackingError, match=r"'wine' at .* is deleted; restore it with 'mlflow experiments restore"):
        found.experiment_id("wine")


def test_processes_that_come_first_at_once_make_one_database(tmp_path):
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from components.ml.tracking import tracking
        found = tracking(Path(sys.argv[1]))
        with found.run("wine", sys.argv[2], {}):
            pass
    """)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), name], env=environment, stderr=subprocess.PIPE, text=True
        )
        for name in ("one", "two", "three")
    ]
    endings = [(process.communicate(timeout=120)[1][-2000:], process.returncode) for process in started]
    assert [code for _, code in endings] == [0, 0, 0], endings
    found = tracking(tmp_path)
    runs = found.client.search_runs([found.experiment_id("wine")])
    assert sorted(run.info.run_name for run in runs) == ["one", "three", "two"]


def test_a_locked_database_is_named_and_worth_another_try(tmp_path):
    tracking(tmp_path).activate()
    file = tmp_path / "data" / "mlflow.db"
    impatient = Tracking(f"sqlite:///{file}?timeout=0.2", tmp_path)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingError, match=r"data/mlflow.db is locked by another program") as caught:
            impatient.activate()
    assert caught.value.transient


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:s3cr3t@127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with pytest.raises(TrackingError, match=r"MLflow at http://127.0.0.1:\d+ does not answer") as caught:
        tracking(tmp_path).activate()
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.as_failure("ml/wine").allow_retries


class _Refusing(BaseHTTPRequestHandler):
    """Answers as a proxy does that wants a login."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(401)
        self.end_headers()

    do_GET = do_POST = _refuse

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def refusing_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_refused_login_is_named_without_the_token_and_not_tried_again(tmp_path, monkeypatch, refusing_server):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{refusing_server}")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cr3t-token")
    with pytest.raises(TrackingError, match=r"refuses the login. Check MLFLOW_TRACKING_USERNAME") as caught:
        tracking(tmp_path).activate()
    assert "s3cr3t" not in str(caught.value)
    assert not caught.value.as_failure("ml/wine").allow_retries


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory) -> Iterator[str]:
    """MLflow's own tracking server, which keeps the artifacts too."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    arguments = ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "art")]
    command = [sys.executable, "-m", "mlflow", "server", *arguments, "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([*command, "--workers", "1"], stdout=log, stderr=log, env=environment)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()[-3000:]
                assert time.monotonic() < until
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.e2e
def test_a_real_server_keeps_runs_and_artifacts(tmp_path, monkeypatch, mlflow_server):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    found = tracking(tmp_path)
    with found.run("wine", "remote", {"dagster.asset_key": "ml/wine"}) as run:
        found.activate().log_text("hello", "note.txt")
    logged = found.client.get_run(run.info.run_id)
    assert logged.data.tags["dagster.asset_key"] == "ml/wine"
    assert logged.info.artifact_uri.startswith("mlflow-artifacts:")
    assert found.activate().artifacts.load_text(f"{logged.info.artifact_uri}/note.txt") == "hello"
    assert list(tmp_path.iterdir()) == []
