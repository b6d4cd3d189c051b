"""What assets and checks a dbt project becomes."""

from pathlib import Path

import dagster as dg
import pytest

from tests.components.dbt.harness import Platform


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def check_names(defs: dg.Definitions) -> set[str]:
    return {f"{key.asset_key.to_user_string()}:{key.name}" for key in defs.resolve_asset_graph().asset_check_keys}


def parents(defs: dg.Definitions, key: str) -> set[str]:
    return {dep.asset_key.to_user_string() for dep in specs(defs)[key].deps}


def test_three_lines_of_yaml_make_models_seeds_and_snapshots_assets(platform: Platform) -> None:
    assert {key for key in specs(platform.load()) if not key.startswith("raw/")} == {
        "staging/stg_customers",
        "staging/stg_orders",
        "marts/customers",
        "marts/daily_orders",
        "marts/settings",
        "shop/regions",
        "history/customers_history",
    }


def test_tests_contracts_and_source_freshness_are_checks(platform: Platform) -> None:
    assert check_names(platform.load()) == {
        "staging/stg_customers:unique_stg_customers_id",
        "staging/stg_customers:not_null_stg_customers_id",
        "staging/stg_orders:not_null_stg_orders_amount",
        "staging/stg_orders:relationships_stg_orders_customer_id__id__ref_stg_customers_",
        "marts/customers:nobody_spends_a_million",
        "marts/customers:contract",
        "raw/customers:source_not_null_raw_customers_id",
        "raw/orders:freshness",
    }


def test_lineage_runs_from_the_sources_to_the_marts(platform: Platform) -> None:
    defs = platform.load()
    assert parents(defs, "staging/stg_orders") == {"raw/orders"}
    assert parents(defs, "marts/customers") == {"staging/stg_customers", "staging/stg_orders"}


def test_groups_are_what_dbt_declares_else_the_folder_under_models(platform: Platform) -> None:
    found = specs(platform.load())
    assert found["staging/stg_customers"].group_name == "staging"
    assert found["marts/daily_orders"].group_name == "finance"
    assert found["shop/regions"].group_name == "seeds"


def test_a_group_in_the_yaml_fills_in_only_where_dbt_declares_none(platform: Platform) -> None:
    found = specs(platform.load(assets={"group": "analytics"}))
    assert found["staging/stg_customers"].group_name == "analytics"
    assert found["marts/daily_orders"].group_name == "finance"


def test_owners_come_from_meta_then_from_the_dbt_group_then_from_the_yaml(platform: Platform) -> None:
    found = specs(platform.load(assets={"owners": ["team:analytics"]}))
    assert found["marts/settings"].owners == ["ana@acme.com"]
    assert found["marts/customers"].owners == ["team:data_team"]
    assert found["marts/daily_orders"].owners == ["finance@acme.com"]
    assert found["staging/stg_orders"].owners == ["team:analytics"]


def test_tags_of_the_yaml_stand_beside_those_of_dbt(platform: Platform) -> None:
    tags = specs(platform.load(assets={"tags": {"domain": "sales"}}))["marts/customers"].tags
    assert tags["domain"] == "sales"
    assert tags["nightly"] == ""


def test_kinds_name_dbt_and_the_adapter(platform: Platform) -> None:
    assert specs(platform.load())["marts/customers"].kinds == {"dbt", "duckdb"}


def test_descriptions_are_those_of_dbt_and_are_missing_where_dbt_has_none(platform: Platform) -> None:
    found = specs(platform.load())
    assert found["marts/customers"].description == "Customers with what they spent."
    assert not found["marts/settings"].description


def test_every_model_refers_to_its_sql_file(platform: Platform) -> None:
    metadata = specs(platform.load())["marts/customers"].metadata
    files = {Path(reference.file_path) for reference in metadata["dagster/code_references"].code_references}
    assert platform.dbt.resolve() / "models/marts/customers.sql" in files


def test_a_key_translation_renames_models_and_leaves_sources_alone(platform: Platform) -> None:
    defs = platform.load(translation={"key": "analytics/{{ node.name }}"})
    assert parents(defs, "analytics/stg_orders") == {"raw/orders"}
    assert parents(defs, "analytics/customers") == {"analytics/stg_customers", "analytics/stg_orders"}


def test_a_translation_can_set_any_attribute_of_the_asset(platform: Platform) -> None:
    found = specs(platform.load(translation={"group_name": "{{ node.config.materialized }}s"}))
    assert found["marts/customers"].group_name == "tables"


def test_an_sla_is_a_freshness_policy_and_metadata_of_every_model(platform: Platform) -> None:
    spec = specs(platform.load(monitoring={"sla_minutes": 90}))["marts/customers"]
    assert spec.metadata["sla_minutes"] == 90
    assert spec.freshness_policy is not None
    assert spec.freshness_policy.fail_window.to_timedelta().total_seconds() == 90 * 60


@pytest.mark.parametrize("spelling", ["{{ context.project_root }}/transform", "{{ project_root }}/transform"])
def test_both_spellings_of_the_root_work(platform: Platform, spelling: str) -> None:
    assert "marts/customers" in specs(platform.load(project=spelling))


def test_a_relative_path_starts_from_the_yaml_file(platform: Platform) -> None:
    assert "marts/customers" in specs(platform.load(project="../../../../transform"))


@pytest.mark.parametrize("severity", ["warn", "error"])
def test_severity_decides_which_tests_block(platform: Platform, severity: str) -> None:
    graph = platform.load(dbt={"test_severity": severity}).resolve_asset_graph()
    tests = [key for key in graph.asset_check_keys if key.name not in ("freshness", "contract")]
    assert {graph.get_check_spec(key).blocking for key in tests} == {severity == "error"}


def test_excluded_models_are_no_assets_and_neither_are_their_tests(platform: Platform) -> None:
    defs = platform.load(dbt={"exclude_models": ["stg_c*", "daily_orders"]})
    assert not {"staging/stg_customers", "marts/daily_orders"} & {
        key for key, spec in specs(defs).items() if spec.kinds
    }
    assert "staging/stg_customers:unique_stg_customers_id" not in check_names(defs)


def test_a_selection_string_limits_the_project(platform: Platform) -> None:
    found = specs(platform.load(dbt={"select": "tag:nightly"}))
    assert {key for key, spec in found.items() if spec.kinds} == {"marts/customers"}


def test_a_named_selector_limits_the_project(platform: Platform) -> None:
    found = specs(platform.load(dbt={"selector": "nightly"}))
    assert {key for key, spec in found.items() if spec.kinds} == {"marts/customers"}
