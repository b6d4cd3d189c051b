"""Running a training job on approved compute, and what came of it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from ..compute import Job, JobError, JobResult, approved_size, chosen_profile, job_metadata, job_tags, run_job
from ..compute.metadata import tag_value
from ..governance.policy import POLICY_FILE, Policy, policy_for
from ..governance.policy_compute import ComputeProfile, ComputeSize
from .data import Place
from .in_workspace import passed_on
from .scoring import Scored

_LIBRARY = Path(__file__).parents[1]
_PARTS = {
    "ml": ["rows.py", "drift.py", "loaded.py", "predictions.py", "scoring.py", "scoring_job.py", "in_workspace.py"],
    "ml/training_steps": ["*.py"],
    "warehouse/engines": ["base.py", "cloud.py", "databricks.py", "databricks_statements.py"],
}
_TRAINED = ["report.json", "model.skops", "held_out.parquet"]
_SCORED = ["report.json"]
_REQUIREMENTS = ["pandas", "pyarrow", "scikit-learn", "skops", "xgboost-cpu"]
_OF_THE_WORKSPACE = ["sqlglot", "databricks-sdk"]
WHOLE_MACHINE = "whole machine"


@dataclass(frozen=True)
class Compute:
    """The compute that a component may use.

    Args:
        size_name: Name of the size in policy.yaml.
        size: Its resources.
        profile_name: Name of the compute profile.
        profile: Where jobs run.
        max_runtime_seconds: Seconds after which a job is ended.
        max_cost_usd: US dollars at which it is ended.
    """

    size_name: str
    size: ComputeSize
    profile_name: str
    profile: ComputeProfile
    max_runtime_seconds: float | None
    max_cost_usd: float | None


@dataclass(frozen=True)
class Finished:
    """A job that trained a model: its report, and the files it left."""

    report: dict[str, Any]
    model: Path
    held_out: Path
    metadata: dict[str, Any]


def compute_for(
    place: Place,
    where: str,
    owners: list[str],
    size: str | None,
    profile: str | None,
    minutes: float | None,
    dollars: float | None,
) -> Compute:
    """The compute that attributes name; raises DagsterInvalidDefinitionError where the policy does not approve it."""
    has_policy = size or profile or os.environ.get("COMPUTE_PROFILE") or (place.project_root / POLICY_FILE).is_file()
    policy = policy_for(place.project_root) if has_policy else Policy(version=1)
    resources = approved_size(policy, size, where) if size else _whole_machine()
    chosen, where_to_run = chosen_profile(policy, profile, where, size, owners)
    seconds = minutes * 60 if minutes else None
    return Compute(size or WHOLE_MACHINE, resources, chosen, where_to_run, seconds, dollars)


def _whole_machine() -> ComputeSize:
    # Memory that no machine has: the limit of the operating system is the only one.
    return ComputeSize(threads=os.cpu_count() or 1, memory_gb=1_000_000, hourly_cost_usd=0)


def cost_tags(compute: Compute, owners: list[str]) -> dict[str, str]:
    """Tags that say who pays for a job."""
    return job_tags(compute.size_name, compute.size, owners)


def in_the_workspace(compute: Compute, engine: Any) -> bool:
    """Whether jobs run in the workspace that holds the tables of a warehouse, and so read and write them there."""
    return compute.profile.runs_on == "databricks" and engine is not None and engine.name == "databricks"


def train_in_job(
    context: dg.AssetExecutionContext,
    key: str,
    compute: Compute,
    request: dict[str, Any],
    data: Path | None,
    owners: list[str],
    folder: Path,
) -> Finished:
    """Train where the compute profile says.

    Args:
        context: Context of the step.
        key: Key of the asset that is made, for messages and for the name of the job.
        compute: Size, place and caps.
        request: What to train; ``data`` and ``threads`` are added.
        data: The rows; None where the job itself reads the ``relation`` of the request.
        owners: Owners of the asset; the first one pays.
        folder: Folder that the job's files are put in.

    Raises:
        dg.Failure: the data does not allow it, or the job was ended or failed.
    """
    data_name = f"data{data.suffix}" if data else "data.parquet"
    written = {**request, "data": data_name, "threads": compute.size.threads}
    files = {data_name: data} if data else {}
    job = _job(context, key, compute, "training_steps", written, files, owners, folder, _TRAINED)
    result, report, metadata = _run(context, key, job, compute, folder, "training")
    model, held_out = result.folder / "model.skops", result.folder / "held_out.parquet"
    return Finished(report=report, model=model, held_out=held_out, metadata=metadata)


def score_in_job(
    context: dg.AssetExecutionContext,
    key: str,
    compute: Compute,
    request: dict[str, Any],
    model: Path,
    owners: list[str],
    folder: Path,
) -> tuple[Scored, dict[str, Any]]:
    """Score a table of the workspace there; what came of it, and metadata of the job.

    Args:
        context: Context of the step.
        key: Key of the asset that is made.
        compute: Size, place and caps.
        request: What to score.
        model: The model's file.
        owners: Owners of the asset; the first one pays.
        folder: Folder that the job's files are put in.

    Raises:
        dg.Failure: the data does not allow it, or the job was ended or failed.
    """
    job = _job(context, key, compute, "scoring_job", request, {"model.skops": model}, owners, folder, _SCORED)
    _, report, metadata = _run(context, key, job, compute, folder, "scoring")
    return Scored(report["rows"], report["drift"]), metadata


def _job(
    context: dg.AssetExecutionContext,
    key: str,
    compute: Compute,
    module: str,
    request: dict[str, Any],
    files: dict[str, Path],
    owners: list[str],
    folder: Path,
    outputs: list[str],
) -> Job:
    """A job that runs a module of this library, in folders of the same names and without what it does not need."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    start, empty = folder / f"start_{module}.py", folder / "empty.py"
    start.write_text(f'import runpy\n\nrunpy.run_module("steps.ml.{module}", run_name="__main__")\n', encoding="utf-8")
    empty.write_text("", encoding="utf-8")
    parts = {f"steps/{name}__init__.py": empty for name in ("", "ml/", "warehouse/", "warehouse/engines/")}
    for place, patterns in _PARTS.items():
        found = [file for pattern in patterns for file in sorted((_LIBRARY / place).glob(pattern))]
        parts |= {f"steps/{place}/{file.name}": file for file in found}
    there = "relation" in request
    pinned = [f"{name}=={version}" for name, version in request.get("model", {}).get("versions", {}).items()]
    return Job(
        name=_job_name(key, context.run.run_id),
        script=start,
        arguments=[],
        files={"request.json": folder / "request.json", **files, **parts},
        environment={"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore", **(passed_on() if there else {})},
        secrets={},
        outputs=outputs,
        size=compute.size,
        size_name=compute.size_name,
        max_runtime_seconds=compute.max_runtime_seconds,
        max_cost_usd=compute.max_cost_usd,
        tags={**cost_tags(compute, owners), "dagster_asset": tag_value(key)},
        requirements=[
            *(pinned or _REQUIREMENTS),
            *(["pyarrow"] if pinned else []),
            *(_OF_THE_WORKSPACE if there else []),
        ],
    )


def _run(
    context: dg.AssetExecutionContext, key: str, job: Job, compute: Compute, folder: Path, what: str
) -> tuple[JobResult, dict[str, Any], dict[str, Any]]:
    """The result of a job, its report, and its metadata."""
    try:
        result = run_job(job, compute.profile, folder / "job", context.log.info)
    except JobError as error:
        raise dg.Failure(description=f"{key}: {error}", allow_retries=False) from None
    metadata = job_metadata(result, job, compute.profile_name)
    report_file = result.folder / "report.json"
    report = json.loads(report_file.read_text(encoding="utf-8")) if report_file.is_file() else {}
    if fault := report.get("fault"):
        raise dg.Failure(description=f"{key}: {fault}", metadata=metadata, allow_retries=False)
    if not result.succeeded:
        raise dg.Failure(
            description=f"{key}: {what} failed: {result.problem}\n{result.log_tail}".rstrip(),
            metadata=metadata,
            allow_retries=False,
        )
    return result, report, metadata


def _job_name(key: str, run_id: str) -> str:
    name = key.lower().replace("/", "-").replace("_", "-").strip("-")
    return f"{name[:50]}-{run_id[:8]}"
