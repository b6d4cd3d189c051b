"""A run of a pipeline's step: the engine in force is started, and its results become Dagster's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from ...governance.policy_compute import ComputeSize
from ...warehouse.lakehouse import Lakehouse
from ..lakehouse.session import SessionError, chosen_engine
from ..target import databricks_target
from .assets import Assets
from .local import LocalSettings, run_local
from .spec import DatasetResult, PipelineError, PipelineSpec, UpdateResult

LOCAL_ENGINE = "Spark on this machine"


def run_pipeline(
    context: dg.AssetExecutionContext,
    assets: Assets,
    spec: PipelineSpec,
    component: Any,
    size: ComputeSize | None,
    project_root: Path,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Make the selected tables.

    Args:
        context: The step.
        assets: What Dagster sees of the pipeline.
        spec: The pipeline.
        component: The component, for its Spark engine.
        size: Approved size, or None.
        project_root: Root of the project.

    Raises:
        Failure: a table was not made; each one is named with its file, line and reason.
    """
    spec = replace(spec, full_refresh=bool(context.op_execution_context.op_config["full_refresh"]))
    wanted = [one.name for one in spec.stored if assets.key(one.name) in context.selected_asset_keys]
    failed: dict[str, str] = {}
    pending: list[dg.AssetCheckResult] = []
    try:
        for name, result, shared in _results(context, spec, wanted, component, size, project_root):
            checks = [one for one in assets.check_results(name, result) if _is_selected(context, one)]
            data_set = spec.find(name)
            if result.error is not None:
                failed[name] = result.error
                yield from checks
            elif data_set is not None and data_set.kind == "temporary_view":
                pending += checks
            else:
                key = assets.key(name)
                mine = [one for one in pending if one.asset_key == key]
                pending = [one for one in pending if one.asset_key != key]
                yield dg.MaterializeResult(
                    asset_key=key, metadata=_metadata(result, shared), check_results=[*mine, *checks]
                )
    except (PipelineError, SessionError) as error:
        transient = getattr(error, "transient", False)
        raise dg.Failure(description=f"{assets.where}: {error}", allow_retries=transient) from None
    yield from pending
    if failed:
        lines = "\n".join(f"{name}: {error}" for name, error in failed.items())
        raise dg.Failure(description=f"{assets.where}: {len(failed)} not made\n{lines}", allow_retries=False)


def _results(
    context: dg.AssetExecutionContext,
    spec: PipelineSpec,
    wanted: list[str],
    component: Any,
    size: ComputeSize | None,
    project_root: Path,
) -> Iterator[tuple[str, DatasetResult, Mapping[str, Any]]]:
    """Each data set's result, and metadata that all of them share."""
    if databricks_target() == "local":
        settings = LocalSettings(
            engine=chosen_engine(component.spark_engine, component.spark_remote_env),
            threads=size.threads if size else 2,
            memory_gb=size.memory_gb if size else 2,
            remote_env=component.spark_remote_env,
        )
        shared = {"engine": f"{LOCAL_ENGINE} ({settings.engine})"}
        for name, result in run_local(Lakehouse.of(project_root), spec, wanted, context.log.info, settings):
            yield name, result, shared
        return
    from ..workspace.client import Workspace
    from ..workspace.errors import WorkspaceError
    from ..workspace.pipelines import run_update

    try:
        update: UpdateResult = run_update(Workspace(project_root), spec, wanted, context.log.info, context.run_id)
    except WorkspaceError as error:
        raise PipelineError(str(error), transient=error.transient) from None
    in_workspace: dict[str, Any] = {"engine": "Databricks"}
    if update.url:
        in_workspace["update"] = dg.MetadataValue.url(update.url)
    if update.cost_usd is not None:
        in_workspace["update_cost_usd"] = update.cost_usd
    for name, result in update.datasets.items():
        yield name, result, in_workspace


def _metadata(result: DatasetResult, shared: Mapping[str, Any]) -> dict[str, Any]:
    passed = sum(count for count, _ in result.expectations.values())
    failed = sum(count for _, count in result.expectations.values())
    rows = {} if result.rows is None else {"dagster/row_count": result.rows}
    told = {"expectations_passed": passed, "expectations_failed": failed} if result.expectations else {}
    return {**rows, "seconds": round(result.seconds, 3), **told, **result.details, **shared}


def _is_selected(context: dg.AssetExecutionContext, check: dg.AssetCheckResult) -> bool:
    return any(
        key.asset_key == check.asset_key and key.name == check.check_name for key in context.selected_asset_check_keys
    )
