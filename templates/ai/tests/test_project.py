"""The whole project runs in a copy: every asset is made, no check fails that would stop it, and twice costs nothing."""

import dagster as dg
import pytest

from tests.conftest import Run


def keys(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey | None]:
    return {event.asset_key for event in result.get_asset_materialization_events()}


def failed(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        f"{check.asset_key.to_user_string()}: {check.check_name}: {check.description}"
        for check in result.get_asset_check_evaluations()
        if not check.passed
    ]


def test_every_dependency_is_an_asset_of_this_project(definitions: dg.Definitions):
    specs = definitions.resolve_all_asset_specs()
    assert {dep.asset_key for spec in specs for dep in spec.deps} - {spec.key for spec in specs} == set()


@pytest.mark.materialises
def test_every_asset_is_materialised_and_every_check_passes(
    definitions: dg.Definitions, first_run: dg.ExecuteInProcessResult
):
    assert {spec.key for spec in definitions.resolve_all_asset_specs()} - keys(first_run) == set()
    assert failed(first_run) == []


@pytest.mark.materialises
def test_a_second_run_asks_no_model_for_what_was_answered(first_run: dg.ExecuteInProcessResult, run: Run):
    second = run()
    made = [event.step_materialization_data.materialization for event in second.get_asset_materialization_events()]
    told = {item.asset_key.to_user_string(): item.metadata for item in made}
    assert failed(second) == []
    for key, said in told.items():
        assert "documents_written" not in said or said["documents_written"].value == 0, key
        assert "pending" not in said or (said["calls"].value, said["unchanged"].value > 0) == (0, True), key
