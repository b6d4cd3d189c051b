"""Contracts and source freshness as asset checks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
import orjson

from .prepare import ParsedProject

CONTRACT = "contract"
FRESHNESS = "freshness"


def contract_models(manifest: Mapping[str, Any], assets: Mapping[dg.AssetKey, str]) -> dict[dg.AssetKey, str]:
    """Unique ids of the models whose contract dbt enforces, by asset key."""
    nodes = manifest["nodes"]
    return {
        key: unique_id
        for key, unique_id in assets.items()
        if (nodes[unique_id]["config"].get("contract") or {}).get("enforced")
    }


def contract_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check that a model keeps its contract."""
    return dg.AssetCheckSpec(
        CONTRACT,
        asset=key,
        description="The model has the columns and types that its contract promises.",
        blocking=True,
    )


def contract_result(key: dg.AssetKey, node: Mapping[str, Any], broken: str | None = None) -> dg.AssetCheckResult:
    """What dbt found out about a contract while it built the model.

    Args:
        key: The model's asset key.
        node: The model in the manifest.
        broken: dbt's message where the model does not keep it.
    """
    columns = [dg.TableColumn(name, column.get("data_type") or "?") for name, column in node["columns"].items()]
    metadata: dict[str, Any] = {"columns": dg.MetadataValue.table_schema(dg.TableSchema(columns))}
    if broken:
        metadata["message"] = dg.MetadataValue.text(broken)
    return dg.AssetCheckResult(asset_key=key, check_name=CONTRACT, passed=broken is None, metadata=metadata)


def contract_broken(message: str) -> bool:
    """Whether an error of a model with a contract is about that contract: its columns, types or constraints."""
    text = message.lower()
    return "enforced contract" in text or "constraint" in text


def sources_with_freshness(manifest: Mapping[str, Any], sources: Iterable[str]) -> list[Mapping[str, Any]]:
    """Those of the sources, given by unique id, whose freshness dbt can judge."""
    found = (manifest["sources"][unique_id] for unique_id in sorted(sources))
    return [source for source in found if any(_limits(source).values())]


def freshness_checks(
    name: str, parsed: ParsedProject, sources: Mapping[dg.AssetKey, Mapping[str, Any]], dbt_vars: Mapping[str, Any]
) -> dg.AssetChecksDefinition:
    """One op that runs ``dbt source freshness``, with a check on each source's asset.

    Args:
        name: Name of the op.
        parsed: The dbt project.
        sources: Sources of the manifest by asset key.
        dbt_vars: Values of dbt's vars.
    """
    specs = [
        dg.AssetCheckSpec(
            FRESHNESS,
            asset=key,
            description=f"dbt source {source['source_name']}.{source['name']} is loaded in time ({_said(source)}).",
        )
        for key, source in sources.items()
    ]

    @dg.multi_asset_check(name=name, specs=specs, can_subset=True)
    def source_freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        chosen = {check.asset_key for check in context.selected_asset_check_keys}
        by_id = {source["unique_id"]: key for key, source in sources.items() if key in chosen}
        names = [f"source:{'.'.join(unique_id.split('.')[1:])}" for unique_id in sorted(by_id)]
        output = parsed.output_folder("freshness")
        command = ["source", "freshness", *parsed.command.connection(dbt_vars), "--select", *names]
        code, errors = parsed.command.run(command, output)
        written = output / "sources.json"
        if not written.is_file():
            reason = "\n".join(errors) or f"exit code {code}"
            raise dg.Failure(description=f"dbt source freshness failed\n{reason}")
        for result in orjson.loads(written.read_bytes())["results"]:
            if result["unique_id"] in by_id:
                yield _freshness_result(by_id[result["unique_id"]], result)

    return source_freshness


def _freshness_result(key: dg.AssetKey, result: Mapping[str, Any]) -> dg.AssetCheckResult:
    status = result["status"]
    metadata: dict[str, Any] = {"status": status}
    if result.get("max_loaded_at"):
        metadata["max_loaded_at"] = result["max_loaded_at"]
        metadata["age_seconds"] = float(result["max_loaded_at_time_ago_in_s"])
    if result.get("error"):
        metadata["message"] = str(result["error"])
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=FRESHNESS,
        passed=status == "pass",
        severity=dg.AssetCheckSeverity.WARN if status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata=metadata,
    )


def _limits(source: Mapping[str, Any]) -> dict[str, str]:
    freshness = source.get("freshness") or {}
    found = {}
    for limit in ("warn_after", "error_after"):
        after = freshness.get(limit) or {}
        found[limit] = f"{after['count']} {after['period']}" if after.get("count") and after.get("period") else ""
    return found


def _said(source: Mapping[str, Any]) -> str:
    return ", ".join(f"{limit.replace('_', ' ')} {after}" for limit, after in _limits(source).items() if after)
