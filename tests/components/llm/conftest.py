"""A project with a fake provider, for the tests of model calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components.installed import installed_components_listed_once
from tests.components.llm.desk import Desk
from tests.components.warehouse.project import project
from tests.fakes.models import FakeModels, model_server
from tests.fakes.models.server import KEY

__all__ = ["installed_components_listed_once", "project"]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModels]:
    """A fake provider, whose key the environment has."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, KEY)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "fake")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with model_server() as server:
        yield server


@pytest.fixture
def desk(models: FakeModels, tmp_path: Path) -> Desk:
    """Calls to the fake provider, for an asset of team:ai."""
    return Desk(models, tmp_path)
