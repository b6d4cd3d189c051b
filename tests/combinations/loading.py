"""Generated projects, loaded in the process of the tests."""

import sys
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest


def forget() -> None:
    """Forget the modules of the project that was loaded."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "data_platform"]:
        del sys.modules[name]


def loaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """A project's definitions."""
    forget()
    monkeypatch.syspath_prepend(str(project / "src"))
    monkeypatch.chdir(project)
    made: dg.Definitions = import_module("data_platform.definitions").defs()
    return made
