"""What a job leaves in Dagster: metadata of the materialisation, and tags that attribute its cost."""

import re
from collections.abc import Sequence
from typing import Any

import dagster as dg

from ..governance.policy_compute import ComputeSize
from .job import Job, JobResult


def job_metadata(result: JobResult, job: Job, profile_name: str) -> dict[str, dg.MetadataValue[Any]]:
    """Run time, memory, cost, size and place of a job, as metadata.

    Args:
        result: How it ended.
        job: What ran.
        profile_name: Name of the compute profile.
    """
    metadata: dict[str, dg.MetadataValue[Any]] = {
        "run_seconds": dg.MetadataValue.float(round(result.seconds, 2)),
        "cost_usd": dg.MetadataValue.float(round(result.cost_usd, 6)),
        "compute_size": dg.MetadataValue.text(job.size_name),
        "compute_profile": dg.MetadataValue.text(profile_name),
    }
    if result.peak_memory_mb is not None:
        metadata["peak_memory_mb"] = dg.MetadataValue.float(round(result.peak_memory_mb, 1))
    if result.url:
        metadata["run_url"] = dg.MetadataValue.url(result.url)
    if result.run_id:
        metadata["databricks/run_id"] = dg.MetadataValue.text(str(result.run_id))
    return metadata


def job_tags(size_name: str, size: ComputeSize, owners: Sequence[str]) -> dict[str, str]:
    """Tags that say who pays for a job; legal as tags of Dagster, labels of Kubernetes and tags of Databricks.

    Args:
        size_name: Name of the size in policy.yaml.
        size: Its resources.
        owners: Owners of the asset; the first one pays.
    """
    tags = {"compute_size": size_name, "hourly_cost_usd": f"{size.hourly_cost_usd * (1 + size.workers):g}"}
    if owners:
        tags["cost_owner"] = owners[0].removeprefix("team:")
    return {name: tag_value(value) for name, value in tags.items()}


def tag_value(text: str) -> str:
    """The text as a value that every system takes: at most 63 letters, digits, dots, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:63].strip("-_.")
