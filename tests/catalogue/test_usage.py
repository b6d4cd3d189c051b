"""Who uses which component, counted from real YAML."""

from pathlib import Path

import pytest

from tests.catalogue.tools import find_usage

NAMES = ["TableComponent", "PipelineComponent"]


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_documents_and_nested_components_count(tmp_path: Path):
    write(
        tmp_path,
        "sales/src/sales/defs/a/defs.yaml",
        "type: acme.TableComponent\nattributes: {key: a/b}\n---\n# type: acme.TableComponent\n"
        "type: acme.PipelineComponent\nattributes:\n  components:\n"
        "    - {type: acme.TableComponent, attributes: {title: 'type: acme.TableComponent'}}\n",
    )
    write(tmp_path, "web/defs/b/component.yaml", "type: acme.warehouse.TableComponent\n")
    write(tmp_path, "web/defs/c/defs.yml", "type: dagster_sling.SlingReplicationCollectionComponent\n")
    write(tmp_path, "web/.venv/x/defs.yaml", "type: acme.TableComponent\n")
    write(tmp_path, "web/other.yaml", "type: acme.TableComponent\n")

    usage = find_usage([tmp_path / "sales", tmp_path / "web"], "acme", NAMES)

    assert usage.of("TableComponent") == {"sales": 2, "web": 1}
    assert usage.of("PipelineComponent") == {"sales": 1}
    assert usage.repositories == ["sales", "web"]


def test_a_type_that_the_package_does_not_have_is_told(tmp_path: Path):
    write(tmp_path, "sales/defs/a/defs.yaml", "type: acme.TabelComponent\n")

    usage = find_usage([tmp_path / "sales"], "acme", NAMES)

    assert usage.unknown == {"TabelComponent": {"sales": 1}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("type: @acme", "line 1"), ("a: 1\n b: 2\n", "line 2"), ("type: !!python/object:os.system {}\n", "line 1")],
)
def test_a_broken_file_is_named_and_the_others_count(tmp_path: Path, text: str, reason: str):
    write(tmp_path, "sales/defs/a/defs.yaml", "type: acme.TableComponent\n")
    write(tmp_path, "sales/defs/b/defs.yaml", text)

    usage = find_usage([tmp_path / "sales"], "acme", NAMES)

    assert usage.of("TableComponent") == {"sales": 1}
    assert [found.startswith(f"sales/defs/b/defs.yaml: {reason}") for found in usage.unreadable] == [True]


def test_two_folders_of_one_name_are_kept_apart(tmp_path: Path):
    for folder in ("a/platform", "b/platform"):
        write(tmp_path, f"{folder}/defs/t/defs.yaml", "type: acme.TableComponent\n")

    usage = find_usage([tmp_path / "a/platform", tmp_path / "b/platform"], "acme", NAMES)

    assert usage.of("TableComponent") == {"platform": 1, "platform (2)": 1}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="is no folder"):
        find_usage([tmp_path / "none"], "acme", NAMES)
