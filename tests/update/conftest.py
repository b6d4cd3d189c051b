"""Fixtures of the update tests: a quiet git that knows who it is, and an empty template repository."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.update.worlds import FIGURES, TemplateRepository


@pytest.fixture(scope="session", autouse=True)
def git_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Git settings that no machine's own can change."""
    settings = tmp_path_factory.mktemp("git") / "config"
    settings.write_text("[user]\n  name = Ada\n  email = ada@example.com\n[init]\n  defaultBranch = main\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield settings


@pytest.fixture
def template_repository(tmp_path: Path) -> TemplateRepository:
    """A template repository without a release."""
    return TemplateRepository.create(tmp_path / "template")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was tried."""
    for name, count in sorted(FIGURES.items()):
        terminalreporter.write_line(f"update: {name}: {count}")
