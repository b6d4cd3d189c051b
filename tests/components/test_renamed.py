"""Old names of attributes: loaded with a warning in their time, refused afterwards."""

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox
from jsonschema import Draft202012Validator

from components.base import StrictComponent
from components.renamed import Renamed

TODAY = date.today()


@dataclass
class Export(StrictComponent):
    """A component whose attributes had other names."""

    renamed_attributes = (
        Renamed("file", "output", since="0.2.0", until=TODAY + timedelta(days=1)),
        Renamed("colour", "shade", since="0.1.0", until=TODAY - timedelta(days=1)),
    )

    output: Annotated[str, dg.Resolver.default(description="A file.", json_schema_extra={"pattern": r"\.csv$"})]
    shade: str = "grey"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(assets=[dg.AssetSpec("export", metadata={"output": self.output, "shade": self.shade})])


def loaded(attributes: dict[str, Any]) -> dict[str, Any]:
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(
            component_cls=Export, defs_yaml_contents={"type": f"{__name__}.Export", "attributes": attributes}
        )
        with sandbox.load_component_and_build_defs(defs_path=path) as (_, defs):
            return dict(defs.resolve_asset_graph().get(dg.AssetKey("export")).metadata)


def load_error(attributes: dict[str, Any]) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Dagster wraps it
        loaded(attributes)
    return str(caught.value.__cause__)


def schema_accepts(attributes: dict[str, Any]) -> bool:
    return Draft202012Validator(Export.get_model_cls().model_json_schema()).is_valid(attributes)


def test_an_old_name_loads_as_the_new_one_and_warns_with_file_and_last_day(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "dagster.components"):
        assert loaded({"file": "a.csv"})["output"] == "a.csv"
    [warning] = [record.getMessage() for record in caplog.records if "file is output" in record.getMessage()]
    assert "defs.yaml" in warning
    assert str(TODAY + timedelta(days=1)) in warning
    assert "tools/update.py" in warning


def test_the_new_name_loads_without_a_warning(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "dagster.components"):
        assert loaded({"output": "a.csv"})["output"] == "a.csv"
    assert caplog.records == []


def test_the_schema_takes_either_name_but_not_both_and_not_neither():
    assert schema_accepts({"file": "a.csv"})
    assert schema_accepts({"output": "a.csv"})
    assert not schema_accepts({"file": "a.csv", "output": "a.csv"})
    assert not schema_accepts({})


def test_the_schema_checks_the_value_under_the_old_name_too():
    assert not schema_accepts({"file": "a.txt"})
    assert Export.get_model_cls().model_json_schema()["properties"]["file"]["deprecated"] is True


def test_a_name_whose_time_has_ended_is_refused_with_what_to_do():
    assert not schema_accepts({"output": "a.csv", "colour": "red"})
    said = load_error({"output": "a.csv", "colour": "red"})
    assert "colour: loads no more since" in said
    assert "colour is shade since 0.1.0" in said


def test_both_names_at_once_are_refused():
    assert "file: output is there as well; keep output" in load_error({"output": "a.csv", "file": "b.csv"})


def test_a_mistake_under_the_old_name_is_still_a_mistake():
    assert "output: 'a.txt' does not match" in load_error({"file": "a.txt"})


def test_every_rename_of_the_library_has_a_migration():
    from components.activation import FileExportComponent

    scripts = "".join(path.read_text() for path in (Path(__file__).parents[2] / "hooks/migrations").glob("v*.py"))
    for entry in FileExportComponent.renamed_attributes:
        assert f'"{entry.old}", "{entry.new}"' in scripts
