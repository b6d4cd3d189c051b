from pathlib import Path

import pytest

from components.warehouse.settings import local_duckdb_file, subprocess_environment, warehouse_target


def test_the_target_is_local_where_nothing_is_said(monkeypatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "")
    assert warehouse_target() == "local"
    monkeypatch.delenv("WAREHOUSE_TARGET")
    assert warehouse_target() == "local"


def test_a_target_that_is_none_is_named_with_what_is_valid(monkeypatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "prod")
    with pytest.raises(ValueError, match="WAREHOUSE_TARGET: 'prod' is not valid; expected one of local, production"):
        warehouse_target()


def test_a_relative_file_starts_from_the_project(monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_DUCKDB_FILE", "elsewhere/w.duckdb")
    assert local_duckdb_file(tmp_path) == tmp_path / "elsewhere" / "w.duckdb"
    monkeypatch.delenv("WAREHOUSE_DUCKDB_FILE")
    assert local_duckdb_file(tmp_path) == tmp_path / "data" / "warehouse.duckdb"


def test_a_subprocess_finds_the_same_files_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_DUCKDB_FILE", "w.duckdb")
    monkeypatch.setenv("WAREHOUSE_PRODUCTION_FILE", "p.duckdb")
    variables = subprocess_environment(tmp_path)
    assert {name: Path(value) for name, value in variables.items()} == {
        "WAREHOUSE_DUCKDB_FILE": tmp_path / "w.duckdb",
        "WAREHOUSE_PRODUCTION_FILE": tmp_path / "p.duckdb",
    }
