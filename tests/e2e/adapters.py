"""One environment with what projects of every warehouse install, and a way to run a project in it."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rendering import render

# Postgres and DuckDB are in this repository's own environment, the others need other versions of some libraries.
WAREHOUSES = ["snowflake", "bigquery", "databricks", "redshift", "motherduck"]


class Adapters:
    """The environment, and the projects that were rendered for it."""

    def __init__(self, python: Path, projects: Mapping[str, Path]) -> None:
        self.python, self.projects = python, projects

    def run(self, warehouse: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the project of a warehouse, with nothing of this repository on its path."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "WAREHOUSE_", "PYTHON"))}
        path = {"PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": "src"}
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=self.projects[warehouse],
            env={**kept, **path, "DAGSTER_IS_DEV_CLI": "1", **variables},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def adapters(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Adapters:
    """Every project, and the requirements of all of them installed together."""
    folder = tmp_path_factory.mktemp("adapters")
    projects = {name: render(template, folder / name, {"warehouse": name}) for name in WAREHOUSES}
    requirements = {
        requirement
        for project in projects.values()
        for requirement in tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    environment = folder / "environment"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, str(environment)],
        ["uv", "pip", "install", "--quiet", "--python", str(python), *sorted(requirements)],
    ):
        subprocess.run(command, check=True)
    return Adapters(python, projects)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Everything a process said, for a failed assertion."""
    return (done.stdout + done.stderr)[-6000:]
