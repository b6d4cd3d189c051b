"""The files that people and their tools work with: checks before a commit, editor, environment, agents' notes."""

import json
import re
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml
from dagster_dg_cli.cli import create_dg_cli
from dotenv import dotenv_values
from pathspec import GitIgnoreSpec

# The platform sets it for dbt, from the component's attributes.
SET_BY_THE_PLATFORM = {"DBT_QUERY_TAG"}
# A run writes them, and they are committed: the figures that were accepted.
MADE_BY_RUNNING = {"evaluations/"}


def yaml_of(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


# Checks before a commit, editor


def test_every_check_before_a_commit_is_local_and_its_tool_is_installed(default: Path):
    groups = tomllib.loads((default / "pyproject.toml").read_text())["dependency-groups"]
    tools = {re.split(r"[<>=~!\[]", requirement)[0] for requirement in groups["dev"]}
    repositories = yaml_of(default / ".pre-commit-config.yaml")["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {"pre-commit", "pre-commit-hooks", "ruff", "dagster-dg-cli"} <= tools
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "fail" or (hook["language"], hook["entry"][:7]) == ("system", "uv run ")


def test_the_editor_applies_the_schemas_that_the_script_writes(default: Path):
    associations = json.loads((default / ".vscode" / "settings.json").read_text())["yaml.schemas"]
    script = (default / "tools" / "schemas.py").read_text()
    written = re.findall(r'"(\w+)": ', re.search(r"in \{(.+?)\}\.items", script)[1])
    assert set(associations) == {f"./schemas/{name}.schema.json" for name in written}
    files = [path.relative_to(default).as_posix() for path in (default / "src").rglob("defs.yaml")]
    globs = associations["./schemas/defs.schema.json"]
    assert [file for file in files if not any(fnmatch(file, pattern) for pattern in globs)] == []


def test_the_editor_files_are_json(default: Path):
    tasks = json.loads((default / ".vscode" / "tasks.json").read_text())["tasks"]
    assert "uv run python tools/schemas.py" in [task["command"] for task in tasks]
    assert "redhat.vscode-yaml" in json.loads((default / ".vscode" / "extensions.json").read_text())["recommendations"]


# Environment


def variables(project: Path) -> set[str]:
    """Every environment variable that a file of the project reads."""
    profiles = project / "profiles.yml"
    found = set(re.findall(r"env_var\('(\w+)'", profiles.read_text())) if profiles.exists() else set()
    found |= set(re.findall(r"\$\{(\w+)", (project / "compose.yaml").read_text()))
    found |= {route["url_env"] for route in yaml_of(project / "policy.yaml").get("alert_routes", {}).values()}
    definitions = "\n".join(file.read_text() for file in (project / "src").rglob("defs.yaml"))
    found |= set(re.findall(r"_env: (\w+)", definitions))
    return found - SET_BY_THE_PLATFORM


def test_the_example_environment_lists_every_variable_and_sets_none(project: Path):
    example = project / ".env.example"
    listed = set(re.findall(r"^# ([A-Z][A-Z0-9_]*)=", example.read_text(), re.MULTILINE))
    assert variables(project) - listed == set()
    assert dotenv_values(example) == {}
    ignored = GitIgnoreSpec.from_lines((project / ".gitignore").read_text().splitlines())
    assert (ignored.match_file(".env"), ignored.match_file(".env.example")) == (True, False)


# Agents' notes


def notes(project: Path) -> str:
    return (project / "AGENTS.md").read_text()


def test_every_dg_command_of_the_agents_notes_exists(project: Path):
    named = re.findall(r"uv run dg ([a-z-]+)(?: ([a-z-]+))?", notes(project))
    dg = create_dg_cli()
    assert len(named) > 5
    for command, sub in named:
        found = dg.get_command(click.Context(dg), command)
        assert found, f"dg {command}"
        assert not isinstance(found, click.Group) or found.get_command(click.Context(found), sub), f"dg {command} {sub}"


def test_every_path_of_the_agents_notes_is_there_or_made_by_running(project: Path):
    table = re.search(r"\| path \|.*?\n\n", notes(project), re.DOTALL)[0]
    named = re.findall(r"`([^`]+)`", "\n".join(line.split("|")[1] for line in table.strip().splitlines()))
    ignored = GitIgnoreSpec.from_lines((project / ".gitignore").read_text().splitlines())
    assert len(named) > 8
    missing = [path for path in named if not (project / path).exists() and not ignored.match_file(f"{path}x")]
    assert set(missing) <= MADE_BY_RUNNING


def test_every_example_of_the_agents_notes_is_valid(project: Path, component: Callable[[str], type]):
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", notes(project), re.DOTALL)]
    assert len(examples) == (5 if yaml_of(project / ".copier-answers.yml")["kind"] == "modern-data" else 0)
    for example in examples:
        package, name = example["type"].split(".components.")
        assert package == "flight_analytics"
        component(name).get_model_cls().model_validate(example["attributes"])


@pytest.fixture(scope="module")
def component(default: Path) -> Callable[[str], type]:
    """A component class of this repository by the name that projects know it by."""
    source = (default / "src" / "flight_analytics" / "components" / "__init__.py").read_text()
    families = dict(re.findall(r'"(\w+Component)": "(\w+)"', source))
    return lambda name: getattr(import_module(f"components.{families[name]}"), name)
