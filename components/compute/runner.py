"""Running a job where a profile says."""

from collections.abc import Callable
from pathlib import Path

from ..governance.policy_compute import ComputeProfile
from .job import Job, JobResult


def run_job(job: Job, profile: ComputeProfile, folder: Path, log: Callable[[str], None]) -> JobResult:
    """Run a job to its end and say how it ended.

    Nothing of it is left running when this returns or raises, also where the run of Dagster is cancelled.

    Args:
        job: What to run.
        profile: Where.
        folder: Folder of the job; its script, files and outputs are there afterwards.
        log: Takes the lines of the job's log, without secrets, while it runs.

    Raises:
        JobError: the job cannot run as it is described, or the place refuses it. A script that fails is no error.
    """
    job.check()
    folder.mkdir(parents=True, exist_ok=True)
    match profile.runs_on:
        case "local":
            from .local import run_local

            job.lay_out(folder)
            return run_local(job, folder, log)
        case "container":
            from .container import run_in_container

            job.lay_out(folder)
            return run_in_container(job, profile, folder, log)
        case "kubernetes":
            from .kubernetes import run_on_kubernetes

            return run_on_kubernetes(job, profile, folder, log)
        case _:
            from .databricks import run_on_databricks

            return run_on_databricks(job, profile, folder, log)
