"""A run of a notebook: the job it is, what stays of it, and what Dagster is told."""

import json
import os
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from ..compute import Job, JobError, JobResult, job_metadata, run_job
from ..secrets import SecretError, read_secrets, redacted, redaction
from . import run
from .attributes import Partition, partition_of
from .kept import Rendering, keep
from .plan import Plan, settings_of

if TYPE_CHECKING:
    from .component import NotebookRunnerComponent

ENVIRONMENT_VARIABLE = "DAGSTER_ENVIRONMENT"
CONTEXT_VARIABLE = "DAGSTER_RUN_CONTEXT"
_REQUIREMENTS = ["papermill>=2.6,<3", "nbformat>=5.10", "ipykernel>=6.29"]
_SOURCE_LINES = 20
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def run_notebook(
    component: "NotebookRunnerComponent", plan: Plan, context: dg.AssetExecutionContext
) -> dg.MaterializeResult:
    """Run the notebook of a component.

    Raises:
        Failure: the notebook failed, reached a cap, or could not be run; its rendering is kept and linked all the same.
    """
    secrets = _secrets(component, plan)
    partition = partition_of(context) if component.partition else None
    about = _run_context(component, context, partition)

    def redact(text: str) -> str:
        return redacted(text, secrets.values())

    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        inputs, work = Path(folder, "inputs"), Path(folder, "job")
        inputs.mkdir()
        settings = settings_of(component, plan, _parameters(component, plan, partition, about))
        (inputs / run.SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
        job = _job(component, plan, context, inputs, secrets, about)
        try:
            result = run_job(job, plan.profile, work, context.log.info)
        except JobError as error:
            raise dg.Failure(redact(f"{plan.source}: {error}"), allow_retries=False) from None
        except BaseException:  # a cancelled run: what the notebook showed until then stays too
            _kept(component, plan, context, partition, work, redact)
            raise
        report = _report(work, redact)
        rendering = _kept(component, plan, context, partition, work, redact)
        metadata = {
            **_recorded(report.get("recorded", {})),
            **_about(plan, about, rendering),
            **job_metadata(result, job, plan.profile_name),
        }
        if problem := _problem(plan, result, report, work, component.outputs):
            raise dg.Failure(redact(problem), metadata=metadata, allow_retries=result.ended_by == "itself")
        metadata |= _outputs(component.outputs, work, rendering, plan, list(secrets.values()))
    return dg.MaterializeResult(metadata=metadata)


def _secrets(component: "NotebookRunnerComponent", plan: Plan) -> dict[str, str]:
    if plan.profile.runs_on == "databricks":  # the workspace gives them to the notebook from a scope of its own
        return dict.fromkeys(component.secrets, "")
    try:
        return read_secrets(plan.secret_store, component.secrets)
    except SecretError as error:
        raise dg.Failure(f"{plan.source}: {error}", allow_retries=False) from None


def _run_context(
    component: "NotebookRunnerComponent", context: dg.AssetExecutionContext, partition: Partition | None
) -> dict[str, Any]:
    """What the notebook may want to know about its run; experiment trackers too."""
    experiment = component.experiment
    return {
        "experiment_id": experiment.id if experiment else component.key.replace("/", "-"),
        "experiment_tags": list(experiment.tags) if experiment else [],
        "run_id": context.run.run_id,
        "run_date": partition.start[:10] if partition else datetime.now(UTC).strftime("%Y-%m-%d"),
        "environment": os.environ.get(ENVIRONMENT_VARIABLE) or "local",
        "asset_key": component.key,
        "partition_key": partition.key if partition else None,
        "compute_size": component.compute_size,
    }


def _parameters(
    component: "NotebookRunnerComponent", plan: Plan, partition: Partition | None, about: dict[str, Any]
) -> dict[str, Any]:
    given = partition.filled_in(component.parameters) if partition else dict(component.parameters)
    automatic: dict[str, Any] = {"run_context": about}
    if partition:
        automatic |= {f"partition_{part}": getattr(partition, part) for part in ("key", "start", "end")}
    declared = plan.notebook.declared or {}
    return {**given, **{name: value for name, value in automatic.items() if name in declared}}


def _job(
    component: "NotebookRunnerComponent",
    plan: Plan,
    context: dg.AssetExecutionContext,
    inputs: Path,
    secrets: dict[str, str],
    about: dict[str, Any],
) -> Job:
    asset = re.sub(r"[^a-z0-9]+", "-", component.key.lower()).strip("-")[:40].strip("-")
    minutes = component.max_runtime_minutes
    environment = {CONTEXT_VARIABLE: json.dumps(about)}
    if component.experiment:
        environment["MLFLOW_EXPERIMENT_NAME"] = component.experiment.id
    if plan.profile.runs_on == "local":
        environment["PROJECT_ROOT"] = str(plan.project_root.absolute())
    return Job(
        name=f"{asset or 'notebook'}-{_suffix(context)}",
        script=Path(str(run.__file__)),
        arguments=[],
        files={
            **plan.files,
            run.SOURCE: plan.notebook.path,
            run.SETTINGS: inputs / run.SETTINGS,
            "redaction.py": Path(str(redaction.__file__)),
        },
        environment={**environment, **component.environment},
        secrets=secrets,
        outputs=[run.RENDERED, run.REPORT, *component.outputs],
        size=plan.size,
        size_name=component.compute_size,
        max_runtime_seconds=minutes * 60 if minutes else None,
        max_cost_usd=component.max_cost_usd,
        tags={**plan.tags, "asset": component.key, "run_id": context.run.run_id},
        requirements=_REQUIREMENTS,
    )


def _suffix(context: dg.AssetExecutionContext) -> str:
    """What tells a try of a run from all others."""
    return f"{context.run.run_id[:8]}-{context.retry_number}"


def _report(work: Path, redact: Callable[[str], str]) -> dict[str, Any]:
    file = work / run.REPORT
    if not file.is_file():
        return {}
    try:
        report = json.loads(redact(file.read_text(encoding="utf-8")))
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def _kept(
    component: "NotebookRunnerComponent",
    plan: Plan,
    context: dg.AssetExecutionContext,
    partition: Partition | None,
    work: Path,
    redact: Callable[[str], str],
) -> Rendering | None:
    rendered = work / run.RENDERED
    if not rendered.is_file():
        return None
    day = partition.key if partition else datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    name = f"{day}_{_suffix(context)}"
    return keep(rendered, plan.project_root, component.key.split("/"), name, redact, component.keep)


def _about(plan: Plan, about: dict[str, Any], rendering: Rendering | None) -> dict[str, dg.MetadataValue[Any]]:
    metadata: dict[str, dg.MetadataValue[Any]] = {
        "notebook_source": dg.MetadataValue.path(plan.source),
        "run_context": dg.MetadataValue.json(about),
        "experiment_id": dg.MetadataValue.text(about["experiment_id"]),
        "environment": dg.MetadataValue.text(about["environment"]),
        "run_date": dg.MetadataValue.text(about["run_date"]),
    }
    if rendering:
        metadata["notebook"] = dg.MetadataValue.notebook(str(rendering.notebook))
        if rendering.page:
            metadata["page"] = dg.MetadataValue.path(str(rendering.page))
    return metadata


def _recorded(values: dict[str, Any]) -> dict[str, dg.MetadataValue[Any]]:
    """Values that the notebook recorded, as metadata; the component's own names go before them."""
    return {name: _as_metadata(value) for name, value in values.items() if name}


def _as_metadata(value: Any) -> dg.MetadataValue[Any]:
    match value:
        case bool():
            return dg.MetadataValue.bool(value)
        case int():
            return dg.MetadataValue.int(value) if abs(value) < 2**63 else dg.MetadataValue.text(str(value))
        case float():
            return dg.MetadataValue.float(value)
        case list() | dict():
            return dg.MetadataValue.json(value)
        case None:
            return dg.MetadataValue.null()
        case _:
            return dg.MetadataValue.text(str(value))


def _problem(plan: Plan, result: JobResult, report: dict[str, Any], work: Path, outputs: list[str]) -> str | None:
    """What went wrong, as the author of the notebook needs to read it."""
    name = plan.notebook.path.name
    if result.ended_by != "itself":
        return f"{plan.source}: {result.problem}"
    failure = report.get("failure")
    if failure:
        if "cell" not in failure:
            return f"{plan.source}: {failure['error']}"
        lines = failure["source"].splitlines()
        shown = "\n".join(f"    {line}" for line in lines[:_SOURCE_LINES])
        more = f"\n    … {len(lines) - _SOURCE_LINES} more lines" if len(lines) > _SOURCE_LINES else ""
        error = _ANSI.sub("", failure["error"])
        return f"{plan.source}, cell {failure['cell']} of {plan.notebook.cells}: {error}\n\n{shown}{more}"
    if not result.succeeded:
        last = "\n".join(result.log_tail.splitlines()[-5:])
        return f"{plan.source}: {result.problem or 'the job failed'}\n{last}".rstrip()
    if missing := [path for path in outputs if not (work / path).is_file()]:
        return f"{plan.source}: {name} did not write {', '.join(missing)}, which outputs names"
    return None


def _outputs(
    paths: list[str], work: Path, rendering: Rendering | None, plan: Plan, secrets: list[str]
) -> dict[str, dg.MetadataValue[Any]]:
    """Keep the files that the notebook wrote, beside its rendering."""
    if not paths or rendering is None:
        return {}
    kept: dict[str, dg.MetadataValue[Any]] = {}
    for path in paths:
        content = (work / path).read_bytes()
        if any(value.encode() in content for value in secrets if len(value) >= 4):
            raise dg.Failure(
                f"{plan.source}: the output {path} holds the value of a secret and was not kept", allow_retries=False
            )
        place = rendering.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        kept[f"output/{path}"] = dg.MetadataValue.path(str(place))
    return kept
