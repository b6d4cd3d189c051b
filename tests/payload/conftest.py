"""One project for each variant of the delivery files, rendered once; read them, do not change them."""

from pathlib import Path

import pytest

from tests.payload.variants import VARIANTS
from tests.rendering import render


@pytest.fixture(scope="session")
def projects(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("delivery")
    return {
        name: render(template, folder / name, {"project_name": "Flight Analytics", **answers})
        for name, answers in VARIANTS.items()
    }


@pytest.fixture(params=VARIANTS)
def project(projects: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    return projects[request.param]


@pytest.fixture(scope="session")
def default(projects: dict[str, Path]) -> Path:
    return projects["sample-duckdb-github"]
