"""Fixtures that several test folders share."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.postgres_server import PostgresServer, running_postgres
from tests.rendering import ROOT, copy_template, render
from tests.slots import note_slots, pytest_addoption, pytest_configure  # noqa: F401 hooks

# CI looks at the same examples every time, so that a red run is about the change; elsewhere new ones are tried.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# A test process of xdist has a main module without a file. MLflow asks pyspark whether a session is active, and pyspark
# takes such a process for a run of its own doctests, and ends it.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = str(ROOT / "tests" / "__init__.py")

# A shell starts background jobs with interrupts ignored, and their children inherit that: cancelled runs are tested.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)  # folders mark their tests in hooks of their own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the slots, and put the long tests first, so that no process of xdist is left alone with them at the end."""
    note_slots(items)
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 * 1024**3


@pytest.fixture(scope="session", autouse=True)
def scratch_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Temporary files in memory, where the machine has it: databases and clones are made and removed by the hundred.

    What tests keep in pytest's own folders stays on the disk, whole environments with their packages among it.
    """
    tmp_path_factory.getbasetemp()  # found by pytest before the place of temporary files changes
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH_BYTES:
        yield
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o1777)  # as /tmp is: database servers have a user of their own
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a plain folder, copied once."""
    return copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def rendered(template: Path, tmp_path: Path) -> Callable[..., Path]:
    """A function that renders answers into a fresh folder and returns it."""
    made = iter(range(1_000))

    def make(answers: dict[str, Any] | None = None, **options: Any) -> Path:
        return render(template, tmp_path / f"project{next(made)}", answers, **options)

    return make


@pytest.fixture(scope="session")
def default_project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modern-data starter with default answers; read it, do not change it."""
    return render(template, tmp_path_factory.mktemp("default") / "project")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server; mark tests that use it ``postgres``."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_database(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new, empty database that the environment names as the production warehouse."""
    database = postgres_server.create_database()
    for name, value in postgres_server.environment(database).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    return database


@pytest.fixture(scope="session")
def template_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a tagged git repository, as users get it."""
    folder = copy_template(tmp_path_factory.mktemp("repository"))
    identity = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com"}
    identity |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "release"], ["tag", "0.1.0"]):
        subprocess.run(["git", *command], cwd=folder, env=os.environ | identity, check=True)
    return folder
