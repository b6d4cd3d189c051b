"""The starter's assets, checks, jobs and sensors as an experienced Dagster user writes them, without components."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

ROOT = Path(__file__).parents[3]
COMMON: dict[str, Any] = {"owners": ["team:data"], "tags": {"domain": "flights"}}

project = DbtProject(project_dir=ROOT / "transform", profiles_dir=ROOT, profile="warehouse", target="local")
if os.environ.get("PREPARE_DBT"):
    project.prepare_if_dev()


class Translator(DagsterDbtTranslator):
    """Two-level keys, and the owner, tags and group that every asset has."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props["fqn"][1]

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return ["team:data"]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> dict[str, str]:
        return {"domain": "flights"}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(["raw", table], kinds={"dlt", "duckdb"}, group_name="ingestion", description=table, **COMMON)
        for table in ("airlines", "airports", "flights", "planes", "weather")
    ],
    can_subset=True,
)
def ingest(context: dg.AssetExecutionContext):
    """Load the files."""
    import dlt

    pipeline = dlt.pipeline("raw", destination="duckdb", dataset_name="raw")
    for key in context.selected_asset_keys:
        pipeline.run([{"table": key.path[-1]}], table_name=key.path[-1])
        yield dg.MaterializeResult(asset_key=key)


@dbt_assets(
    manifest=project.manifest_path,
    project=project,
    dagster_dbt_translator=Translator(settings=DagsterDbtTranslatorSettings(enable_code_references=True)),
)
def transform(context: dg.AssetExecutionContext, dbt: DbtCliResource):
    """Build the models."""
    yield from dbt.cli(["build"], context=context).stream()


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("freshness", asset=["raw", table])
        for table in ("airlines", "airports", "flights", "planes", "weather")
    ],
    can_subset=True,
)
def freshness(context: dg.AssetCheckExecutionContext, dbt: DbtCliResource):
    """Ask dbt how old the sources are."""
    dbt.cli(["source", "freshness"], raise_on_error=False).wait()
    for key in context.selected_asset_check_keys:
        yield dg.AssetCheckResult(passed=True, asset_key=key.asset_key, check_name=key.name)


@dg.asset(
    key=["dashboards", "flights"],
    group_name="dashboards",
    kinds={"html"},
    description="Dashboard",
    deps=[["marts", name] for name in ("fct_flights", "daily_airport_delays", "carrier_performance")],
    **COMMON,
)
def dashboard() -> None:
    """Write the page."""
    (ROOT / "dashboard.html").write_text("")


@dg.asset(
    key=["activation", "delay_watchlist"],
    group_name="activation",
    kinds={"csv"},
    description="Watch list",
    deps=[["marts", "route_performance"]],
    **COMMON,
)
def watchlist() -> None:
    """Write the list."""
    (ROOT / "watchlist.csv").write_text("")


refresh = dg.define_asset_job("morning_refresh", selection="*")
morning = dg.ScheduleDefinition(job=refresh, cron_schedule="0 6 * * *", execution_timezone="America/New_York")


@dg.run_failure_sensor
def alerts(context: dg.RunFailureSensorContext) -> None:
    """Tell the owner."""
    context.log.info("failed")


@dg.definitions
def resources() -> dg.Definitions:
    """The dbt command line and the executor."""
    return dg.Definitions(resources={"dbt": DbtCliResource(project_dir=project)}, executor=dg.in_process_executor)
