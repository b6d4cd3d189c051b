"""Compute: jobs that run the same as a process, in a container, on Kubernetes and on Databricks, within caps."""

from typing import TYPE_CHECKING, Any

from ..importing import imported

if TYPE_CHECKING:
    from .job import Job, JobError, JobResult
    from .metadata import job_metadata, job_tags
    from .runner import run_job
    from .sizes import approved_size, chosen_profile

_PLACES = {
    "Job": "job",
    "JobError": "job",
    "JobResult": "job",
    "approved_size": "sizes",
    "chosen_profile": "sizes",
    "job_metadata": "metadata",
    "job_tags": "metadata",
    "run_job": "runner",
}

__all__ = [
    "Job",
    "JobError",
    "JobResult",
    "approved_size",
    "chosen_profile",
    "job_metadata",
    "job_tags",
    "run_job",
]


def __getattr__(name: str) -> Any:
    return imported(name, _PLACES, __name__)
