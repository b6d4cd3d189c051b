"""Every command of the README, the tutorial and the how-to pages, run as it is written."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.e2e.conftest import clean_environment, share_bytecode, stop, uv
from tests.e2e.own_dbt import write_dbt_project
from tests.postgres_server import PostgresServer
from tests.rendering import ROOT

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVER = "uv run dg dev"
IDENTITY = {f"GIT_{who}_{what}": "reader@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def commands(page: str) -> list[str]:
    """The commands of a page's console blocks, in order."""
    blocks = BLOCK.findall((ROOT / page).read_text())
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module", autouse=True)
def one_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The readers' projects follow each other in one environment, so that its packages are compiled once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_PROJECT_ENVIRONMENT", str(tmp_path_factory.mktemp("environment") / ".venv"))
        yield


class Reader:
    """Somebody who types what a page says, one command after another, in one shell's folder."""

    def __init__(self, folder: Path, template_repository: Path, **environment: str) -> None:
        self.folder = folder
        tools = Path(uv()).parent
        self.environment = clean_environment(**IDENTITY, **environment, DAGWRIGHT=str(template_repository))
        self.environment["PATH"] = f"{tools}{os.pathsep}{self.environment['PATH']}"

    def type(self, command: str) -> None:
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ")
        elif command == SERVER:
            self.look_at_the_server()
        elif command.startswith("uvx copier copy") and "--defaults" not in command:
            self.answer_with_the_defaults(command)
        else:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=900,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            if command == "uv sync":
                share_bytecode(Path(self.environment["UV_PROJECT_ENVIRONMENT"]))

    def answer_with_the_defaults(self, command: str) -> None:
        """Press Enter at every question."""
        environment = self.environment | {"PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
        session = pexpect.spawn("bash", ["-c", command], cwd=self.folder, env=environment, encoding="utf-8", timeout=90)
        about = ("What do you want", "called", "Who owns", "Which warehouse", "Which dbt", "Which sources", "Which oth")
        for question in (*about, "Which CI"):
            session.expect(question)
            session.send("\r")
        session.expect(pexpect.EOF)
        session.close()
        assert session.exitstatus == 0

    def look_at_the_server(self) -> None:
        """Start `dg dev`, wait until it answers on its default port, and stop it."""
        server = subprocess.Popen(
            ["bash", "-c", SERVER],
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        try:
            while not port_open(3000):
                assert time.monotonic() < deadline, "dg dev did not answer on port 3000"
                time.sleep(1)
        finally:
            stop(server)


def port_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.e2e
def test_the_readmes_daily_use_works_as_written(template_repository: Path, tmp_path: Path):
    reader = Reader(tmp_path, template_repository)
    for command in commands("README.md"):
        if not command.startswith("python3 tools/"):  # the two commands: tests/e2e/test_starter.py and CI itself
            reader.type(command)


def test_the_readmes_two_commands_exist_and_ci_calls_the_second():
    assert [command for command in commands("README.md") if command.startswith("python3 ")] == [
        "python3 tools/demo.py",
        "python3 tools/test.py",
    ]
    assert "exec python3 tools/test.py\n" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.e2e
def test_the_tutorial_works_as_written(template_repository: Path, tmp_path: Path):
    reader = Reader(tmp_path, template_repository)
    for command in commands("docs/tutorials/first-platform.md"):
        reader.type(command)


@pytest.mark.e2e
def test_the_lakehouse_tutorial_works_as_written(template_repository: Path, tmp_path: Path):
    reader = Reader(tmp_path, template_repository)
    for command in commands("docs/tutorials/databricks-starter.md"):
        reader.type(command)


@pytest.mark.e2e
def test_the_ai_tutorial_works_as_written(template_repository: Path, tmp_path: Path):
    reader = Reader(tmp_path, template_repository)
    for command in commands("docs/tutorials/ai-starter.md"):
        reader.type(command)


@pytest.mark.e2e
def test_bringing_your_own_dbt_works_as_written(template_repository: Path, tmp_path: Path):
    write_dbt_project(tmp_path / "analytics")
    reader = Reader(tmp_path, template_repository)
    [generate, refresh] = commands("docs/how-to/bring-your-own-dbt.md")
    reader.type(generate)
    reader.type("cd my-platform")
    reader.type("uv sync")
    reader.type(refresh)
    reader.type('uv run dg launch --assets "*"')


@pytest.mark.e2e
@pytest.mark.postgres
def test_moving_to_production_works_as_written(
    template_repository: Path, tmp_path: Path, postgres_server: PostgresServer
):
    database = postgres_server.environment(postgres_server.create_database())
    reader = Reader(tmp_path, template_repository, **database)
    for command in (
        'uvx copier copy --defaults "$DAGWRIGHT" my-platform',
        "cd my-platform",
        'git init -b main && git add . && git commit -m "start"',
    ):
        reader.type(command)
    for command in commands("docs/how-to/production-warehouse.md"):
        reader.type(command)


PAGES = [path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_between_pages_leads_somewhere(page: str):
    text = re.sub(r"`[^`\n]*`", "", (ROOT / page).read_text())  # a pattern in code may look like a link
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_reference_is_what_the_sources_say():
    done = subprocess.run([sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.e2e
def test_keeping_projects_current_works_as_written(template_repository: Path, tmp_path: Path):
    reader = Reader(tmp_path, template_repository)
    reader.type('uvx copier copy --defaults "$DAGWRIGHT" my-platform')
    reader.type("cd my-platform")
    reader.type('git init -b main && git add . && git commit -m "start"')
    [check, update, fleet] = commands("docs/how-to/keep-projects-current.md")
    reader.type(check)
    (tmp_path / "repositories.txt").write_text(f"{tmp_path / 'my-platform'}\n")
    reader.type(update)
    reader.folder = tmp_path
    reader.type(fleet)
    assert "up to date" in (tmp_path / "fleet.html").read_text()


@pytest.mark.e2e
def test_adopting_works_as_written(template_repository: Path, tmp_path: Path):
    project = tmp_path / "my-project"
    (project / "src" / "my_project").mkdir(parents=True)
    (project / "src" / "my_project" / "__init__.py").write_text("")
    reader = Reader(tmp_path, template_repository)
    reader.type("cd my-project")
    reader.type('git init -b main && git add . && git commit -m "ours"')
    reader.folder = tmp_path
    [adopt] = commands("docs/how-to/adopt-a-project.md")
    reader.type(adopt)
    assert (project / ".copier-answers.yml").is_file()


@pytest.mark.e2e
def test_the_first_component_package_works_as_written(template_repository: Path, tmp_path: Path):
    page = "docs/tutorials/first-component-package.md"
    text = (ROOT / page).read_text()
    files = dict(re.findall(r"\*\*`([^`]+)`\*\*[^`]*```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    reader = Reader(tmp_path, template_repository)
    for command in commands(page):
        reader.type(command)
        if command == "cd sales":
            with (reader.folder / "pyproject.toml").open("a") as project:
                project.write("\n" + files["pyproject.toml"])
            (reader.folder / "src" / "sales" / "definitions.py").write_text(files["src/sales/definitions.py"])
    assert (reader.folder / "exports" / "march.csv").read_text().startswith("number,square\n1,1\n")
