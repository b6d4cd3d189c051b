"""JSON schemas are made once, and again when anything that decides them has changed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import schema_cache
from components.schema_cache import kept_schema, library_state

MODULE = "components.warehouse.sql_table"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "attributes.py").write_text("WIDEST = 12\n")
    monkeypatch.setattr(schema_cache, "LIBRARY", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    library_state.cache_clear()
    yield tmp_path
    library_state.cache_clear()


def schema(made: str, module: str = MODULE) -> str:
    """What the next process gets, where the code would make ``made``."""
    library_state.cache_clear()
    return kept_schema(module, "SqlTableModel", lambda: made)


def test_a_schema_is_made_once(library: Path):
    assert schema('{"made": 1}') == '{"made": 1}'
    assert schema('{"made": 2}') == '{"made": 1}'


def test_a_change_of_any_file_of_the_library_makes_it_anew(library: Path):
    schema('{"made": 1}')
    (library / "attributes.py").write_text("WIDEST = 24\n")  # as long, and as old, as before
    assert schema('{"made": 2}') == '{"made": 2}'
    (library / "connectors").mkdir()
    (library / "connectors" / "stripe.yaml").write_text("name: stripe\n")
    assert schema('{"made": 3}') == '{"made": 3}'


def test_another_dagster_makes_it_anew(library: Path, monkeypatch: pytest.MonkeyPatch):
    schema('{"made": 1}')
    monkeypatch.setattr("dagster.__version__", "9.9.9")
    assert schema('{"made": 2}') == '{"made": 2}'


def test_a_class_of_another_package_is_asked_every_time(library: Path):
    schema('{"made": 1}', module="acme.components")
    assert schema('{"made": 2}', module="acme.components") == '{"made": 2}'


def test_it_is_kept_where_python_was_told_to_keep_compiled_files(
    library: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "compiled"
    monkeypatch.setattr(sys, "pycache_prefix", str(elsewhere))
    assert schema('{"made": 1}') == '{"made": 1}'
    assert schema('{"made": 2}') == '{"made": 1}'
    assert len(list(elsewhere.rglob("*.schema"))) == 1
    assert not (library / "__pycache__").exists()


def test_nothing_is_written_where_python_writes_no_compiled_files(library: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert schema('{"made": 1}') == '{"made": 1}'
    assert not (library / "__pycache__").exists()


def test_a_folder_that_cannot_be_written_to_is_no_fault(library: Path):
    (library / "__pycache__").write_text("a file is in the way")
    assert schema('{"made": 1}') == '{"made": 1}'


def test_a_file_that_was_cut_or_damaged_is_made_anew(library: Path):
    schema('{"made": 1}')
    (file,) = (library / "__pycache__").iterdir()
    for damage in (b"", b"\xff\xfe", file.read_bytes()[:20]):
        file.write_bytes(damage)
        assert schema('{"made": 2}') == '{"made": 2}'
