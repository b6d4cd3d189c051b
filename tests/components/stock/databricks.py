"""What the tests of both Databricks components share: a workspace, a clock that jumps, and runs."""

import socket
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from tests.fakes.databricks import TOKEN, FakeWorkspace

JOBS: dict[int, dict[str, Any]] = {
    1001: {
        "name": "Daily Sales",
        "tasks": [
            {"task_key": "extract", "notebook_task": {"notebook_path": "/Shared/extract"}},
            {
                "task_key": "load",
                "depends_on": [{"task_key": "extract"}],
                "spark_python_task": {"python_file": "/Workspace/load.py", "parameters": ["--full"]},
            },
            {"task_key": "models", "depends_on": [{"task_key": "load"}], "dbt_task": {"commands": ["dbt run"]}},
        ],
    },
    1002: {"name": "Cleaning", "tasks": [{"task_key": "vacuum", "notebook_task": {"notebook_path": "/Shared/vacuum"}}]},
    1003: {"name": "Unwanted", "tasks": [{"task_key": "other", "notebook_task": {"notebook_path": "/Shared/other"}}]},
}


@dataclass
class Clock:
    """Time as the SDK sees it: each wait between two looks at a run takes ``step`` seconds at once."""

    step: float = 1
    now: float = 0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += self.step


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(
        "databricks.sdk.service.jobs.time",
        SimpleNamespace(time=lambda: made.now, sleep=lambda seconds: made.sleep(seconds)),
    )
    return made


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, clock: Clock, tmp_path: Path) -> Iterator[FakeWorkspace]:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    # Another login that is in the environment for other tools.
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "somebody")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "something")
    made = FakeWorkspace(tmp_path / "workspace")
    made.jobs.jobs = deepcopy(JOBS)
    made.jobs.page_size = 1
    yield made
    made.close()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection can be made, and no process started."""

    def refuse(*arguments: Any, **_: Any) -> None:
        raise AssertionError(f"reached for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


def run(project: Any, *keys: str) -> tuple[dg.ExecuteInProcessResult, str]:
    """A run of some assets, or of all, and its log."""
    job = project.definitions().resolve_implicit_global_asset_job_def()
    selection = [dg.AssetKey.from_user_string(key) for key in keys] or None
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=selection, raise_on_error=False)
        return result, "\n".join(str(entry) for entry in instance.all_logs(result.run_id))


def materialised(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The metadata of each asset that was made."""
    return {
        event.asset_key.to_user_string(): {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }
