"""A package for each test."""

from pathlib import Path

import pytest

from tests.catalogue.package import Package


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path / "package")
