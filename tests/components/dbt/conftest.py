"""Platforms for the tests of the dbt component: the sample is parsed once a session and then copied."""

import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.components.dbt.harness import Platform, new_platform


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAREHOUSE_TARGET", "WAREHOUSE_DUCKDB_FILE", "WAREHOUSE_PRODUCTION_FILE", "DBT_QUERY_TAG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def parsed_sample() -> Iterator[Path]:
    """The sample with its manifest; copy it, do not change it."""
    with new_platform() as platform:
        platform.load()
        yield platform.root


@pytest.fixture
def platform(parsed_sample: Path) -> Iterator[Platform]:
    """A platform of the test's own whose dbt project is parsed."""
    with new_platform(parsed_sample) as made:
        yield made


@pytest.fixture
def dbt_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Puts a dbt that keeps a record beside the Python in use; returns the commands it was started with."""
    if sys.platform == "win32":
        pytest.fail("the recording dbt is a shell script")
    record, folder = tmp_path / "dbt-starts", tmp_path / "bin"
    real = Path(sys.executable).parent / "dbt"
    assert real.is_file()
    folder.mkdir()
    wrapper = folder / "dbt"
    wrapper.write_text(f'#!/bin/sh\necho "$*" >> "{record}"\nexec "{real}" "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return lambda: record.read_text().splitlines() if record.exists() else []
