"""The delivery files: CI and containers, by answer, linted."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from pathspec import GitIgnoreSpec

from tests.payload.variants import VARIANTS

LINTERS = Path(sys.executable).parent


def lint(*command: str | Path) -> None:
    done = subprocess.run([LINTERS / command[0], *command[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def present(projects: dict[str, Path], name: str) -> list[Path]:
    return [project / name for project in projects.values() if (project / name).is_file()]


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def compose(project: Path) -> dict:
    return load(project / "compose.yaml")


def workflow(project: Path) -> dict:
    return load(project / ".github" / "workflows" / "ci.yml")


def gitlab(project: Path) -> dict:
    return load(project / ".gitlab-ci.yml")


# Linters


def test_workflows_have_no_finding_of_zizmor(projects: dict[str, Path]):
    lint("zizmor", "--offline", "--quiet", *present(projects, ".github/workflows/ci.yml"))


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_follow_githubs_schema_and_every_job_has_a_time_limit(projects: dict[str, Path], schema: str):
    lint("check-jsonschema", "--builtin-schema", schema, *present(projects, ".github/workflows/ci.yml"))


def test_gitlab_pipelines_follow_gitlabs_schema(projects: dict[str, Path]):
    files = present(projects, ".gitlab-ci.yml")
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *files)


def test_compose_files_follow_the_compose_specification(projects: dict[str, Path]):
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *present(projects, "compose.yaml"))


def test_dockerfiles_have_no_finding_of_hadolint(projects: dict[str, Path]):
    lint("hadolint", *present(projects, "Dockerfile"))


@pytest.mark.parametrize("file", ["dagster.yaml", "deploy/dagster.yaml"])
def test_dagster_accepts_the_settings_of_its_instances(default: Path, file: str):
    outcome = validate_config(dagster_instance_config_schema(), load(default / file))
    assert outcome.success, outcome.errors


def test_text_files_end_with_one_newline_and_no_line_with_white_space(project: Path):
    texts = {
        path.relative_to(project).as_posix(): path.read_bytes().decode()
        for path in project.rglob("*")
        if path.is_file() and "components" not in path.parts
    }
    assert [name for name, text in texts.items() if text and not re.search(r"[^\n]\n\Z", text)] == []
    assert [name for name, text in texts.items() if "\r" in text or re.search(r"[ \t]$", text, re.MULTILINE)] == []


# Which answer makes which file


@pytest.mark.parametrize("name", VARIANTS)
def test_the_ci_answer_decides_which_pipeline_is_there(projects: dict[str, Path], name: str):
    made = {
        ci
        for ci, path in {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}.items()
        if (projects[name] / path).exists()
    }
    assert made == {VARIANTS[name].get("ci", "github")} - {"none"}


# CI


def steps(project: Path) -> list[dict]:
    return [step for job in workflow(project)["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_commit_with_their_version_beside_it(projects: dict[str, Path]):
    pins: dict[str, set[str]] = {}
    for file in present(projects, ".github/workflows/ci.yml"):
        for line in file.read_text().splitlines():
            if "uses:" in line:
                action, pin = re.fullmatch(r"\s*(?:- )?uses: ([\w./-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", line).groups()
                pins.setdefault(action, set()).add(pin)
    assert len(pins) == 3
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_workflows_may_only_read_and_leave_no_credentials_behind(default: Path):
    assert workflow(default)["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow(default)["jobs"].values())
    checkouts = [step for step in steps(default) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}] * len(workflow(default)["jobs"])


def test_no_expression_reaches_a_shell(projects: dict[str, Path]):
    for file in present(projects, ".github/workflows/ci.yml"):
        assert [step["run"] for step in steps(file.parents[2]) if "${{" in step.get("run", "")] == []


def scripts(project: Path) -> str:
    """Every command of a project's pipeline."""
    if (project / ".gitlab-ci.yml").exists():
        return "\n".join(line for job in gitlab(project).values() if "script" in job for line in job["script"])
    return "\n".join(step.get("run", "") for step in steps(project))


@pytest.mark.parametrize("name", [name for name, answers in VARIANTS.items() if answers.get("ci") != "none"])
def test_pipelines_lint_check_test_and_build_the_container(projects: dict[str, Path], name: str):
    commands = scripts(projects[name])
    for command in ("pre-commit run --all-files", "dg check defs", "pytest", "docker compose up --build --wait"):
        assert command in commands
    assert ('dg launch --assets "*"' in commands) == name.startswith("sample")


def test_postgres_projects_run_everything_on_a_real_server(projects: dict[str, Path]):
    job = workflow(projects["sample-postgres-github"])["jobs"]["materialize"]
    server = job["services"]["postgres"]["env"]
    runs = [step["env"] for step in job["steps"] if step.get("env", {}).get("WAREHOUSE_TARGET") == "production"]
    assert [(run["PGUSER"], run["PGPASSWORD"], run["PGDATABASE"]) for run in runs] == [tuple(server.values())]
    variables = gitlab(projects["sample-postgres-gitlab"])["materialize-on-postgres"]["variables"]
    assert variables["WAREHOUSE_TARGET"] == "production"
    assert variables["PGPASSWORD"] == variables["POSTGRES_PASSWORD"]
    assert "services" not in workflow(projects["sample-duckdb-github"])["jobs"]["materialize"]


def test_pipelines_install_what_the_lock_file_says(projects: dict[str, Path]):
    assert workflow(projects["sample-duckdb-github"])["env"]["UV_LOCKED"] == "1"
    assert gitlab(projects["git-duckdb-gitlab"])[".python"]["variables"]["UV_LOCKED"] == "1"
    assert "UV_LOCKED=1" in (projects["sample-duckdb-github"] / "Dockerfile").read_text()


def test_one_version_of_uv_and_of_python_everywhere(projects: dict[str, Path]):
    texts = [
        file.read_text()
        for name in (".github/workflows/ci.yml", ".gitlab-ci.yml", "Dockerfile")
        for file in present(projects, name)
    ]
    uv = {version for text in texts for version in re.findall(r'(?:uv==|\sversion: ")([\d.]+)', text)}
    python = {version for text in texts for version in re.findall(r'(?:python:|python-version: ")(\d+\.\d+)', text)}
    assert (len(uv), len(python)) == (1, 1)


# Containers


def test_a_missing_password_stops_compose_with_a_message(project: Path):
    text = (project / "compose.yaml").read_text()
    required = dict(re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN|USER|HOST|DATABASE)\w*)(:\?[^}]+)?\}", text))
    assert required["DAGSTER_POSTGRES_PASSWORD"].startswith(":?")
    assert [name for name, message in required.items() if not message] == []


def test_ports_are_open_on_this_machine_only(project: Path):
    ports = [port for service in compose(project)["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:3000:3000"]


def test_every_service_is_watched_and_waits_for_what_it_needs(default: Path):
    services = compose(default)["services"]
    assert "HEALTHCHECK" in (default / "Dockerfile").read_text()
    assert [name for name, service in services.items() if "healthcheck" not in service] == ["code"]
    for name in ("webserver", "daemon"):
        assert services[name]["depends_on"] == {
            "postgres": {"condition": "service_healthy"}, "code": {"condition": "service_healthy"}
        }  # fmt: skip


def test_containers_run_in_production_without_rights(project: Path):
    for name in ("code", "webserver", "daemon"):
        service = compose(project)["services"][name]
        target = {"DATABRICKS_TARGET": "workspace", "WAREHOUSE_TARGET": "production"}
        assert target.items() & service["environment"].items()
        assert service["cap_drop"] == ["ALL"]
    users = re.findall(r"^USER (.+)$", (project / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001"]


NEEDED = ["pyproject.toml", "uv.lock", "profiles.yml", "policy.yaml", "deploy/dagster.yaml", "deploy/workspace.yaml"]
UNWANTED = """
    .env .env.local .git/config .venv/bin/python .dagster/history/runs.db data/warehouse.duckdb dashboards/flights.html
    exports/routes.csv transform/target/manifest.json src/flight_analytics/__pycache__/definitions.pyc
"""


def test_the_image_holds_what_loading_needs_and_no_secret_or_output(default: Path):
    lines = (default / ".dockerignore").read_text().splitlines()
    # A pattern of .dockerignore starts at the root, one of .gitignore anywhere.
    patterns = [line if line.startswith("**/") else f"/{line}" for line in lines if not line.startswith("#")]
    ignored = GitIgnoreSpec.from_lines(patterns)
    files = [path for folder in ("src", "transform") for path in (default / folder).rglob("*") if path.is_file()]
    needed = NEEDED + [path.relative_to(default).as_posix() for path in files]
    assert [name for name in needed if ignored.match_file(name)] == []
    assert [name for name in UNWANTED.split() if not ignored.match_file(name)] == []


def test_a_dbt_folder_outside_the_project_is_a_build_context_of_its_own(projects: dict[str, Path]):
    places = {"folder-duckdb-github": ("../shop dbt", "/srv/shop dbt"), "folder-postgres-gitlab": ("/data/shop",) * 2}
    for name, (folder, place) in places.items():
        assert compose(projects[name])["services"]["code"]["build"]["additional_contexts"] == {"dbt_project": folder}
        dockerfile = (projects[name] / "Dockerfile").read_text()
        assert f'COPY --from=dbt_project [".", "{place}"]' in dockerfile
        assert f'COPY --from=prepared --chown=platform:platform ["{place}", "{place}"]' in dockerfile


def test_the_token_of_a_dbt_repository_is_a_build_secret(projects: dict[str, Path]):
    project = projects["git-duckdb-github"]
    assert compose(project)["secrets"] == {"dbt_git_token": {"environment": "DBT_GIT_TOKEN"}}
    assert compose(project)["services"]["code"]["build"]["secrets"] == ["dbt_git_token"]
    mentions = [line for line in (project / "Dockerfile").read_text().splitlines() if "DBT_GIT_TOKEN" in line]
    assert mentions == ["    --mount=type=secret,id=dbt_git_token,env=DBT_GIT_TOKEN \\"]


def test_the_container_installs_what_its_settings_name(project: Path):
    groups = tomllib.loads((project / "pyproject.toml").read_text())["dependency-groups"]
    names = {re.split(r"[<>=~!\[]", requirement)[0] for requirement in groups["deploy"]}
    assert names == {"dagster-postgres", "dagster-webserver"}
    assert "uv sync --no-dev --group deploy" in (project / "Dockerfile").read_text()


def test_the_code_location_has_one_name_everywhere(project: Path):
    name = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["dg"]["project"]["code_location_name"]
    [server] = load(project / "deploy" / "workspace.yaml")["load_from"]
    assert server["grpc_server"]["location_name"] == name
    assert f'"--location-name", "{name}"' in (project / "Dockerfile").read_text()
