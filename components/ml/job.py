"""Running a training job on approved compute, and what came of it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from ..compute import Job, JobError, JobResult, approved_size, chosen_profile, job_metadata, job_tags, run_job
from ..governance.policy import POLICY_FILE, Policy, policy_for
from ..governance.policy_compute import ComputeProfile, ComputeSize
from .data import Place

_STEPS = Path(__file__).parent / "training_steps"
_START = "start_training.py"
_OUTPUTS = ["report.json", "model.skops", "held_out.parquet"]
_REQUIREMENTS = ["pandas", "pyarrow", "scikit-learn", "skops", "xgboost-cpu"]
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
    place: Place, where: str, size: str | None, profile: str | None, minutes: float | None, dollars: float | None
) -> Compute:
    """The compute that attributes name; raises DagsterInvalidDefinitionError where the policy does not approve it."""
    has_policy = size or profile or os.environ.get("COMPUTE_PROFILE") or (place.project_root / POLICY_FILE).is_file()
    policy = policy_for(place.project_root) if has_policy else Policy(version=1)
    resources = approved_size(policy, size, where) if size else _whole_machine()
    chosen, where_to_run = chosen_profile(policy, profile, where)
    seconds = minutes * 60 if minutes else None
    return Compute(size or WHOLE_MACHINE, resources, chosen, where_to_run, seconds, dollars)


def _whole_machine() -> ComputeSize:
    # Memory that no machine has: the limit of the operating system is the only one.
    return ComputeSize(threads=os.cpu_count() or 1, memory_gb=1_000_000, hourly_cost_usd=0)


def cost_tags(compute: Compute, owners: list[str]) -> dict[str, str]:
    """Tags that say who pays for a job."""
    return job_tags(compute.size_name, compute.size, owners)


def train_in_job(
    context: dg.AssetExecutionContext,
    key: str,
    compute: Compute,
    request: dict[str, Any],
    data: Path,
    owners: list[str],
    folder: Path,
) -> Finished:
    """Train where the compute profile says.

    Args:
        context: Context of the step.
        key: Key of the asset that is made, for messages and for the name of the job.
        compute: Size, place and caps.
        request: What to train; ``data`` and ``threads`` are added.
        data: The rows.
        owners: Owners of the asset; the first one pays.
        folder: Folder that the job's files are put in.

    Raises:
        dg.Failure: the data does not allow it, or the job was ended or failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data_name = f"data{data.suffix}"
    written = {**request, "data": data_name, "threads": compute.size.threads}
    (folder / "request.json").write_text(json.dumps(written), encoding="utf-8")
    start = folder / _START
    start.write_text('import runpy\n\nrunpy.run_module("training_steps", run_name="__main__")\n', encoding="utf-8")
    steps = {f"training_steps/{file.name}": file for file in sorted(_STEPS.glob("*.py"))}
    job = Job(
        name=_job_name(key, context.run.run_id),
        script=start,
        arguments=[],
        files={"request.json": folder / "request.json", data_name: data, **steps},
        environment={"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"},
        secrets={},
        outputs=_OUTPUTS,
        size=compute.size,
        size_name=compute.size_name,
        max_runtime_seconds=compute.max_runtime_seconds,
        max_cost_usd=compute.max_cost_usd,
        tags=cost_tags(compute, owners),
        requirements=_REQUIREMENTS,
    )
    try:
        result = run_job(job, compute.profile, folder / "job", context.log.info)
    except JobError as error:
        raise dg.Failure(description=f"{key}: {error}", allow_retries=False) from None
    return _finished(key, job, result, compute)


def _finished(key: str, job: Job, result: JobResult, compute: Compute) -> Finished:
    metadata = job_metadata(result, job, compute.profile_name)
    report_file = result.folder / "report.json"
    report = json.loads(report_file.read_text(encoding="utf-8")) if report_file.is_file() else {}
    if fault := report.get("fault"):
        raise dg.Failure(description=f"{key}: {fault}", metadata=metadata, allow_retries=False)
    if not result.succeeded:
        raise dg.Failure(
            description=f"{key}: training failed: {result.problem}\n{result.log_tail}".rstrip(),
            metadata=metadata,
            allow_retries=False,
        )
    model, held_out = result.folder / "model.skops", result.folder / "held_out.parquet"
    return Finished(report=report, model=model, held_out=held_out, metadata=metadata)


def _job_name(key: str, run_id: str) -> str:
    name = key.lower().replace("/", "-").replace("_", "-").strip("-")
    return f"{name[:50]}-{run_id[:8]}"
