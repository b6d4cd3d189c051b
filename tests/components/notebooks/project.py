"""A project with notebooks in a temporary folder, materialised for real."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from components.notebooks import NotebookRunnerComponent
from tests.components.errors import everything_said

POLICY = {
    "version": 1,
    "compute_sizes": {
        "small": {"threads": 1, "memory_gb": 2, "hourly_cost_usd": 0.1},
        "dear": {"threads": 4, "memory_gb": 8, "hourly_cost_usd": 3600},
    },
}


def code(source: str, *tags: str) -> dict[str, Any]:
    """A code cell."""
    lines = dedent(source).strip().splitlines(keepends=True)
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "execution_count": None,
        "source": lines,
    }


def text(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: dict[str, Any], kernel: str = "python3", language: str = "python") -> dict[str, Any]:
    """A notebook of some cells."""
    spec = {"name": kernel, "display_name": kernel, "language": language}
    return {"cells": list(cells), "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 4}


class Project:
    """A sandbox with a policy; tests add notebooks and materialise them."""

    def __init__(self, sandbox: Any, home: Path) -> None:
        self._sandbox = sandbox
        self.root: Path = sandbox.project_root
        self.home = home
        self.policy(POLICY)

    def policy(self, policy: dict[str, Any]) -> None:
        (self.root / "policy.yaml").write_text(yaml.safe_dump(policy, sort_keys=False))

    def add(self, content: dict[str, Any] | str, folder: str = "run", **attributes: Any) -> Path:
        """Write a notebook and its defs.yaml; returns their folder."""
        path = self._sandbox.defs_folder_path / folder
        path.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, str) else json.dumps(content)
        (path / "study.ipynb").write_text(raw)
        usual = {
            "key": "research/study",
            "description": "A study.",
            "notebook": "study.ipynb",
            "compute_size": "small",
            "owners": ["team:research"],
        }
        kind = f"{NotebookRunnerComponent.__module__}.{NotebookRunnerComponent.__name__}"
        document = {"type": kind, "attributes": {**usual, **attributes}}
        (path / "defs.yaml").write_text(yaml.safe_dump(document))
        return path

    @contextmanager
    def definitions(self) -> Iterator[dg.Definitions]:
        with self._sandbox.build_all_defs() as definitions:
            yield definitions

    def load_error(self) -> str:
        """All messages of the error that loading the project ends in."""
        with pytest.raises(Exception) as caught, self.definitions():  # noqa: PT011 - Dagster wraps it several times
            pass
        return everything_said(caught.value)

    def run(self, partition: str | None = None) -> dg.ExecuteInProcessResult:
        """Materialise everything; errors are in the result."""
        with self.definitions() as definitions, dg.DagsterInstance.local_temp(str(self.home)) as instance:
            return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                partition_key=partition, instance=instance, raise_on_error=False
            )

    def materialize(self, partition: str | None = None) -> dict[str, Any]:
        """Materialise the notebook; its metadata."""
        result = self.run(partition)
        assert result.success, failure_of(result)
        event = result.get_asset_materialization_events()[0]
        metadata = event.step_materialization_data.materialization.metadata
        return {name: value.value for name, value in metadata.items()}

    def failure(self, partition: str | None = None) -> tuple[str, dict[str, Any]]:
        """Materialise the notebook, which fails; the description of the failure and its metadata."""
        result = self.run(partition)
        assert not result.success
        return failure_of(result)

    def rendered(self) -> list[Path]:
        return sorted((self.root / "data" / "notebooks").rglob("*.ipynb"))


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, dict[str, Any]]:
    """Description and metadata of the failure that a run ended in."""
    data = next(event for event in result.all_events if event.event_type_value == "STEP_FAILURE").step_failure_data
    details = data.user_failure_data
    if details is None:
        return str(data.error), {}
    return str(details.description), {name: value.value for name, value in details.metadata.items()}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.delenv("COMPUTE_PROFILE", raising=False)
    with create_defs_folder_sandbox() as sandbox:
        yield Project(sandbox, tmp_path)
