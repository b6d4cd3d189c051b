"""The migrations of defs.yaml: only the key that changes changes."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hooks.migrations.defs_yaml import CannotMigrate, migrated, rename_attribute
from tests.rendering import ROOT, asked_questions

MIGRATIONS = ROOT / "hooks" / "migrations"
RENAME = rename_attribute("Export", "file", "output")
BEFORE = """\
# Who reads it: planners.
type: acme.components.Export

attributes:   # the export
    name: "x"
    'file' : "{{ context.project_root }}/file.csv"  # the file: file
    sql: |
      select file
      from t  # file: no key
    other: {file: 1}
---
type: acme.Source
attributes:
  tables: [{name: a, file: a.csv}]
---
type: acme.Pipeline
attributes:
  steps:
  - {type: acme.Export, attributes: {file: b.csv, name: y}}
"""
AFTER = BEFORE.replace("'file' :", "'output' :").replace("{file: b.csv", "{output: b.csv")


def test_only_the_key_changes_and_every_other_byte_stays():
    assert RENAME(BEFORE, "defs.yaml") == AFTER


def test_line_endings_and_a_second_run_change_nothing():
    windows = BEFORE.replace("\n", "\r\n")
    once = RENAME(windows, "defs.yaml")
    assert once == AFTER.replace("\n", "\r\n")
    assert RENAME(once, "defs.yaml") == once


def test_a_key_inside_a_list_of_groups_is_found():
    rename = rename_attribute("Source", "tables.file", "path")
    text = "type: acme.Source\nattributes:\n  tables:\n    - file: a.csv\n    - name: b\n      file: b.csv\n"
    assert rename(text, "defs.yaml") == text.replace("file:", "path:")


def test_both_names_at_once_are_left_to_a_person_with_file_and_line():
    text = "type: a.Export\nattributes:\n  output: a.csv\n  file: b.csv\n"
    with pytest.raises(CannotMigrate, match=r"x/defs\.yaml:4: Export has both file and output"):
        RENAME(text, "x/defs.yaml")


def test_an_attribute_behind_an_alias_is_renamed_once():
    text = "type: a.Export\nattributes: &same {file: a.csv}\n---\ntype: a.Export\nattributes: {file: b.csv}\n"
    assert RENAME(text, "defs.yaml") == text.replace("{file", "{output")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Export", "Other"]),
            st.dictionaries(st.sampled_from(["file", "name", "sql", "x"]), WORDS, min_size=1),
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_what_yaml_reads_afterwards_is_what_it_read_before_under_the_new_name(
    documents: list[tuple[str, dict[str, str]]], flow: bool
):
    given_documents = [{"type": f"a.{kind}", "attributes": attributes} for kind, attributes in documents]
    text = yaml.safe_dump_all(given_documents, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    expected = [
        {
            "type": f"a.{kind}",
            "attributes": {
                "output" if (kind, key) == ("Export", "file") else key: value for key, value in attributes.items()
            },
        }
        for kind, attributes in documents
    ]
    assert list(yaml.safe_load_all(RENAME(text, "defs.yaml"))) == expected


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "src/p/defs/a/defs.yaml": BEFORE,
        "src/p/defs/b/defs.yaml": "type: a.FileExportComponent\nattributes: {file: a.csv}\n",
        ".venv/lib/defs.yaml": "type: a.FileExportComponent\nattributes: {file: a.csv}\n",
        "src/p/other.yaml": "type: a.FileExportComponent\nattributes: {file: a.csv}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def command(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    start = [sys.executable, str(MIGRATIONS), *options, str(project)]
    return subprocess.run(start, capture_output=True, text=True, check=False)


def test_the_command_shows_the_difference_first_and_then_makes_it(project: Path):
    check = command(project, "--check")
    assert check.returncode == 1
    assert "-attributes: {file: a.csv}\n+attributes: {output: a.csv}\n" in check.stdout
    assert "other.yaml" not in check.stdout
    assert "{file" in (project / "src/p/defs/b/defs.yaml").read_text()

    assert command(project).returncode == 0
    assert (
        project / "src/p/defs/b/defs.yaml"
    ).read_text() == "type: a.FileExportComponent\nattributes: {output: a.csv}\n"
    assert "{file" in (project / ".venv/lib/defs.yaml").read_text()
    assert "{file" in (project / "src/p/other.yaml").read_text()
    assert command(project, "--check").returncode == 0


def test_one_file_that_cannot_be_lifted_leaves_all_as_they_are(project: Path):
    (project / "src/p/defs/a/defs.yaml").write_text("type: [\n")
    done = command(project)
    assert done.returncode == 2
    assert "src/p/defs/a/defs.yaml: this is not YAML" in done.stderr
    assert "{file" in (project / "src/p/defs/b/defs.yaml").read_text()


def test_text_that_is_not_utf_8_is_named(tmp_path: Path):
    (tmp_path / "defs.yaml").write_bytes(b"type: \xff\n")
    with pytest.raises(CannotMigrate, match=r"defs\.yaml: this is not UTF-8"):
        migrated(tmp_path, [RENAME])


def test_projects_carry_every_migration():
    carried = asked_questions()["migrations"]["default"].split()
    assert carried == sorted(path.name for path in MIGRATIONS.glob("*.py"))
