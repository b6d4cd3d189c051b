"""What happens when a dbt project is materialised on DuckDB."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.components.dbt.harness import RAW, Platform, built, checks_of, failure, new_platform

pytestmark = pytest.mark.e2e
Starts = Callable[[], list[str]]


@pytest.fixture
def loaded(platform: Platform) -> Platform:
    """A platform whose raw tables are there."""
    platform.sql(RAW)
    return platform


class TestAWholeRun:
    """One run of everything, looked at from several sides."""

    @pytest.fixture(scope="class")
    def ran(self, parsed_sample: Path) -> Iterator[tuple[Platform, dg.ExecuteInProcessResult]]:
        with new_platform(parsed_sample) as platform:
            platform.sql(RAW)
            yield platform, platform.run(platform.load())

    @pytest.mark.slot("modern-data", "dbt-core", "embedded")
    def test_every_model_seed_and_snapshot_is_materialised(
        self, ran: tuple[Platform, dg.ExecuteInProcessResult]
    ) -> None:
        platform, result = ran
        assert result.success
        assert built(result) == {
            "staging/stg_customers",
            "staging/stg_orders",
            "marts/customers",
            "marts/daily_orders",
            "marts/settings",
            "shop/regions",
            "history/customers_history",
        }
        assert platform.sql("select id, spent from marts.customers order by id") == [(1, 15.0), (2, 7.5)]

    @pytest.mark.slot("modern-data", "quality/dbt-tests", "embedded")
    def test_dbt_tests_are_check_results(self, ran: tuple[Platform, dg.ExecuteInProcessResult]) -> None:
        checks = checks_of(ran[1])
        assert checks["staging/stg_customers:unique_stg_customers_id"].passed
        assert checks["raw/customers:source_not_null_raw_customers_id"].passed

    def test_a_kept_contract_passes_with_its_columns(self, ran: tuple[Platform, dg.ExecuteInProcessResult]) -> None:
        check = checks_of(ran[1])["marts/customers:contract"]
        assert check.passed
        assert [column.name for column in check.metadata["columns"].value.columns] == ["id", "spent"]

    def test_a_source_past_its_warning_warns_and_stops_nothing(
        self, ran: tuple[Platform, dg.ExecuteInProcessResult]
    ) -> None:
        check = checks_of(ran[1])["raw/orders:freshness"]
        assert not check.passed
        assert check.severity == dg.AssetCheckSeverity.WARN
        assert check.metadata["age_seconds"].value == pytest.approx(2 * 86_400, abs=600)

    def test_the_local_target_of_the_platform_is_used(self, ran: tuple[Platform, dg.ExecuteInProcessResult]) -> None:
        assert ran[0].sql("select target, threads from marts.settings") == [("local", 1)]


def test_a_run_reuses_what_loading_parsed(loaded: Platform) -> None:
    component, defs = loaded.component()
    component.write_state_to_path(loaded.root / "state")
    assert loaded.run(defs, "marts/settings").success
    [log] = loaded.dbt.glob("target/dagster/*/runs/*/dbt.log")
    assert "Nothing changed, skipping partial parsing." in log.read_text()


def test_a_run_starts_dbt_once_and_source_freshness_once_more(loaded: Platform, dbt_starts: Starts) -> None:
    assert loaded.run(loaded.load()).success
    assert sorted(start.split()[0] for start in dbt_starts()) == ["build", "source"]


def test_one_model_is_built_alone_with_its_tests_and_those_of_its_sources(loaded: Platform, dbt_starts: Starts) -> None:
    defs = loaded.load()
    result = loaded.run(defs, "staging/stg_customers")
    assert built(result) == {"staging/stg_customers"}
    assert set(checks_of(result)) == {
        "staging/stg_customers:unique_stg_customers_id",
        "staging/stg_customers:not_null_stg_customers_id",
        "raw/customers:source_not_null_raw_customers_id",
    }
    assert len(dbt_starts()) == 1


@pytest.mark.slot("modern-data", "quality/freshness", "embedded")
def test_a_source_past_its_limit_is_an_error_that_stops_no_model(platform: Platform) -> None:
    platform.sql(RAW.replace("interval 2 day", "interval 8 day"))
    result = platform.run(platform.load())
    check = checks_of(result)["raw/orders:freshness"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "marts/customers" in built(result)


class TestAFailingTest:
    """Two customers have the same id, and an order has no amount."""

    @pytest.fixture
    def doubled(self, loaded: Platform) -> Platform:
        loaded.sql("insert into raw.customers values (1, 'Eve', 'N'); update raw.orders set amount = null where id = 3")
        return loaded

    def test_as_declared_it_stops_what_follows_and_says_which(self, doubled: Platform) -> None:
        result = doubled.run(doubled.load())
        assert not result.success
        assert "marts/customers" not in built(result)
        checks = checks_of(result)
        assert checks["staging/stg_customers:unique_stg_customers_id"].severity == dg.AssetCheckSeverity.ERROR
        assert checks["staging/stg_orders:not_null_stg_orders_amount"].severity == dg.AssetCheckSeverity.WARN
        message = failure(result)
        assert "test unique_stg_customers_id on stg_customers (models/staging/_staging.yml)" in message
        assert "Got 1 result, configured to fail if != 0" in message

    def test_as_a_warning_it_stops_nothing(self, doubled: Platform) -> None:
        result = doubled.run(doubled.load(dbt={"test_severity": "warn"}))
        assert result.success
        assert {"staging/stg_customers", "marts/customers"} <= built(result)
        check = checks_of(result)["staging/stg_customers:unique_stg_customers_id"]
        assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)

    def test_as_an_error_a_declared_warning_stops_what_follows(self, loaded: Platform) -> None:
        loaded.sql("update raw.orders set amount = null where id = 3")
        result = loaded.run(loaded.load(dbt={"test_severity": "error"}))
        assert not result.success
        assert "marts/customers" not in built(result)
        check = checks_of(result)["staging/stg_orders:not_null_stg_orders_amount"]
        assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)


def test_a_warning_below_its_own_error_threshold_still_warns(loaded: Platform) -> None:
    file = loaded.dbt / "models/staging/_staging.yml"
    file.write_text(file.read_text().replace("config: {severity: warn}", 'config: {warn_if: ">100", error_if: ">0"}'))
    loaded.sql("update raw.orders set amount = null where id = 3")
    result = loaded.run(loaded.load(dbt={"test_severity": "warn"}), "staging/stg_orders")
    check = checks_of(result)["staging/stg_orders:not_null_stg_orders_amount"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_unit_tests_do_not_stop_a_run_that_only_warns(loaded: Platform) -> None:
    (loaded.dbt / "models/staging/_unit.yml").write_text(
        """
unit_tests:
  - name: never_right
    model: stg_customers
    given: [{input: "source('raw', 'customers')", rows: [{id: 1, name: a, region: N}]}]
    expect: {rows: [{id: 2, name: b, region: S}]}
"""
    )
    strict = loaded.run(loaded.load(), "staging/stg_customers")
    assert "unit_test never_right (models/staging/_unit.yml)" in failure(strict)
    assert loaded.run(loaded.load(dbt={"test_severity": "warn"}), "staging/stg_customers").success


@pytest.mark.slot("modern-data", "quality/contracts", "embedded")
def test_a_broken_contract_fails_its_check_and_the_run_in_dbts_words(loaded: Platform) -> None:
    model = loaded.dbt / "models/marts/customers.sql"
    model.write_text(model.read_text().replace("::double as spent", "::varchar as spent"))
    result = loaded.run(loaded.load())
    check = checks_of(result)["marts/customers:contract"]
    assert not check.passed
    assert "spent" in check.metadata["message"].value
    message = failure(result)
    assert "model customers (models/marts/customers.sql)" in message
    assert "enforced contract" in message


def test_an_error_of_the_database_is_shown_with_model_and_file(loaded: Platform) -> None:
    (loaded.dbt / "models/marts/settings.sql").write_text("select nothing_like_it from {{ ref('stg_orders') }}")
    result = loaded.run(loaded.load())
    message = failure(result)
    assert message.startswith("dbt build: 1 of 13 failed")
    assert "model settings (models/marts/settings.sql):" in message
    assert 'Referenced column "nothing_like_it" not found' in message
    assert "Traceback" not in message
    assert "marts/customers:contract" in checks_of(result)


def test_a_contract_chosen_without_its_model_builds_nothing(loaded: Platform, dbt_starts: Starts) -> None:
    defs = loaded.load()
    job = dg.define_asset_job(
        "one", dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["marts", "customers"]), "contract"))
    )
    merged = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
    result = merged.resolve_job_def("one").execute_in_process()
    assert result.success
    assert dbt_starts() == []


def test_one_test_is_run_alone(loaded: Platform) -> None:
    defs = loaded.load()
    assert loaded.run(defs, "staging/stg_customers").success
    key = dg.AssetCheckKey(dg.AssetKey(["staging", "stg_customers"]), "unique_stg_customers_id")
    job = dg.define_asset_job("one", dg.AssetSelection.checks(key))
    result = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("one").execute_in_process()
    assert set(checks_of(result)) == {"staging/stg_customers:unique_stg_customers_id"}
    assert built(result) == set()


def test_threads_vars_and_target_reach_dbt(loaded: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_PRODUCTION_FILE", str(loaded.warehouse))
    defs = loaded.load(dbt={"threads": 3, "vars": {"greeting": "hello"}, "target": "production"})
    assert loaded.run(defs, "marts/settings").success
    assert loaded.sql("select target, threads, greeting from marts.settings") == [("production", 3, "hello")]


def test_the_environment_switches_the_target(loaded: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    monkeypatch.setenv("WAREHOUSE_PRODUCTION_FILE", str(loaded.warehouse))
    assert loaded.run(loaded.load(), "marts/settings").success
    assert loaded.sql("select target from marts.settings") == [("production",)]


def test_excluded_models_are_not_built(loaded: Platform) -> None:
    result = loaded.run(loaded.load(dbt={"exclude_models": ["customers", "settings"]}))
    assert result.success
    assert not {"marts/customers", "marts/settings"} & built(result)
    assert loaded.sql("select count(*) from information_schema.tables where table_name = 'settings'") == [(0,)]


def test_a_selector_limits_what_is_built(loaded: Platform) -> None:
    assert loaded.run(loaded.load()).success
    result = loaded.run(loaded.load(dbt={"selector": "nightly"}))
    assert built(result) == {"marts/customers"}


def test_a_project_with_its_own_profiles_uses_its_own_default_target(loaded: Platform) -> None:
    (loaded.root / "profiles.yml").unlink()
    (loaded.dbt / "profiles.yml").write_text(
        f"warehouse: {{target: dev, outputs: {{dev: {{type: duckdb, path: {loaded.warehouse}}}}}}}"
    )
    assert loaded.run(loaded.load(), "marts/settings").success
    assert loaded.sql("select target from marts.settings") == [("dev",)]


def test_a_profile_in_another_folder_is_used_when_it_is_named(loaded: Platform) -> None:
    (loaded.root / "conf").mkdir()
    (loaded.root / "conf/profiles.yml").write_text(
        f"reporting: {{target: nightly, outputs: {{nightly: {{type: duckdb, path: {loaded.warehouse}}}}}}}"
    )
    defs = loaded.load(dbt={"profiles_dir": "conf", "profile": "reporting"})
    assert loaded.run(defs, "marts/settings").success
    assert loaded.sql("select target from marts.settings") == [("nightly",)]


def test_a_project_with_a_foreign_profile_name_runs_on_the_platforms_warehouse(loaded: Platform) -> None:
    file = loaded.dbt / "dbt_project.yml"
    file.write_text(file.read_text().replace("profile: warehouse", "profile: jaffle_shop"))
    assert loaded.run(loaded.load(), "marts/settings").success
    assert loaded.sql("select target from marts.settings") == [("local",)]


def test_the_folder_of_the_local_database_is_made(platform: Platform) -> None:
    (platform.dbt / "models").rename(platform.root / "old")
    (platform.dbt / "models").mkdir()
    (platform.dbt / "models/one.sql").write_text("select 1 as one")
    for name in ("tests", "snapshots"):
        (platform.dbt / name).rename(platform.root / name)
    assert not platform.warehouse.parent.exists()
    result = platform.run(platform.load())
    assert built(result) == {"shop/one", "shop/regions"}
    assert platform.warehouse.exists()
