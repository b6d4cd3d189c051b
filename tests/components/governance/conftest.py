"""Fixtures of the governance tests."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.components.governance.policies import POLICY


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes policy.yaml and returns the project's root."""

    def write(more: str = "", policy: str = POLICY) -> Path:
        (tmp_path / "policy.yaml").write_text(policy + textwrap.dedent(more))
        return tmp_path

    return write
