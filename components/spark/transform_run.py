"""One run of a transform: made, looked at, and published or refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from ..governance.policy import Policy
from ..secrets import redacted
from ..warehouse.sql import Partition, Sql
from .jobs import Compute, Outcome, is_on_this_machine, must_run_here, partition_of, running_job, source_config
from .publish import Place, place_of
from .scripts import Scripts

if TYPE_CHECKING:
    from .transform import SparkTransformComponent


@dataclass
class TransformRun:
    """One run of one component.

    Args:
        component: What the YAML says.
        context: The step.
        policy: The project's policy.
        compute: What is asked of compute.
        scripts: The user's files, where a function makes the result.
        sql: The query, where SQL does.
        folder: Folder of the YAML.
        project_root: Folder of the project.
    """

    component: "SparkTransformComponent"
    context: dg.AssetExecutionContext
    policy: Policy
    compute: Compute
    scripts: Scripts | None
    sql: Sql | None
    folder: Path
    project_root: Path

    def materialize(self) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        """The checks, and the materialisation where the result is published.

        Raises:
            Failure: the job failed or was ended by a cap, or an expectation of severity error does not hold.
        """
        place = self._place()
        if place:
            place.recover()
        files = self.scripts.files if self.scripts else {}
        labels = {"asset": self.component.key.replace("/", "-")}
        try:
            with running_job(
                self.context, self.policy, self.compute, self._config(place), files, labels, self.context.log.info
            ) as outcome:
                if problem := outcome.problem():
                    raise self._failure(problem, outcome)
                results = outcome.report["expectations"]
                checks = [_check(result) for result in results]
                if outcome.report["refused"]:
                    yield from checks
                    broken = [str(each.check_name) for each in checks if not each.passed and _is_error(each)]
                    raise self._failure(f"{', '.join(broken)} failed, so the result was not published", outcome)
                self._publish(place, outcome)
                yield dg.MaterializeResult(metadata=self._metadata(outcome), check_results=checks)
        finally:
            if place:
                place.discard()

    def _place(self) -> Place | None:
        """Where Parquet goes; a Delta table has commits of its own."""
        output = self.component.output
        if output.format == "delta":
            return None
        must_run_here(output.path, self.compute, "output.path")
        partition = self.context.partition_key if self.context.has_partition_key else None
        return place_of((self.project_root / output.path).absolute(), partition)

    def _config(self, place: Place | None) -> dict[str, Any]:
        component, output = self.component, self.component.output
        values = partition_of(self.context)
        path = output.path
        if place:
            place.staged.parent.mkdir(parents=True, exist_ok=True)
            path = str(place.staged)
        elif is_on_this_machine(path):
            must_run_here(path, self.compute, "output.path")
            path = str((self.project_root / path).absolute())
        return {
            "job": "transform",
            "function": "transform",
            "functions": self.scripts.functions if self.scripts else {},
            "sql": self.sql.render(Partition(**values) if values else None) if self.sql else None,
            "inputs": {
                name: source_config(
                    each.source,
                    each.format,
                    each.options,
                    self.folder,
                    self.project_root,
                    self.compute,
                    f"inputs.{name}",
                )
                for name, each in component.inputs.items()
            },
            "parameters": component.parameters,
            "output": {"path": path, "format": output.format, "partition": values["key"] if values else None},
            "expectations": [
                {"name": each.check_name, **each.model_dump(), "severity": each.severity}
                for each in component.expectations
            ],
        }

    def _publish(self, place: Place | None, outcome: Outcome) -> None:
        if place is None:
            return
        if not place.staged.is_dir():
            raise self._failure(
                f"the Spark server wrote {self.component.output.path!r} on a machine of its own; "
                "expected an address that both see, with format: delta",
                outcome,
            )
        place.publish()

    def _failure(self, problem: str, outcome: Outcome) -> dg.Failure:
        origin = f" ({self.sql.origin})" if self.sql else ""
        told = redacted(f"{self.component.key}{origin}: {problem}", outcome.secrets)
        return dg.Failure(description=told, metadata=outcome.metadata, allow_retries=outcome.may_be_repeated)

    def _metadata(self, outcome: Outcome) -> dict[str, Any]:
        unique = {each.columns[0] for each in self.component.expectations if each.rule == "unique" and _one(each)}
        filled = {name for each in self.component.expectations if each.rule == "not_null" for name in each.columns}
        columns = [
            dg.TableColumn(
                column["name"],
                column["type"],
                constraints=dg.TableColumnConstraints(
                    nullable=column["name"] not in filled, unique=column["name"] in unique
                ),
            )
            for column in outcome.report["schema"]
        ]
        rows = outcome.report["rows"]
        self.context.log.info(f"{self.component.output.path}: {rows:,} rows")
        return {
            **outcome.metadata,
            "partition_row_count" if self.component.partition else "dagster/row_count": rows,
            "dagster/column_schema": dg.TableSchema(columns),
            "path": self.component.output.path,
            **({"sql": dg.MetadataValue.md(f"```sql\n{self.sql.text.strip()}\n```")} if self.sql else {}),
        }


def _check(result: dict[str, Any]) -> dg.AssetCheckResult:
    failed = result["failed_rows"]
    return dg.AssetCheckResult(
        check_name=result["name"],
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if result["severity"] == "error" else dg.AssetCheckSeverity.WARN,
        description=f"{failed:,} rows break it" if failed else "holds for every row",
        metadata={"failed_rows": failed},
    )


def _is_error(check: dg.AssetCheckResult) -> bool:
    return check.severity is dg.AssetCheckSeverity.ERROR


def _one(expectation: Any) -> bool:
    return len(expectation.columns) == 1
