"""What the containers run, run here: the same commands, settings and health checks, against a real Postgres server."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.fakes.databricks import TOKEN, FakeWorkspace
from tests.postgres_server import PostgresServer
from tests.rendering import render

from .conftest import clean_environment, sync

pytestmark = pytest.mark.postgres

SECONDS = 120
RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"
LAUNCH = """
mutation($asset: [String!]!) {
  launchPipelineExecution(executionParams: {
    mode: "default",
    selector: {repositoryLocationName: "data-platform", repositoryName: "__repository__", pipelineName: "__ASSET_JOB",
               assetSelection: [{path: $asset}], assetCheckSelection: []}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on InvalidSubsetError { message } }
}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Containers:
    """The services of a project's compose.yaml as processes on loopback, and an asset to make there."""

    project: Path
    asset: list[str]
    environment: dict[str, str]
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def services(self) -> dict[str, dict]:
        return yaml.safe_load((self.project / "compose.yaml").read_text())["services"]

    def image(self, instruction: str) -> list[str]:
        """The last exec-form CMD of the Dockerfile, or that of its HEALTHCHECK."""
        text = (self.project / "Dockerfile").read_text().replace("\\\n", " ")
        pattern = {"CMD": r"^CMD (\[.*\])", "HEALTHCHECK": r"^HEALTHCHECK .*CMD (\[.*\])"}[instruction]
        return json.loads(re.findall(pattern, text, re.MULTILINE)[-1])

    def local(self, command: list[str]) -> list[str]:
        """A container's command with the ports of this machine."""
        moved = [
            re.sub(r"\b(3000|4000)\b", lambda found: str(self.ports[found[0]]), word).replace("0.0.0.0", "127.0.0.1")
            for word in command
        ]
        return [str(self.project / ".venv" / "bin" / moved[0]), *moved[1:]]

    def start(self, service: str) -> None:
        command = self.services[service].get("command") or self.image("CMD")
        log = (self.project / f"{service}.log").open("wb")
        self.processes[service] = subprocess.Popen(
            self.local(command), cwd=self.project, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def is_healthy(self, service: str) -> bool:
        test = self.services[service].get("healthcheck", {}).get("test", ["CMD", *self.image("HEALTHCHECK")])[1:]
        done = subprocess.run(self.local(test), cwd=self.project, env=self.environment, capture_output=True)
        return done.returncode == 0

    def start_healthy(self, service: str) -> None:
        self.start(service)
        self.wait(lambda: self.is_healthy(service), f"{service} to be healthy")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not condition():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > end:
                logs = "\n".join(path.read_text()[-3000:] for path in self.project.glob("*.log"))
                pytest.fail(f"waited for {what}; ended: {ended}\n{logs}")
            time.sleep(0.5)

    def ask(self, query: str, **variables: object) -> dict:
        """The web server's answer to a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"http://127.0.0.1:{self.ports['3000']}/graphql", body, {"content-type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def step_output(self) -> str:
        """What the steps wrote, from the volume that the services share."""
        return "\n".join(path.read_text() for path in Path(self.environment["DAGSTER_FILES"]).rglob("*.err"))

    def stop(self) -> None:
        for process in reversed(list(self.processes.values())):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


# An asset of each kind that what is there without an account can make.
ASSETS = {"modern-data": ["raw", "airlines"], "databricks": ["shop_landing", "airlines"], "ai": ["prompts", "reviews"]}
ANSWERS: dict[str, dict[str, object]] = {
    "modern-data": {},
    "databricks": {"catalog": "acme.shop", "databricks_options": ["container"]},
    "ai": {"ai_options": ["reviews", "container"]},
}


@pytest.fixture(scope="module", params=ASSETS)
def containers(
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    request: pytest.FixtureRequest,
) -> Iterator[Containers]:
    kind: str = request.param
    folder = tmp_path_factory.mktemp("deploy")
    project = render(template, folder / "app", {"kind": kind, **ANSWERS[kind]})
    sync(project, "--no-dev", "--group", "deploy")
    ports = {"3000": free_port(), "4000": free_port()}
    workspace = project / "deploy" / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("code", "127.0.0.1").replace("4000", str(ports["4000"])))
    given = yaml.safe_load((project / "compose.yaml").read_text())["services"]["code"]["environment"]
    environment = clean_environment(**given) | {
        "PATH": os.pathsep.join([str(project / ".venv" / "bin"), os.environ["PATH"]]),
        "DAGSTER_HOME": str(project / "deploy"),
        "DAGSTER_FILES": str(folder / "dagster"),
        "DAGSTER_POSTGRES_HOST": postgres_server.host,
        "DAGSTER_POSTGRES_PORT": str(postgres_server.port),
        "DAGSTER_POSTGRES_USER": postgres_server.user,
        "DAGSTER_POSTGRES_PASSWORD": postgres_server.password,
        "DAGSTER_POSTGRES_DB": postgres_server.create_database(),
        "WAREHOUSE_PRODUCTION_FILE": str(project / "data" / "production.duckdb"),
    }
    fake = FakeWorkspace(folder / "workspace") if kind == "databricks" else None
    if fake:
        environment |= {"DATABRICKS_HOST": fake.address, "DATABRICKS_TOKEN": TOKEN}
        fake.catalog.add("acme.shop_landing")
    (project / "data").mkdir()  # the Dockerfile makes it
    made = Containers(project, ASSETS[kind], environment, ports)
    try:
        for service in ("code", "webserver", "daemon"):
            made.start_healthy(service)
        yield made
    finally:
        made.stop()
        if fake:
            fake.close()


def test_a_run_goes_through_the_queue_and_is_recorded_in_postgres(
    containers: Containers, postgres_server: PostgresServer
):
    answer = containers.ask(LAUNCH, asset=containers.asset)["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run = answer["run"]["runId"]

    def status() -> str:
        return {found["runId"]: found["status"] for found in containers.ask(RUNS)["runsOrError"]["results"]}[run]

    containers.wait(lambda: status() in ("SUCCESS", "FAILURE"), "the run to end")
    database = containers.environment["DAGSTER_POSTGRES_DB"]
    recorded = postgres_server.psql(database, f"select status from runs where run_id = '{run}'")
    queued = f"select count(*) from event_logs where run_id = '{run}' and dagster_event_type = 'PIPELINE_ENQUEUED'"
    assert (status(), recorded) == ("SUCCESS", "SUCCESS"), containers.step_output()
    assert postgres_server.psql(database, queued) == "1"
    if containers.asset == ASSETS["modern-data"]:
        assert Path(containers.environment["WAREHOUSE_PRODUCTION_FILE"]).is_file()


def test_the_output_of_steps_is_kept_where_every_container_can_read_it(containers: Containers):
    assert "STEP_SUCCESS" in containers.step_output()


def test_the_code_server_goes_by_the_name_that_the_project_gives_it(containers: Containers):
    assert "does not match the name" not in (containers.project / "code.log").read_text()


def test_one_run_at_a_time_and_no_telemetry(containers: Containers):
    settings = yaml.safe_load(containers.ask("{ instance { info } }")["instance"]["info"])
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert settings["telemetry"]["enabled"] is False
    assert settings["run_monitoring"]["enabled"] is True
