"""The one call that a project makes."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from dagster.components.testing import create_defs_folder_sandbox

from components.governance import PolicyViolations, governed
from tests.components.governance.policies import POLICY, good, violations


def test_jobs_schedules_sensors_checks_and_resources_stay_and_run(project: Callable[..., Path], tmp_path: Path):
    seen = []

    class Store(dg.ConfigurableResource):
        name: str

    said = {"owners": ["team:data"], "group_name": "g", "kinds": {"x"}, "tags": {"domain": "x"}, "description": "d"}

    @dg.asset(key=["raw", "orders"], **said)
    def orders(store: Store) -> None:
        seen.append(store.name)

    @dg.multi_asset(
        specs=[dg.AssetSpec(["marts", name], deps=[orders], **said) for name in ("a", "b")],
        check_specs=[dg.AssetCheckSpec("inner", asset=["marts", "a"])],
        can_subset=True,
    )
    def marts(context: dg.AssetExecutionContext):
        for key in sorted(context.selected_asset_keys):
            yield dg.MaterializeResult(asset_key=key)
        yield dg.AssetCheckResult(asset_key=["marts", "a"], check_name="inner", passed=True)

    @dg.asset_check(asset=orders)
    def good_orders():
        return dg.AssetCheckResult(passed=True)

    job = dg.define_asset_job("all", selection="*")

    @dg.sensor(job=job)
    def waits(): ...

    defs = dg.Definitions(
        assets=[orders, marts],
        asset_checks=[good_orders],
        jobs=[job],
        schedules=[dg.ScheduleDefinition(job=job, cron_schedule="0 6 * * *")],
        sensors=[waits],
        resources={"store": Store(name="shop")},
        executor=dg.in_process_executor,
    )

    made = governed(defs, project())
    dg.Definitions.validate_loadable(made)
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        result = made.resolve_job_def("all").execute_in_process(instance=instance)

    assert seen == ["shop"]
    assert {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()} == {
        "raw/orders",
        "marts/a",
        "marts/b",
    }
    assert {check.check_name for check in result.get_asset_check_evaluations()} == {"inner", "good_orders"}
    assert made.resolve_schedule_def("all_schedule").job_name == "all"
    assert made.resolve_sensor_def("waits").job_name == "all"
    assert made.executor is dg.in_process_executor


def test_old_source_assets_do_not_get_in_the_way(project: Callable[..., Path]):
    source = dg.SourceAsset(["raw", "orders"], description="d", group_name="g", tags={"domain": "x"})

    found = violations(dg.Definitions(assets=[source, good("marts/a", deps=[["raw", "orders"]])]), project())

    assert [(violation.asset, violation.rule) for violation in found] == [
        ("raw/orders", "kinds"),
        ("raw/orders", "owner"),
    ]


def test_a_run_that_loads_the_definitions_again_is_not_refused(project: Callable[..., Path]):
    defs = dg.Definitions(assets=[good("raw/a", owners=[])])
    root = project()

    with DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION)):
        assert governed(defs, root).resolve_all_asset_keys() == [dg.AssetKey(["raw", "a"])]


def test_the_definitions_of_a_project_folder_are_governed(project: Callable[..., Path]):
    with create_defs_folder_sandbox() as sandbox:
        (sandbox.project_root / "policy.yaml").write_text(POLICY)
        (sandbox.defs_folder_path / "assets.py").write_text(
            textwrap.dedent("""\
                import dagster as dg

                @dg.asset(key=["raw", "orders"], group_name="g", kinds={"x"}, description="d", tags={"domain": "x"})
                def orders(): ...

                @dg.asset_check(asset=["raw", "orders"])
                def enough():
                    return dg.AssetCheckResult(passed=True)
                """)
        )
        with sandbox.build_all_defs() as defs, pytest.raises(PolicyViolations) as caught:
            governed(defs, sandbox.project_root)

    (violation,) = caught.value.violations
    assert (violation.asset, violation.rule) == ("raw/orders", "owner")
    assert violation.place == f"src/{sandbox.project_name}/defs/assets.py:3"
