"""The whole lakehouse runs on local data: every asset is materialised, and no check fails that would stop it."""

from pathlib import Path

import dagster as dg
import pytest


@pytest.mark.materialises
def test_every_asset_is_materialised_and_no_blocking_check_fails(definitions: dg.Definitions, lakehouse: Path):
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=dg.DagsterInstance.ephemeral(str(lakehouse))
    )

    made = {event.asset_key for event in result.get_asset_materialization_events()}
    failed = [
        f"{check.asset_key.to_user_string()}: {check.check_name}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]
    assert {spec.key for spec in definitions.resolve_all_asset_specs()} - made == set()
    assert failed == []
