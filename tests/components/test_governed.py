"""A project's assets, held against its policy: standards applied, violations listed."""

import logging
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from dagster.components.testing import create_defs_folder_sandbox

from components.governance import PolicyViolations, Violation, enforce, governed, load_policy

POLICY = """\
version: 1
require: [owner, group, kinds, tags, description]
required_tags: [domain]
classifications: [public, personal]
tiers: {critical: {sla_minutes: 240}, standard: {sla_minutes: 1440}, whenever: {}}
alert_routes:
  data: {url_env: DATA_URL, owners: [team:data]}
  web: {url_env: WEB_URL, owners: [team:web]}
"""
TODAY = date(2026, 6, 1)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes policy.yaml and returns the project's root."""

    def write(more: str = "", policy: str = POLICY) -> Path:
        (tmp_path / "policy.yaml").write_text(policy + textwrap.dedent(more))
        return tmp_path

    return write


def good(key: str, **changes: Any) -> dg.AssetSpec:
    """An asset that follows the policy, changed."""
    said: dict[str, Any] = {
        "owners": ["team:data"],
        "group_name": "ingestion",
        "kinds": {"duckdb"},
        "tags": {"domain": "sales"},
        "description": "Orders.",
    }
    return dg.AssetSpec(key.split("/"), **{**said, **changes})


def violations(defs: dg.Definitions, root: Path, today: date = TODAY) -> list[Violation]:
    with pytest.raises(PolicyViolations) as caught:
        enforce(defs, load_policy(root / "policy.yaml"), root, today)
    return caught.value.violations


def broken(spec: dg.AssetSpec, root: Path) -> list[tuple[str, str]]:
    """The rules that one asset breaks, each with its message."""
    found = violations(dg.Definitions(assets=[spec]), root)
    assert {violation.asset for violation in found} == {spec.key.to_user_string()}
    return [(violation.rule, violation.message) for violation in found]


@pytest.mark.parametrize(
    ("changes", "rule", "message"),
    [
        ({"owners": []}, "owner", "owners are missing; expected e-mail addresses or team:name"),
        ({"group_name": None}, "group", "the group is missing; expected a name other than default"),
        ({"group_name": "default"}, "group", "the group is missing; expected a name other than default"),
        ({"kinds": set()}, "kinds", "kinds are missing; expected what it is made with, such as dbt or duckdb"),
        (
            {"description": " "},
            "description",
            "the description is missing; expected what a row is and what the data is for",
        ),
        ({"tags": {}}, "tags", "the tag domain is missing; expected tags: {domain: …}"),
        ({"tags": {"domain": ""}}, "tags", "the tag domain is missing; expected tags: {domain: …}"),
        (
            {"tags": {"domain": "x", "classification": "secret"}},
            "classification",
            "the tag classification is 'secret'; expected one of public, personal (classifications of policy.yaml)",
        ),
        (
            {"tags": {"domain": "x", "tier": "critcal"}},
            "tier",
            "the tag tier is 'critcal'; expected one of critical, standard, whenever; did you mean critical? "
            "(tiers of policy.yaml)",
        ),
        (
            {"tags": {"domain": "x", "alert_route": "ops"}},
            "alert_route",
            "the tag alert_route is 'ops'; expected one of data, web (alert_routes of policy.yaml)",
        ),
        (
            {"metadata": {"sla_minutes": "soon"}},
            "sla_minutes",
            "the metadata sla_minutes is 'soon'; expected a whole number of minutes, 1 or more",
        ),
    ],
)
def test_a_broken_rule_is_named_with_what_is_missing_and_valid(
    changes: dict[str, Any], rule: str, message: str, project: Callable[..., Path]
):
    assert broken(good("raw/orders", **changes), project()) == [(rule, message)]


def test_an_asset_that_follows_the_policy_passes(project: Callable[..., Path]):
    spec = good(
        "raw/orders", tags={"domain": "x", "classification": "personal", "tier": "critical", "alert_route": "web"}
    )

    assert governed(dg.Definitions(assets=[spec]), project()).resolve_all_asset_keys() == [spec.key]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("orders", "the key has 1 part; expected 2 parts, such as marts/orders"),
        ("a/b/orders", "the key has 3 parts; expected 2 parts, such as b/orders"),
        ("raw/or-ders", "'or-ders' in the key does not match ^[A-Za-z0-9_]+$ (naming of policy.yaml)"),
    ],
)
def test_a_key_of_another_shape_is_named(key: str, message: str, project: Callable[..., Path]):
    assert broken(good(key), project()) == [("key", message)]


def test_what_the_policy_does_not_require_may_be_missing(project: Callable[..., Path]):
    root = project(policy="version: 1\n")

    governed(
        dg.Definitions(assets=[dg.AssetSpec(["raw", "orders"], tags={"tier": "any", "classification": "any"})]), root
    )


def test_any_tag_will_do_where_none_is_named(project: Callable[..., Path]):
    root = project(policy="version: 1\nrequire: [tags]\n")

    assert broken(good("raw/orders", tags={}), root) == [("tags", "tags are missing; expected one at least")]
    governed(dg.Definitions(assets=[good("raw/orders", tags={"team": "a"})]), root)


def test_a_dependency_that_nothing_makes_is_named_with_what_is_near(project: Callable[..., Path]):
    defs = dg.Definitions(assets=[good("raw/orders"), good("marts/orders", deps=[["raw", "order"], ["raw", "orders"]])])

    (violation,) = violations(defs, project())

    assert (violation.asset, violation.rule) == ("marts/orders", "unknown_upstream")
    assert violation.message == (
        "it depends on raw/order, which no asset of this project makes; did you mean raw/orders? "
        "If not, load it, map it to an asset, or list it under external_assets in policy.yaml"
    )


def test_dependencies_that_the_policy_calls_external_are_exempt(project: Callable[..., Path]):
    defs = dg.Definitions(assets=[good("marts/orders", deps=[["crm", "accounts"]])])

    governed(defs, project('external_assets: ["crm/*"]\n'))


def test_a_dependency_that_dagster_finds_by_its_table_is_no_violation(project: Callable[..., Path]):
    raw = good("raw/orders", metadata={"dagster/table_name": "raw.orders"})
    mart = good("marts/orders", deps=[dg.AssetDep("orders", metadata={"dagster/table_name": "raw.orders"})])

    governed(dg.Definitions(assets=[raw, mart]), project())


def test_all_violations_are_listed_at_once_by_asset(project: Callable[..., Path]):
    specs = [good("raw/b", owners=[], kinds=set()), good("raw/a", description=None), good("raw/fine")]

    with pytest.raises(PolicyViolations) as caught:
        governed(dg.Definitions(assets=specs), project())

    assert str(caught.value) == textwrap.dedent("""\
        3 violations of policy.yaml in 2 places

        raw/a
          description: the description is missing; expected what a row is and what the data is for

        raw/b
          kinds: kinds are missing; expected what it is made with, such as dbt or duckdb
          owner: owners are missing; expected e-mail addresses or team:name

        Mend them, or waive a rule for an asset under waivers in policy.yaml.""")


def test_in_mode_warn_one_warning_says_it_and_the_project_loads(
    project: Callable[..., Path], caplog: pytest.LogCaptureFixture
):
    defs = dg.Definitions(assets=[good("raw/a", owners=[]), good("raw/b", owners=[])])

    loaded = governed(defs, project("mode: warn\n"))

    assert len(loaded.resolve_all_asset_keys()) == 2
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "2 violations of policy.yaml in 2 places" in record.message


def test_a_missing_group_in_python_is_named_with_file_and_line(project: Callable[..., Path]):
    @dg.asset(key=["raw", "orders"], owners=["team:data"], kinds={"x"}, tags={"domain": "x"}, description="x")
    def orders(): ...

    (violation,) = violations(dg.Definitions(assets=[orders]), project())

    assert violation.place.endswith(
        f"test_governed.py:{orders.node_def.compute_fn.decorated_fn.__code__.co_firstlineno}"
    )


def test_a_missing_owner_of_a_stock_component_is_named_with_its_yaml_and_line(project: Callable[..., Path]):
    project()
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.defs_folder_path / "stock"
        folder.mkdir()
        (folder / "script.py").write_text("print()")
        (folder / "defs.yaml").write_text(
            textwrap.dedent("""\
                type: dagster.PythonScriptComponent
                attributes:
                  execution: {path: script.py}
                  assets:
                    - {key: raw/one, group_name: g, kinds: [a], tags: {domain: x}, description: d, owners: ["team:a"]}
                ---
                type: dagster.PythonScriptComponent
                attributes:
                  execution: {name: second, path: script.py}
                  assets:
                    - {key: raw/two, group_name: g, kinds: [python], tags: {domain: x}, description: d}
                """)
        )
        (sandbox.project_root / "policy.yaml").write_text(POLICY)
        with sandbox.build_all_defs() as defs, pytest.raises(PolicyViolations) as caught:
            governed(defs, sandbox.project_root)

    (violation,) = caught.value.violations
    assert (violation.asset, violation.rule) == ("raw/two", "owner")
    assert violation.place == f"src/{sandbox.project_name}/defs/stock/defs.yaml:7"


def test_the_most_specific_file_is_named(project: Callable[..., Path]):
    root = project()
    references = [
        dg.LocalFileCodeReference(file_path=str(root / "transform" / "models" / "orders.sql")),
        dg.LocalFileCodeReference(file_path=str(root / "src" / "defs.yaml"), line_number=3),
    ]
    metadata = {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}

    (violation,) = violations(dg.Definitions(assets=[good("marts/orders", owners=[], metadata=metadata)]), root)

    assert violation.place == "transform/models/orders.sql"


WAIVER = """\
waivers:
  - {asset: "raw/*", rule: description, owner: team:data, reason: Vendor tables., expires: 2026-06-01}
"""


def test_a_waived_violation_is_not_reported_until_its_last_day_is_over(project: Callable[..., Path]):
    root = project(WAIVER)
    defs = dg.Definitions(assets=[good("raw/a", description=None)])

    enforce(defs, load_policy(root / "policy.yaml"), root, TODAY)

    found = violations(defs, root, TODAY + timedelta(days=1))
    assert [(violation.asset, violation.rule) for violation in found] == [
        ("policy.yaml:10", "waiver"),
        ("raw/a", "description"),
    ]
    assert found[0].message == (
        "the waiver of description for raw/* expired on 2026-06-01; "
        "team:data either mends the assets and removes it, or sets a later date"
    )


def test_a_waiver_covers_its_rule_and_its_assets_only(project: Callable[..., Path]):
    specs = [good("raw/a", description=None, owners=[]), good("marts/a", description=None)]

    found = violations(dg.Definitions(assets=specs), project(WAIVER))

    assert [(violation.asset, violation.rule) for violation in found] == [
        ("marts/a", "description"),
        ("raw/a", "owner"),
    ]


def test_a_waiver_that_covers_nothing_is_warned_about(project: Callable[..., Path], caplog: pytest.LogCaptureFixture):
    root = project(WAIVER)

    enforce(dg.Definitions(assets=[good("raw/a")]), load_policy(root / "policy.yaml"), root, TODAY)

    assert caplog.messages == ["policy.yaml:10: the waiver of description for raw/* covers nothing; remove it"]


def test_a_waiver_that_ends_soon_is_warned_about(project: Callable[..., Path], caplog: pytest.LogCaptureFixture):
    root = project(WAIVER)
    defs = dg.Definitions(assets=[good("raw/a", description=None)])

    enforce(defs, load_policy(root / "policy.yaml"), root, TODAY - timedelta(days=15))
    assert caplog.messages == []
    enforce(defs, load_policy(root / "policy.yaml"), root, TODAY - timedelta(days=14))
    assert "ends on 2026-06-01" in caplog.text


def test_a_waiver_is_compared_with_today_by_default(project: Callable[..., Path]):
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    with pytest.raises(PolicyViolations, match=f"expired on {yesterday}"):
        governed(dg.Definitions(assets=[]), project(WAIVER.replace("2026-06-01", str(yesterday))))


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
