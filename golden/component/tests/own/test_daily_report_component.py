"""DailyReportComponent is listed by its file's name, refuses what is wrong, and does its work."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox
from pydantic import ValidationError

import acme_components
from acme_components.own.daily_report_component import DailyReportComponent

ATTRIBUTES: dict[str, Any] = {
    "key": "reports/squares",
    "description": "One row per number.",
    "output": "exports/squares.csv",
    "rows": 3,
}


def test_it_is_listed_by_its_name():
    assert "DailyReportComponent" in dir(acme_components)
    assert acme_components.DailyReportComponent is DailyReportComponent


def test_an_unknown_attribute_is_refused_by_name():
    with pytest.raises(ValidationError, match="no_such_attribute"):
        DailyReportComponent.get_model_cls().model_validate({**ATTRIBUTES, "no_such_attribute": 1})


def test_it_writes_a_row_per_number():
    with create_defs_folder_sandbox() as sandbox:
        contents = {"type": "acme_components.DailyReportComponent", "attributes": ATTRIBUTES}
        path = sandbox.scaffold_component(DailyReportComponent, defs_yaml_contents=contents)
        with sandbox.load_component_and_build_defs(path) as (_, definitions):
            result = definitions.resolve_implicit_global_asset_job_def().execute_in_process()
        written = (Path(sandbox.project_root) / "exports" / "squares.csv").read_text().splitlines()

    [made] = result.get_asset_materialization_events()
    assert made.asset_key == dg.AssetKey(["reports", "squares"])
    assert written == ["number,square", "1,1", "2,4", "3,9"]
