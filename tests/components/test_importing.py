"""Components are imported when they are asked for, outside of Python's search for garbage."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.importing import imported

MODULES = {"Sound": "sound", "Broken": "broken"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with a module that can be imported and one that cannot."""
    folder = tmp_path / "instruments"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "sound.py").write_text("class Sound:\n    pass\n")
    (folder / "broken.py").write_text("import a_library_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "instruments"
    for name in [name for name in sys.modules if name.partition(".")[0] == "instruments"]:
        del sys.modules[name]


def test_a_component_is_imported_when_it_is_asked_for(package: str) -> None:
    assert "instruments.sound" not in sys.modules
    assert imported("Sound", MODULES, package) is sys.modules["instruments.sound"].Sound


def test_an_unknown_name_is_told_with_the_names_that_are_there(package: str) -> None:
    with pytest.raises(AttributeError, match="instruments has no 'Sonud'; it has Broken, Sound"):
        imported("Sonud", MODULES, package)


def test_a_failed_import_names_what_was_asked_for(package: str) -> None:
    with pytest.raises(ModuleNotFoundError) as raised:
        imported("Broken", MODULES, package)
    assert raised.value.__notes__ == ["Broken of instruments cannot be imported."]
    assert gc.isenabled()


def test_what_was_imported_is_passed_over_by_the_search_for_garbage(package: str) -> None:
    gc.unfreeze()
    imported("Sound", MODULES, package)
    frozen = gc.get_freeze_count()
    assert frozen > 0
    assert gc.isenabled()

    since = [[number] for number in range(1000)]
    imported("Sound", MODULES, package)
    assert gc.get_freeze_count() <= frozen, "nothing was imported, so what was made since is still looked through"
    assert len(since) == 1000


def test_a_process_without_a_search_for_garbage_stays_as_it_is(package: str) -> None:
    gc.disable()
    try:
        imported("Sound", MODULES, package)
        assert not gc.isenabled()
    finally:
        gc.enable()
