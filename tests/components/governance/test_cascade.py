"""What follows from owner, classification, tier and compute size."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time

from components.governance import governed
from components.governance.cascade import MAX_RUNTIME
from tests.components.governance.policies import good


def spec_of(defs: dg.Definitions, key: str) -> dg.AssetSpec:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}[key]


def test_the_owners_route_and_the_tiers_deadline_are_filled_in(project: Callable[..., Path]):
    spec = good("raw/a", tags={"domain": "x", "tier": "critical"}, metadata={"kept": 1})

    made = spec_of(governed(dg.Definitions(assets=[spec]), project()), "raw/a")

    assert dict(made.tags) == {"domain": "x", "tier": "critical", "alert_route": "data", "dagster/kind/duckdb": ""}
    assert (made.metadata["sla_minutes"], made.metadata["kept"]) == (240, 1)
    assert made.freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=240))


def test_what_an_asset_says_itself_stays(project: Callable[..., Path]):
    window = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=1))
    tags = {"domain": "x", "tier": "critical"}
    specs = [
        good("raw/a", tags={**tags, "alert_route": "web"}, metadata={"sla_minutes": 30}),
        good("raw/b", tags=tags, freshness_policy=window),
        good("raw/c", tags={"domain": "x", "tier": "whenever"}, owners=["someone@example.com"]),
    ]

    defs = governed(dg.Definitions(assets=specs), project())

    assert spec_of(defs, "raw/a").tags["alert_route"] == "web"
    assert spec_of(defs, "raw/a").metadata["sla_minutes"] == 30
    assert spec_of(defs, "raw/a").freshness_policy.fail_window.to_timedelta() == timedelta(minutes=30)
    assert spec_of(defs, "raw/b").freshness_policy == window
    assert "alert_route" not in spec_of(defs, "raw/c").tags
    assert spec_of(defs, "raw/c").freshness_policy is None


def test_what_a_classification_says_is_given_to_its_assets_and_their_own_words_stay(project: Callable[..., Path]):
    root = project(
        policy="version: 1\nclassifications: {personal: {tags: {pii: direct}, metadata: {retention_days: 90}}}\n"
    )
    specs = [
        good("raw/a", tags={"classification": "personal"}),
        good("raw/b", tags={"classification": "personal", "pii": "none"}, metadata={"retention_days": 7}),
        good("raw/c"),
    ]

    defs = governed(dg.Definitions(assets=specs), root)

    assert (spec_of(defs, "raw/a").tags["pii"], spec_of(defs, "raw/a").metadata["retention_days"]) == ("direct", 90)
    assert (spec_of(defs, "raw/b").tags["pii"], spec_of(defs, "raw/b").metadata["retention_days"]) == ("none", 7)
    assert "pii" not in spec_of(defs, "raw/c").tags


SIZES = """\
version: 1
compute_sizes:
  small: {threads: 2, memory_gb: 4, hourly_cost_usd: 0.5}
  pod: {threads: 8, memory_gb: 32, hourly_cost_usd: 2, pod_limits: true}
"""


def test_a_compute_size_gives_its_cost_to_the_asset_and_its_limits_to_the_step(project: Callable[..., Path]):
    @dg.asset(key=["raw", "a"], tags={"compute_size": "small"})
    def a(): ...

    @dg.asset(key=["raw", "b"], tags={"compute_size": "pod"}, op_tags={"compute_size": "mine"})
    def b(): ...

    defs = governed(dg.Definitions(assets=[a, b]), project(policy=SIZES))
    tags = {key: defs.resolve_asset_graph().get(dg.AssetKey(["raw", key])).assets_def.op.tags for key in ("a", "b")}

    assert spec_of(defs, "raw/a").metadata["hourly_cost_usd"] == 0.5
    assert tags["a"] == {"compute_size": "small", "hourly_cost_usd": "0.5"}
    assert tags["b"]["compute_size"] == "mine"
    limits = json.loads(tags["b"]["dagster-k8s/config"])["container_config"]["resources"]["limits"]
    assert limits == {"cpu": "8", "memory": "32000M"}


def test_a_step_whose_assets_name_several_sizes_gets_none(project: Callable[..., Path]):
    @dg.multi_asset(
        specs=[
            dg.AssetSpec(["raw", "a"], tags={"compute_size": "small"}),
            dg.AssetSpec(["raw", "b"], tags={"compute_size": "pod"}),
        ]
    )
    def both(): ...

    defs = governed(dg.Definitions(assets=[both]), project(policy=SIZES))

    assert defs.resolve_asset_graph().get(dg.AssetKey(["raw", "a"])).assets_def.op.tags == {}


def test_jobs_without_a_limit_get_the_policys_wherever_they_are_held(project: Callable[..., Path]):
    @dg.asset(key=["raw", "a"], partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
    def a(): ...

    @dg.op
    def step(): ...

    @dg.job(tags={"team": "x"})
    def plain():
        step()

    everything = dg.define_asset_job("everything", selection="*", tags={"kept": "1"})
    limited = dg.define_asset_job("limited", selection="*", run_tags={MAX_RUNTIME: "5"})

    @dg.sensor(job=everything)
    def waits(): ...

    defs = dg.Definitions(
        assets=[a],
        jobs=[everything, limited, plain],
        schedules=[
            dg.build_schedule_from_partitioned_job(everything),
            dg.ScheduleDefinition(job=plain, cron_schedule="@daily"),
        ],
        sensors=[waits],
    )

    made = governed(defs, project(policy="version: 1\nmax_runtime_minutes: 30\n"))
    dg.Definitions.validate_loadable(made)
    tags = {name: made.resolve_job_def(name).run_tags for name in ("everything", "limited", "plain")}

    assert tags["everything"] == {"kept": "1", MAX_RUNTIME: "1800"}
    assert tags["limited"][MAX_RUNTIME] == "5"
    assert tags["plain"] == {"team": "x", MAX_RUNTIME: "1800"}
    assert made.resolve_sensor_def("waits").job_name == "everything"
    assert made.resolve_schedule_def("plain_schedule").job_name == "plain"


LATE = """\
version: 1
tiers:
  critical: {sla_minutes: 60}
  standard: {sla_minutes: 60, sla_check: warn}
  silent: {sla_minutes: 60, sla_check: none}
"""


@pytest.mark.parametrize(
    ("tier", "age", "passed", "severity"),
    [
        ("critical", timedelta(hours=2), False, dg.AssetCheckSeverity.ERROR),
        ("critical", timedelta(minutes=1), True, dg.AssetCheckSeverity.ERROR),
        ("standard", timedelta(hours=2), False, dg.AssetCheckSeverity.WARN),
    ],
)
def test_data_that_is_late_fails_the_check_of_its_tier(
    tier: str,
    age: timedelta,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    project: Callable[..., Path],
):
    spec = good("raw/a", tags={"tier": tier})
    defs = governed(dg.Definitions(assets=[spec]), project(policy=LATE))
    (check,) = defs.asset_checks
    with dg.DagsterInstance.ephemeral() as instance:
        with freeze_time(datetime.now(UTC) - age):
            instance.report_runless_asset_event(dg.AssetMaterialization(spec.key))
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.get_subset(asset_check_selection=set(check.check_keys)).execute_in_process(instance=instance)
        (evaluation,) = result.get_asset_check_evaluations()

    assert (evaluation.passed, evaluation.severity) == (passed, severity)
    assert defs.resolve_sensor_def("sla_checks").default_status is dg.DefaultSensorStatus.RUNNING


def test_no_check_is_added_without_a_tier_that_asks_for_one_or_beside_one_that_stands(project: Callable[..., Path]):
    root = project(policy=LATE)
    own = dg.build_last_update_freshness_checks(assets=[dg.AssetKey(["raw", "b"])], lower_bound_delta=timedelta(days=9))
    assets = [
        good("raw/a", tags={"tier": "silent"}),
        good("raw/b", tags={"tier": "critical"}),
        good("raw/c", metadata={"sla_minutes": 5}),
    ]

    defs = governed(dg.Definitions(assets=assets, asset_checks=own), root)

    assert len(list(defs.asset_checks)) == 1
    assert not defs.sensors
