"""Jobs on Kubernetes: one pod, in a Job that the cluster ends by itself should nobody be left to do so."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..governance.policy_compute import KubernetesProfile
from .job import EndedBy, Job, JobError, JobResult
from .kubernetes_api import Cluster, RefusedError
from .kubernetes_log import Frames, PodLog
from .kubernetes_objects import GRACE_SECONDS, RUN_LABEL, files_object, job_object, secrets_object
from .kubernetes_pod import PodState, state_of
from .log import JobLog
from .remote import LOG_LIMIT_BYTES, too_large, unpacked
from .watch import Watch, result_of

POLL_SECONDS = 1.0
_EVENTS_AFTER_SECONDS = 10.0


def run_on_kubernetes(job: Job, profile: KubernetesProfile, folder: Path, log: Callable[[str], None]) -> JobResult:
    """Run a job in a pod.

    Files go there in a ConfigMap (0.9 MB compressed), secrets in a Secret; outputs come back through the pod's log
    (4 MB compressed): no volume is shared, and the cluster's log has them too. All objects are deleted at the end.

    Raises:
        JobError: no cluster can be used, it refuses an object, or the files are too large.
    """
    job_log = JobLog(log, job.secrets.values())
    name = f"{job.name[:52].rstrip('-')}-{uuid.uuid4().hex[:8]}"
    cluster = Cluster(profile)
    try:
        return _Run(job, profile, folder, job_log, cluster, name).run()
    except RefusedError as error:
        raise JobError(job_log.redacted(str(error))) from None
    finally:
        for kind in ("job", "secret", "config_map"):
            with suppress(RefusedError):  # the Job's deletion, or its time to live, takes the others along
                cluster.delete(kind, name)
        cluster.close()


class _Run:
    """One run of a job."""

    def __init__(
        self, job: Job, profile: KubernetesProfile, folder: Path, log: JobLog, cluster: Cluster, name: str
    ) -> None:
        self.job, self.profile, self.folder, self.log, self.cluster, self.name = (
            job,
            profile,
            folder,
            log,
            cluster,
            name,
        )
        self.watch = Watch(job)
        self.frames = Frames(f"@@{uuid.uuid4().hex}")
        self.pod_log: PodLog | None = None
        self.told: set[str] = set()

    def run(self) -> JobResult:
        """From the making of the objects to the outputs."""
        made = self.cluster.create("job", job_object(self.job, self.profile, self.name, self.watch.seconds_allowed))
        self.cluster.create("config_map", files_object(self.job, self.name, made, self.frames.mark))
        if self.job.secrets:
            self.cluster.create("secret", secrets_object(self.job, self.name, made))
        self._suspend(False)
        try:
            state, ended_by = self._wait()
            self.watch.ended()
            if self.pod_log:
                self.pod_log.finish(self.log, wait_seconds=GRACE_SECONDS if ended_by == "itself" else 2.0)
            return self._result(state, ended_by)
        finally:
            if self.pod_log:
                self.pod_log.close()

    def _suspend(self, suspended: bool) -> None:
        patch = {"spec": {"suspend": suspended}}
        self.cluster.call("patch_namespaced_job", self.name, self.cluster.namespace, patch)

    def _state(self) -> PodState | None:
        selector = f"{RUN_LABEL}={self.name}"
        pods = self.cluster.call("list_namespaced_pod", self.cluster.namespace, label_selector=selector)["items"]
        return state_of(pods[0], self.job) if pods else None

    def _wait(self) -> tuple[PodState | None, EndedBy]:
        """The last state of the pod, and what ended it."""
        last: PodState | None = None
        asked = time.monotonic()
        while True:
            state = self._state()
            if state is None and last is not None:
                return last, "cancelled"  # somebody deleted it
            last = state
            if state is None and time.monotonic() - asked > _EVENTS_AFTER_SECONDS:
                self._tell_events()
            if state:
                self._follow(state)
                if state.has_ended:
                    late = state.reason == "DeadlineExceeded"
                    return state, (self.watch.passed() or "max_runtime") if late else "itself"
            if cap := self.watch.passed():
                self._suspend(True)  # ends the pod with its time of grace, in which it sends what it has
                return self._ending(last), cap
            time.sleep(POLL_SECONDS)

    def _follow(self, state: PodState) -> None:
        if state.has_started:
            self.watch.started()
            if self.pod_log is None:
                self.pod_log = PodLog(self.cluster, state.name, self.frames)
        elif state.waits_for:
            self._tell(f"waiting: {state.waits_for}")
        if self.pod_log:
            self.pod_log.pass_on(self.log)

    def _ending(self, last: PodState | None) -> PodState | None:
        """The state of a pod that is being ended, once it has."""
        deadline = time.monotonic() + GRACE_SECONDS + 5
        while time.monotonic() < deadline:
            state = self._state()
            if state is None:
                return last
            last = state
            if self.pod_log:
                self.pod_log.pass_on(self.log)
            if state.has_ended or self.frames.content() is not None:
                return state
            time.sleep(POLL_SECONDS)
        return last

    def _tell_events(self) -> None:
        """Say why there is no pod: a quota, or an admission rule."""
        selector = f"involvedObject.name={self.name}"
        for event in self.cluster.call("list_namespaced_event", self.cluster.namespace, field_selector=selector)[
            "items"
        ]:
            if event.get("type") == "Warning":
                self._tell(f"waiting: {event.get('reason')}: {event.get('message')}")

    def _tell(self, line: str) -> None:
        if line not in self.told:
            self.told.add(line)
            self.log.line(line)

    def _result(self, state: PodState | None, ended_by: EndedBy) -> JobResult:
        content = self.frames.content()
        usage = unpacked(content, self.job, self.folder) if content is not None else None
        code = state.exit_code if state else None
        problem = state.problem if state else None
        if problem is None and usage:
            problem = too_large(usage, LOG_LIMIT_BYTES, "Kubernetes")
        elif problem is None and code == 0:
            problem = "the pod's log ended before the outputs were whole"
        elif problem is None and code is None and ended_by == "itself":
            problem = "the pod ended without an exit code"
        peak = usage["peak_memory_mb"] if usage else None
        return result_of(
            self.job, self.folder, self.log, self.watch, code, ended_by, peak_memory_mb=peak, problem=problem
        )
