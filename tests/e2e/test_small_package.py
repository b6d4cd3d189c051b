"""A package of three families on its way to a release: its wheel tested by itself, its SBOM, its catalogue site."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Project, clean_environment, sync, uv
from tests.rendering import answer_sets, render


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The package, committed, tagged, installed and built."""
    folder = render(template, tmp_path_factory.mktemp("company") / "shop", answer_sets()["component-package-small"])
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*identity, "commit", "-qm", "x"], ["tag", "v1.4.0"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    sync(folder)
    subprocess.run([uv(), "build", "--quiet"], cwd=folder, env=clean_environment(), check=True)
    return Project(folder)


def test_the_wheel_passes_the_packages_tests_in_an_empty_environment_and_its_parts_are_listed(package: Project):
    done = subprocess.run(
        [sys.executable, "tools/test_wheel.py"],
        cwd=package.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
    listed = json.loads((package.path / "sbom.cdx.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert {"dagster", "papermill", "duckdb"} <= {part["name"] for part in listed["components"]}


def test_the_catalogue_site_is_built_by_the_readmes_command(package: Project):
    command = [uv(), "run", "--quiet", "--group", "docs", "python", "tools/catalogue"]
    done = subprocess.run(command, cwd=package.path, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    site = package.path / "docs" / "_build" / "html"
    assert "NotebookRunnerComponent" in (site / "index.html").read_text()
    assert "NotebookRunnerComponent" in (package.path / "docs" / "_generated" / "llms.txt").read_text()


def test_the_policy_command_is_installed_with_the_package(package: Project):
    done = package.run("shop-platform-policy", "explain", "owner")
    assert "owner" in done.stdout
