"""Compute: jobs that run the same as a process, in a container, on Kubernetes and on Databricks, within caps."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
