"""Whole projects, installed with uv and run as their users run them."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.rendering import ROOT, render

sys.path.insert(0, str(ROOT / "tools"))

from bootstrap import clean_environment, stop, uv  # noqa: F401 tests take stop from here


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


class Project:
    """A generated project on disk, with its own environment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `uv run` does, without touching the network for the environment again."""
        done = subprocess.run(
            [uv(), "run", "--no-sync", *command],
            cwd=self.path,
            env=clean_environment(**environment),
            capture_output=True,
            text=True,
            timeout=600,
        )
        if check and done.returncode:
            pytest.fail(
                f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def launch(self, selection: str = "*", check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("dg", "launch", "--assets", selection, check=check, **environment)

    def query(self, sql: str) -> list[tuple]:
        """Rows of the local warehouse, read by this process."""
        import duckdb

        with duckdb.connect(str(self.path / "data" / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def sync(folder: Path, *options: str) -> None:
    """Install a project's environment; from uv's cache where that has all, as asking a registry again takes longer."""
    command = [uv(), "sync", "--quiet", *options]
    offline = subprocess.run([*command, "--offline"], cwd=folder, env=clean_environment(), capture_output=True)
    if offline.returncode:
        subprocess.run(command, cwd=folder, env=clean_environment(), check=True)
    share_bytecode(folder / ".venv")


def share_bytecode(environment: Path) -> None:
    """Give a new environment the bytecode that this one has: without it each project's first start compiles for 10 s.

    Python compiles a file anew where the bytecode is of another version of it.
    """
    ours = Path(sysconfig.get_path("purelib"))
    [theirs] = environment.glob("lib/python*/site-packages")
    for package, _, _ in os.walk(theirs):
        compiled = ours / Path(package).relative_to(theirs) / "__pycache__"
        if not compiled.is_dir():
            continue
        cache = Path(package) / "__pycache__"
        cache.mkdir(exist_ok=True)
        for file in compiled.iterdir():
            if not (cache / file.name).exists():
                shutil.copyfile(file, cache / file.name)


def installed(template: Path, folder: Path, answers: dict[str, str] | None = None) -> Project:
    project = render(template, folder, answers)
    sync(project)
    return Project(project)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """The default starter, installed and materialised by the README's first command, and what that said."""
    folder = tmp_path_factory.mktemp("starter") / "data-platform"
    command = [sys.executable, str(ROOT / "tools" / "demo.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Project(folder), done.stdout


@pytest.fixture
def starter(demonstration: tuple[Project, str]) -> Project:
    """The materialised starter. Tests may run it again, not change it."""
    return demonstration[0]


@pytest.fixture
def own_copy(starter: Project, tmp_path: Path) -> Project:
    """A copy of the materialised starter that a test may change, with an environment of its own."""
    copy = tmp_path / "data-platform"
    shutil.copytree(starter.path, copy, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    sync(copy)
    return Project(copy)
