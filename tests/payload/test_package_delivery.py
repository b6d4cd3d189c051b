"""The component package's CI: linted, one build, that build tested and published, and the extras of each choice."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rendering import render

LINTERS = Path(sys.executable).parent
VARIANTS: dict[str, dict[str, Any]] = {
    f"{ci}-{publish}": {"ci": ci, "publish": publish, "families": ["warehouse", "stock"]}
    for ci in ("github", "gitlab")
    for publish in ("trusted", "token", "none")
}
GITHUB = [name for name in VARIANTS if name.startswith("github")]
GITLAB = [name for name in VARIANTS if name.startswith("gitlab")]


@pytest.fixture(scope="module")
def packages(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    skipped = {"exclude": ["/src/*/warehouse/", "/src/*/stock/", "/src/*/governance/", "/examples/"]}
    return {
        name: render(template, folder / name, {"kind": "component-package", **answers}, **skipped)
        for name, answers in VARIANTS.items()
    }


def lint(*command: str | Path) -> None:
    done = subprocess.run([LINTERS / command[0], *command[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def workflow(package: Path) -> dict[str, Any]:
    return yaml.safe_load((package / ".github" / "workflows" / "ci.yml").read_text())


def pipeline(package: Path) -> dict[str, Any]:
    return yaml.safe_load((package / ".gitlab-ci.yml").read_text())


def steps(package: Path, job: str) -> list[dict[str, Any]]:
    return workflow(package)["jobs"][job]["steps"]


def test_workflows_have_no_finding_of_zizmor(packages: dict[str, Path]):
    lint("zizmor", "--offline", "--quiet", *(packages[name] / ".github" / "workflows" / "ci.yml" for name in GITHUB))


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_follow_githubs_schema(packages: dict[str, Path], schema: str):
    files = [packages[name] / ".github" / "workflows" / "ci.yml" for name in GITHUB]
    lint("check-jsonschema", "--builtin-schema", schema, *files)


def test_pipelines_follow_gitlabs_schema(packages: dict[str, Path]):
    files = [packages[name] / ".gitlab-ci.yml" for name in GITLAB]
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *files)


def test_actions_are_pinned_by_commit_with_their_version_beside_it(packages: dict[str, Path]):
    lines = (packages["github-token"] / ".github" / "workflows" / "ci.yml").read_text().splitlines()
    uses = [line for line in lines if "uses:" in line]
    assert len(uses) > 10
    assert [line for line in uses if not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


@pytest.mark.parametrize("name", GITHUB)
def test_the_wheel_is_built_once_tested_and_only_then_published(packages: dict[str, Path], name: str):
    jobs = workflow(packages[name])["jobs"]
    builders = [job for job, parts in jobs.items() if any("uv build" in step.get("run", "") for step in parts["steps"])]
    assert builders == ["build"]
    assert jobs["wheel"]["needs"] == "build"
    assert any("tools/test_wheel.py" in step.get("run", "") for step in jobs["wheel"]["steps"])
    assert ("publish" in jobs) == (VARIANTS[name]["publish"] != "none")
    last = jobs["publish"] if "publish" in jobs else jobs["release"]
    assert last["needs"] == ["lint", "test", "wheel"]
    assert all("startsWith(github.ref, 'refs/tags/v')" in jobs[job]["if"] for job in {"publish", "release"} & set(jobs))


def test_trusted_publishing_has_no_secret_and_token_publishing_no_identity(packages: dict[str, Path]):
    trusted, token = (workflow(packages[f"github-{how}"])["jobs"]["publish"] for how in ("trusted", "token"))
    assert trusted["permissions"] == {"id-token": "write"}
    assert "secrets." not in str(trusted)
    assert "permissions" not in token
    assert "secrets.PUBLISH_TOKEN" in str(token)
    for job in (trusted, token):
        assert "vars.PUBLISH_INDEX_URL" in str(job)


def test_nothing_but_publishing_and_releasing_may_write(packages: dict[str, Path]):
    made = workflow(packages["github-trusted"])
    assert made["permissions"] == {"contents": "read"}
    assert {name for name, job in made["jobs"].items() if "permissions" in job} == {"publish", "release"}


def test_no_expression_reaches_a_shell(packages: dict[str, Path]):
    for name in GITHUB:
        jobs = workflow(packages[name])["jobs"]
        assert [
            step["run"] for job in jobs for step in steps(packages[name], job) if "${{" in step.get("run", "")
        ] == []


@pytest.mark.parametrize("name", GITLAB)
def test_gitlab_builds_once_tests_that_wheel_and_publishes_by_tag(packages: dict[str, Path], name: str):
    jobs = {job: parts for job, parts in pipeline(packages[name]).items() if "script" in parts}
    assert [job for job, parts in jobs.items() if "uv build" in parts["script"]] == ["build"]
    assert any("tools/test_wheel.py" in line for line in jobs["wheel"]["script"])
    assert ("publish" in jobs) == (VARIANTS[name]["publish"] != "none")
    for job in {"publish", "release"} & set(jobs):
        assert jobs[job]["rules"] == [{"if": r"$CI_COMMIT_TAG =~ /^v\d/"}]


def test_the_release_carries_the_wheel_and_a_list_of_what_it_was_tested_with(packages: dict[str, Path]):
    [command] = [step["run"] for step in steps(packages["github-none"], "release") if "run" in step]
    assert "dist/*" in command
    assert "sbom.cdx.json" in command
    assert "sbom.cdx.json" in str(pipeline(packages["gitlab-none"])["release"])


def test_no_index_is_named(packages: dict[str, Path]):
    for package in packages.values():
        text = "".join(
            path.read_text() for path in package.rglob("*") if path.suffix in {".toml", ".yml", ".md", ".py"}
        )
        assert not re.search(r"pypi\.org|pythonhosted|npmjs|registry\.[a-z]+\.(com|io)", text)


def test_extras_follow_the_families(packages: dict[str, Path]):
    extras = tomllib.loads((packages["github-token"] / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert {"warehouse", "stock", "stock-looker", "bigquery", "all"} <= set(extras)
    assert not {"ml", "spark", "notebooks", "ingestion"} & set(extras)
    # The sample of DbtCloudComponent, in stock, is a dbt project that runs here: its family comes along.
    assert extras["all"] == ["acme-components[warehouse,dbt,stock]"]
