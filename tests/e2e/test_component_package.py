"""A component package with default answers, from `copier copy` to a team's project that runs its wheel."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Project, clean_environment, sync, uv
from tests.rendering import render

CONSUMER = """\
[project]
name = "sales"
version = "0"
requires-python = ">=3.11"
dependencies = []

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "sales"
"""
DEFINITIONS = """\
from pathlib import Path

import dagster as dg
from acme_components.governance import governed


@dg.definitions
def defs() -> dg.Definitions:
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return governed(dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor)), Path.cwd())
"""


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The package, committed, tagged and installed. Tests may run it, not change it."""
    folder = render(template, tmp_path_factory.mktemp("company") / "acme", {"kind": "component-package"})
    sync(folder)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "start"], ["tag", "v1.2.0"]):
        git(folder, *words)
    return Project(folder)


def test_its_lock_has_neither_spark_with_its_java_parts_nor_pytorch(package: Project):
    locked = {each["name"] for each in tomllib.loads((package.path / "uv.lock").read_text())["package"]}
    assert "pyspark-client" in locked
    assert not {"pyspark", "sentence-transformers", "torch"} & locked


@pytest.fixture(scope="module")
def wheel(package: Project) -> Path:
    """What `uv build` makes, once."""
    subprocess.run([uv(), "build", "--quiet"], cwd=package.path, env=clean_environment(), check=True)
    [built] = (package.path / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def team(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A team's own project, in an environment that has the wheel and nothing of the package's folder."""
    folder = tmp_path_factory.mktemp("team") / "sales"
    (folder / "src" / "sales" / "defs").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(CONSUMER)
    (folder / "src" / "sales" / "__init__.py").touch()
    (folder / "src" / "sales" / "defs" / "__init__.py").touch()
    (folder / "src" / "sales" / "definitions.py").write_text(DEFINITIONS)
    subprocess.run([uv(), "venv", "--quiet"], cwd=folder, env=clean_environment(), check=True)
    needed = [f"{wheel}[notebooks]", "dagster-dg-cli==1.13.27", "typer<0.26", "--editable", "."]
    subprocess.run([uv(), "pip", "install", "--quiet", *needed], cwd=folder, env=clean_environment(), check=True)
    return Project(folder)


def listed(project: Project) -> dict[str, str]:
    """Every component that dg lists, with its summary."""
    found = json.loads(project.run("dg", "list", "components", "--json").stdout)["items"]
    return {entry["key"]: entry["summary"] for entry in found}


def test_the_packages_own_tests_pass_with_every_example_materialised(package: Project):
    output = package.run("pytest").stdout
    assert re.search(r"\d+ passed", output)
    assert "skipped" not in output


def test_dg_lists_the_companys_components_with_their_summaries(package: Project):
    components = {name: text for name, text in listed(package).items() if name.startswith("acme_components.")}
    assert {"acme_components.NotebookRunnerComponent", "acme_components.LookerComponent"} <= set(components)
    # Dagster's own, which ship without an entry point.
    assert {f"acme_components.Databricks{name}Component" for name in ("AssetBundle", "Workspace")} <= set(components)
    assert [name for name, summary in components.items() if not summary] == []


def test_the_wheel_takes_its_version_from_the_tag_and_leaves_the_playground_out(wheel: Path):
    names = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", str(wheel)], check=True, capture_output=True, text=True
    ).stdout
    assert wheel.name.startswith("acme_components-1.2.0-")
    for present in ("acme_components/py.typed", "acme_components/policy.yaml", "acme_components/bi/static/page.html"):
        assert present in names
    for absent in ("acme_components/definitions.py", "acme_components/defs/"):
        assert absent not in names


def test_a_team_lists_only_what_its_libraries_can_run(team: Project):
    names = set(listed(team))
    assert "acme_components.NotebookRunnerComponent" in names
    assert "acme_components.LookerComponent" not in names


def test_a_team_scaffolds_checks_and_runs_a_notebook_from_the_wheel(team: Project):
    team.run("dg", "scaffold", "defs", "acme_components.NotebookRunnerComponent", "my_run")
    file = team.path / "src" / "sales" / "defs" / "my_run" / "defs.yaml"
    written = yaml.safe_load(file.read_text())
    written["attributes"] |= {"tags": {"domain": "sales"}, "compute_size": "huge"}
    file.write_text(yaml.safe_dump(written))

    refused = team.run("dg", "check", "defs", check=False)
    assert refused.returncode != 0
    assert "huge" in refused.stdout + refused.stderr
    assert "small" in refused.stdout + refused.stderr

    written["attributes"]["compute_size"] = "small"
    file.write_text(yaml.safe_dump(written))
    assert "valid" in team.run("dg", "check", "yaml").stdout.lower()
    launched = team.run("dg", "launch", "--assets", "*")
    assert "ASSET_MATERIALIZATION" in launched.stdout + launched.stderr
    assert "RUN_SUCCESS" in launched.stdout + launched.stderr


def test_a_wrong_key_in_the_yaml_is_named_with_its_line(team: Project):
    folder = team.path / "src" / "sales" / "defs" / "wrong"
    folder.mkdir()
    (folder / "defs.yaml").write_text(
        "type: acme_components.NotebookRunnerComponent\nattributes:\n  key: a/b\n  notebok: x.ipynb\n"
    )
    try:
        refused = team.run("dg", "check", "yaml", "src/sales/defs/wrong", check=False)
    finally:
        (folder / "defs.yaml").unlink()
        folder.rmdir()
    assert refused.returncode != 0
    assert "notebok" in refused.stdout + refused.stderr
    assert re.search(r"defs\.yaml:\d+", refused.stdout + refused.stderr)
