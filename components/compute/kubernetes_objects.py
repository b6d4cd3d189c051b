"""The objects of one job on Kubernetes: the Job, its files and its secrets."""

import base64
import json
import math
import re
from typing import Any

from ..governance.policy_compute import KubernetesProfile
from . import entry
from .job import Job, JobError
from .local import thread_variables
from .metadata import tag_value
from .remote import archive_of, settings_of, support_files

RUN_LABEL = "dagster/compute-job"
GRACE_SECONDS = 20
FILES_LIMIT_BYTES = 900_000  # a ConfigMap holds 1 MiB
_KEPT_SECONDS = 600
_ARCHIVE = "job.tar.gz"


def job_object(job: Job, profile: KubernetesProfile, name: str, deadline_seconds: float | None) -> dict[str, Any]:
    """The Job, suspended until the objects that it needs are there.

    Args:
        job: What runs.
        profile: Where.
        name: Name of the Job, its ConfigMap and its Secret.
        deadline_seconds: Seconds after which the cluster itself ends it, should nobody be left to do so.
    """
    size = job.size
    resources = {"cpu": str(size.threads), "memory": f"{math.ceil(size.memory_gb * 1024)}Mi"}
    variables = {**thread_variables(size.threads), "HOME": "/tmp", **job.environment}  # noqa: S108 - the container's own
    container: dict[str, Any] = {
        "name": "job",
        "image": profile.image,
        "command": ["python", "-u", "/inputs/entry.py", "/inputs"],
        "workingDir": "/job",
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "envFrom": [{"secretRef": {"name": name}}] if job.secrets else [],
        "resources": {"requests": resources, "limits": resources},
        "volumeMounts": [
            {"name": "inputs", "mountPath": "/inputs", "readOnly": True},
            {"name": "work", "mountPath": "/job"},
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": profile.service_account is not None,
        "containers": [container],
        "volumes": [{"name": "inputs", "configMap": {"name": name}}, {"name": "work", "emptyDir": {}}],
    }
    if profile.service_account:
        pod["serviceAccountName"] = profile.service_account
    if size.node_type:
        pod["nodeSelector"] = {"node.kubernetes.io/instance-type": size.node_type}
    spec: dict[str, Any] = {
        "suspend": True,
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "template": {"metadata": _metadata(job, name), "spec": pod},
    }
    if deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = math.ceil(deadline_seconds) + GRACE_SECONDS
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": _metadata(job, name), "spec": spec}


def files_object(job: Job, name: str, owner: dict[str, Any], mark: str) -> dict[str, Any]:
    """The ConfigMap with the job's script and files, deleted with the Job.

    Args:
        job: What runs.
        name: Its name.
        owner: The Job, as the cluster answered.
        mark: What the lines begin with by which outputs come back.

    Raises:
        JobError: the files are too large.
    """
    archive = archive_of(job)
    if len(archive) > FILES_LIMIT_BYTES:
        raise JobError(
            f"job {job.name}: its files are {len(archive) / 1e6:.1f} MB compressed, and Kubernetes takes "
            f"{FILES_LIMIT_BYTES / 1e6:.1f} MB; put large ones into the image or into object storage"
        )
    settings = settings_of(job, folder=".", archive=_ARCHIVE, mark=mark)
    program = support_files()["entry.py"].read_text(encoding="utf-8")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**_metadata(job, name), "ownerReferences": [_reference(owner)]},
        "data": {"entry.py": program, entry.SETTINGS: json.dumps(settings)},
        "binaryData": {_ARCHIVE: base64.b64encode(archive).decode()},
        "immutable": True,
    }


def secrets_object(job: Job, name: str, owner: dict[str, Any]) -> dict[str, Any]:
    """The Secret with the job's secrets, deleted with the Job."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**_metadata(job, name), "ownerReferences": [_reference(owner)]},
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in job.secrets.items()},
        "immutable": True,
    }


def _metadata(job: Job, name: str) -> dict[str, Any]:
    """Name, labels that attribute the cost, and the same tags in full as annotations."""
    tags = {
        f"dagster/{re.sub(r'[^A-Za-z0-9_.-]+', '-', key)[:63].strip('-_.')}": text for key, text in job.tags.items()
    }
    labels = {key: tag_value(text) for key, text in tags.items()}
    return {
        "name": name,
        "labels": {"app.kubernetes.io/managed-by": "dagster", **labels, RUN_LABEL: name},
        "annotations": tags,
    }


def _reference(owner: dict[str, Any]) -> dict[str, Any]:
    metadata = owner["metadata"]
    return {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
