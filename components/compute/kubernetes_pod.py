"""What the state of a pod means for the job in it."""

from dataclasses import dataclass
from typing import Any

from .job import Job

_HOPELESS = {
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
}
_KILLED = 137


@dataclass(frozen=True)
class PodState:
    """A pod, as its job sees it.

    Args:
        name: Its name.
        has_started: Whether its container runs, or ran.
        has_ended: Whether nothing more will come of it.
        exit_code: Exit code of the container.
        reason: The cluster's word for what is wrong, such as ``OOMKilled``.
        problem: The same as a sentence.
        waits_for: What a pod that has not started waits for.
    """

    name: str
    has_started: bool = False
    has_ended: bool = False
    exit_code: int | None = None
    reason: str | None = None
    problem: str | None = None
    waits_for: str | None = None


def state_of(pod: dict[str, Any], job: Job) -> PodState:
    """The state of a pod, from the object that the cluster gives."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    containers = status.get("containerStatuses") or [{}]
    container = containers[0].get("state") or {}
    if ended := container.get("terminated"):
        return _ended(name, ended, job)
    if status.get("phase") == "Failed":  # evicted, preempted, past its deadline: the container has no say in it
        reason = status.get("reason") or "Failed"
        return PodState(name, True, True, None, reason, f"{reason}: {status.get('message') or 'the pod failed'}")
    if "running" in container:
        return PodState(name, has_started=True)
    waiting = container.get("waiting") or {}
    if (reason := waiting.get("reason")) in _HOPELESS:
        told = waiting.get("message") or "the container cannot start"
        return PodState(name, has_ended=True, reason=reason, problem=f"{reason}: {told}")
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return PodState(name, waits_for=f"{scheduled.get('reason')}: {scheduled.get('message')}")
    return PodState(name, waits_for=waiting.get("reason"))


def _ended(name: str, ended: dict[str, Any], job: Job) -> PodState:
    code, reason = ended.get("exitCode"), ended.get("reason")
    problem = None
    if reason == "OOMKilled" or code == _KILLED:
        problem = f"{reason or 'killed'}: it used more than the {job.size.memory_gb:g} GB of size {job.size_name}"
    elif code and reason not in (None, "Error", "Completed"):
        problem = f"{reason}: {ended.get('message') or f'exit code {code}'}"
    return PodState(name, True, True, code, reason, problem)
