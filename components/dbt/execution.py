"""One dbt process per run: its events become materialisations and check results, its errors one readable message."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtProject
from dagster_dbt.core.dbt_event_iterator import DbtDagsterEventType
from packaging.version import Version

from .attributes import TestSeverity
from .checks import CONTRACT, contract_broken, contract_result
from .command import clean, dbt_executable
from .faults import redact
from .prepare import ParsedProject
from .selection import RunSelection

_FAILED = ("error", "fail", "runtime error", "partial success")
_NAMED = 10


@dataclass(frozen=True)
class DbtBuild:
    """Everything ``dbt build`` needs to know beside the run.

    Args:
        parsed: The project and its manifest's place.
        project: The same, as dagster-dbt knows it.
        manifest: What dbt parsed.
        translator: Makes assets of nodes.
        selection: Turns a run's selection into dbt's.
        contracts: Unique ids of the models with an enforced contract, by asset key.
        severity: ``test_severity``.
        threads: Models built side by side; None leaves it to the profile.
    """

    parsed: ParsedProject
    project: DbtProject
    manifest: Mapping[str, Any]
    translator: DagsterDbtTranslator
    selection: RunSelection
    contracts: Mapping[dg.AssetKey, str]
    severity: TestSeverity = "declared"
    threads: int | None = None

    def run(
        self, context: dg.AssetExecutionContext, dbt_vars: Mapping[str, Any], *, full_refresh: bool
    ) -> Iterator[DbtDagsterEventType]:
        """Build what the run selected.

        Raises:
            dagster.Failure: dbt failed; the description names model, file and the database's message.
        """
        chosen = self.selection.arguments(context)
        if chosen is None:
            context.log.warning("A contract is checked while its model is built: select the model as well")
            return
        command = ["build", *self.parsed.command.connection(dbt_vars), *chosen]
        command += ["--threads", str(self.threads)] if self.threads else []
        command += ["--full-refresh"] if full_refresh else []
        if self.severity == "warn" and self.manifest.get("unit_tests"):
            context.log.warning("test_severity: warn leaves out unit tests, as dbt always stops on them")
            command += ["--exclude-resource-type", "unit_test"]
        invocation = self._start(context, [*self._program(), *command])
        checked = context.selected_asset_check_keys
        for raw_event in invocation.stream_raw_events():
            for event in raw_event.to_default_asset_events(
                self.manifest, self.translator, context, invocation.target_path, self.project
            ):
                yield event
                if isinstance(event, dg.Output):
                    key = context.asset_key_for_output(event.output_name)
                    if key in self.contracts and dg.AssetCheckKey(key, CONTRACT) in checked:
                        yield contract_result(key, self.manifest["nodes"][self.contracts[key]])
        if invocation.process.returncode:
            results = _results(invocation.target_path)
            for key, unique_id in self.contracts.items():
                message = next((found["message"] for found in results if found["unique_id"] == unique_id), None)
                if message and contract_broken(message) and dg.AssetCheckKey(key, CONTRACT) in checked:
                    yield contract_result(key, self.manifest["nodes"][unique_id], broken=clean(message))
            raise dg.Failure(
                description=self._failure_text(results, invocation),
                metadata={"dbt_log": dg.MetadataValue.path(str(invocation.target_path / "dbt.log"))},
            ) from None

    def _program(self) -> list[str]:
        if self.severity == "declared":
            return [dbt_executable()]
        # -P keeps the script's folder, whose modules are not meant for dbt, off the import path.
        return [sys.executable, "-P", str(Path(__file__).with_name("severity_runner.py")), self.severity]

    def _start(self, context: dg.AssetExecutionContext, command: Sequence[str]) -> DbtCliInvocation:
        # The resource's own cli() would start dbt once more to ask for its version, and connect to the database.
        output = self.parsed.output_folder(context.run.run_id[:8])
        return DbtCliInvocation.run(
            args=command,
            env=self.parsed.command.environment(output),
            manifest=self.manifest,
            dagster_dbt_translator=self.translator,
            project_dir=self.parsed.command.folder,
            target_path=output,
            raise_on_error=False,
            context=context,
            adapter=None,
            cli_version=Version(version("dbt-core")),
            dbt_project=self.project,
        )

    def _failure_text(self, results: Sequence[Mapping[str, Any]], invocation: DbtCliInvocation) -> str:
        failed = [found for found in results if found["status"] in _FAILED]
        if not failed:
            errors = list(dict.fromkeys(clean(message) for message in invocation._error_messages))[:_NAMED]
            reason = "\n".join(errors) or f"exit code {invocation.process.returncode}"
            return redact(f"dbt build failed\n{reason}")
        skipped = sum(found["status"] == "skipped" for found in results)
        lines = [f"dbt build: {len(failed)} of {len(results)} failed" + (f", {skipped} skipped" if skipped else "")]
        lines += [self._failed_node(found) for found in failed[:_NAMED]]
        lines += [f"and {len(failed) - _NAMED} more"] if len(failed) > _NAMED else []
        return redact("\n".join(lines))

    def _failed_node(self, found: Mapping[str, Any]) -> str:
        unique_id = found["unique_id"]
        node = self.manifest["nodes"].get(unique_id) or self.manifest.get("unit_tests", {}).get(unique_id) or {}
        name = f"{unique_id.split('.')[0]} {node.get('name', unique_id)}"
        tested = self.manifest["nodes"].get(node.get("attached_node") or "")
        name += f" on {tested['name']}" if tested else ""
        name += f" ({node.get('original_file_path', '?')})"
        message = "\n".join(f"  {line}" for line in clean(found["message"] or "failed").splitlines() if line.strip())
        return f"{name}:\n{message}"


def _results(output: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = orjson.loads((output / "run_results.json").read_bytes())["results"]
    except (OSError, ValueError):
        return []
    return found
