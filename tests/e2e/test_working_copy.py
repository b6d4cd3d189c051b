"""What a developer's working copy does beside running: editor schemas, checks before a commit."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from .conftest import Project, clean_environment, installed


@pytest.fixture(scope="module")
def project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The default starter, installed."""
    return installed(template, tmp_path_factory.mktemp("working-copy") / "data-platform")


def documents(project: Path) -> list[dict]:
    files = sorted((project / "src").rglob("defs.yaml"))
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


@pytest.fixture(scope="module")
def schemas(project: Project) -> dict[str, Draft202012Validator]:
    project.run("python", "tools/schemas.py")
    found = {path.name.split(".")[0]: json.loads(path.read_text()) for path in (project.path / "schemas").iterdir()}
    for schema in found.values():
        Draft202012Validator.check_schema(schema)
    return {name: Draft202012Validator(schema) for name, schema in found.items()}


def test_the_editor_schemas_accept_every_file_of_the_starter(
    project: Project, schemas: dict[str, Draft202012Validator]
):
    policy = yaml.safe_load((project.path / "policy.yaml").read_text())
    found = [error.message for document in documents(project.path) for error in schemas["defs"].iter_errors(document)]
    assert found + [error.message for error in schemas["policy"].iter_errors(policy)] == []


def test_the_editor_schemas_know_the_attributes_of_each_component(
    project: Project, schemas: dict[str, Draft202012Validator]
):
    for document in documents(project.path):
        wrong = {**document, "attributes": {**document["attributes"], "no_such_attribute": 1}}
        assert not schemas["defs"].is_valid(wrong), document["type"]
        assert not schemas["defs"].is_valid({**document, "type": "data_platform.components.NoSuchComponent"})


def test_the_editor_schemas_accept_what_dg_allows_beside_attributes(
    project: Project, schemas: dict[str, Draft202012Validator]
):
    more = {"template_vars_module": ".vars", "requirements": {"env": ["TOKEN"]}, "post_processing": {"assets": []}}
    assert schemas["defs"].is_valid({**documents(project.path)[0], **more})


@pytest.fixture(scope="module")
def repository(project: Project) -> Project:
    identity = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=project.path, env=os.environ | identity, check=True)
    return project


@pytest.fixture
def in_git(repository: Project) -> Iterator[Project]:
    """The project as it was committed."""
    yield repository
    for command in (["reset", "-q", "--hard"], ["clean", "-qfd"]):
        subprocess.run(["git", *command], cwd=repository.path, check=True)


def checked(project: Project, *hook: str) -> "subprocess.CompletedProcess[str]":
    """Run the checks of a commit, all of them or the named one, with no network to install anything from."""
    subprocess.run(["git", "add", "-A"], cwd=project.path, env=clean_environment(), check=True)
    offline = {"UV_OFFLINE": "1", "PRE_COMMIT_HOME": str(project.path.parent / "pre-commit")}
    return project.run("pre-commit", "run", "--all-files", *hook, check=False, **offline)


def test_a_fresh_project_passes_its_checks_offline(in_git: Project):
    done = checked(in_git)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("hook", "file", "content"),
    [
        ("check-merge-conflict", "policy.yaml", "<<<<<<< before updating\nmode: warn\n=======\nmode: error\n"),
        ("no-rejected-hunks", "policy.yaml.rej", "@@ -1 +1 @@\n"),
        ("ruff-check", "src/data_platform/extra.py", "import os\n"),
        ("check-toml", "broken.toml", "name = \n"),
        ("check-yaml", "broken.yaml", "a: [\n"),
        ("check-added-large-files", "export.csv", "0123456789\n" * 200_000),
        ("dg-check-yaml", "src/data_platform/defs/x/defs.yaml", "type: data_platform.components.SqlTableComponent\n"),
    ],
)
def test_a_fault_is_found_before_it_is_committed(in_git: Project, hook: str, file: str, content: str):
    (in_git.path / file).parent.mkdir(exist_ok=True)
    (in_git.path / file).write_text(content)
    done = checked(in_git, hook)
    assert done.returncode == 1
    assert "Failed" in done.stdout
