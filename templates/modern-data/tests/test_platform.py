"""The whole platform runs on local data: every asset is materialised and every check passes."""

from pathlib import Path

import dagster as dg
import pytest


@pytest.mark.materialises
def test_every_asset_is_materialised_and_every_check_passes(definitions: dg.Definitions, tmp_path: Path):
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=dg.DagsterInstance.ephemeral(str(tmp_path))
    )

    made = {event.asset_key for event in result.get_asset_materialization_events()}
    failed = [
        f"{check.asset_key.to_user_string()}: {check.check_name}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]
    # Reports of a BI tool are shown with what they read, and nothing here makes them.
    assert definitions.resolve_asset_graph().materializable_asset_keys - made == set()
    assert failed == []
