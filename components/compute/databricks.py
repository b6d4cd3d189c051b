"""Jobs on Databricks: one-time runs, serverless or on a cluster of their own."""

import json
import math
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..governance.policy_compute import DatabricksProfile
from . import entry
from .clusters import cluster_words, idle_problem
from .databricks_api import Workspace
from .job import EndedBy, Job, JobError, JobResult
from .local import thread_variables
from .log import JobLog
from .metadata import tag_value
from .remote import FILE_LIMIT_BYTES, archive_of, settings_of, support_files, too_large, unpacked
from .watch import Watch, result_of

POLL_SECONDS = 5.0
_ENDING_SECONDS = 60.0
_ARCHIVE = "job.tar.gz"
_SERVERLESS_ENVIRONMENT = "2"
_OVER = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


def run_on_databricks(job: Job, profile: DatabricksProfile, folder: Path, log: Callable[[str], None]) -> JobResult:
    """Run a job in a workspace.

    Files go to a workspace folder of the run, which is deleted at the end; outputs of up to 9 MB compressed come back
    from there. The log comes when the run has ended; until then its page shows it. The workspace gives secrets to the
    run itself, from the scope of the profile: no value leaves this machine.

    Raises:
        JobError: the workspace cannot be used or refuses the run, or secrets or the node type cannot be given.
    """
    if job.secrets and not profile.secret_scope:
        raise JobError(
            f"job {job.name}: its secrets ({', '.join(job.secrets)}) need secret_scope in the compute profile of "
            "policy.yaml: the scope of the workspace that holds them under these names"
        )
    if profile.spark_version and not job.size.node_type:
        raise JobError(f"compute size {job.size_name}: clusters of Databricks need its node_type in policy.yaml")
    job_log = JobLog(log, job.secrets.values())
    name = f"{job.name[:52].rstrip('-')}-{uuid.uuid4().hex[:8]}"
    workspace = Workspace(profile, name)
    if profile.existing_cluster and profile.auto_termination_minutes:
        idle = workspace.idle_minutes(profile.existing_cluster)
        if problem := idle_problem(profile.existing_cluster, idle, profile.auto_termination_minutes):
            raise JobError(problem)
    run = _Run(job, profile, folder, job_log, workspace, name)
    try:
        return run.run()
    finally:
        with suppress(JobError):
            run.cancel()
        with suppress(JobError):
            workspace.clean_up()


class _Run:
    """One run of a job."""

    def __init__(
        self, job: Job, profile: DatabricksProfile, folder: Path, log: JobLog, workspace: Workspace, name: str
    ) -> None:
        self.job, self.profile, self.folder, self.log, self.workspace, self.name = (
            job,
            profile,
            folder,
            log,
            workspace,
            name,
        )
        self.watch = Watch(job)
        self.submission: dict[str, Any] | None = None
        self.run_id: int | None = None
        self.is_over = False

    def run(self) -> JobResult:
        """From the upload to the outputs."""
        settings = settings_of(
            self.job,
            archive=_ARCHIVE,
            here=True,
            scope=self.profile.secret_scope if self.job.secrets else None,
            environment={**thread_variables(self.job.size.threads), **self.job.environment},
        )
        self.workspace.upload("entry.py", support_files()["entry.py"].read_bytes())
        self.workspace.upload(entry.SETTINGS, json.dumps(settings).encode())
        self.workspace.upload(_ARCHIVE, archive_of(self.job))
        self.submission = self._submission()
        self.run_id = self.workspace.submit(**self.submission)
        found, ended_by = self._wait()
        self.watch.ended()
        return self._result(found, ended_by)

    def cancel(self) -> None:
        """End a run that was not seen to end, and wait until it has."""
        if self.submission is None or self.is_over:
            return
        if self.run_id is None:  # cancelled before the answer came: the same token gives the same run
            self.run_id = self.workspace.submit(**self.submission)
        self.workspace.cancel(self.run_id)
        deadline = time.monotonic() + _ENDING_SECONDS
        while not self.is_over and time.monotonic() < deadline:
            self.is_over = _state(self.workspace.run(self.run_id))[0] in _OVER
            if not self.is_over:
                time.sleep(min(POLL_SECONDS, 1.0))

    def _submission(self) -> dict[str, Any]:
        from databricks.sdk.service import compute, jobs

        task = jobs.SubmitTask(
            task_key="job",
            spark_python_task=jobs.SparkPythonTask(
                python_file=f"{self.workspace.folder}/entry.py", parameters=[self.workspace.folder]
            ),
        )
        allowed = self.watch.seconds_allowed
        submission: dict[str, Any] = {
            "run_name": self.name,
            "tasks": [task],
            "idempotency_token": uuid.uuid4().hex,
            "timeout_seconds": math.ceil(allowed) + 60 if allowed is not None else None,
        }
        if not (self.profile.spark_version or self.profile.existing_cluster):
            spec = compute.Environment(
                environment_version=_SERVERLESS_ENVIRONMENT, dependencies=self.job.requirements or None
            )
            task.environment_key = "default"
            submission["environments"] = [jobs.JobEnvironment(environment_key="default", spec=spec)]
            submission["budget_policy_id"] = self.profile.budget_policy_id
            return submission
        task.libraries = [
            compute.Library(pypi=compute.PythonPyPiLibrary(package=item)) for item in self.job.requirements
        ]
        if self.profile.existing_cluster:
            task.existing_cluster_id = self.profile.existing_cluster
            return submission
        scope, size = self.profile.secret_scope, self.job.size
        tags = {key: tag_value(value) for key, value in self.job.tags.items()}
        words = cluster_words(size, str(self.profile.spark_version), self.profile.spot, self.profile.policy_id, tags)
        task.new_cluster = compute.ClusterSpec.from_dict(words)
        task.new_cluster.spark_env_vars = {key: f"{{{{secrets/{scope}/{key}}}}}" for key in self.job.secrets} or None
        return submission

    def _wait(self) -> tuple[Any, EndedBy]:
        """The run as it was last seen, and what ended it."""
        told = None
        while True:
            found = self.workspace.run(self.run_id)
            if told is None and found.run_page_url:
                told = found.run_page_url
                self.log.line(f"Databricks run: {told}")
            state, result = _state(found)
            if state in {"RUNNING", "TERMINATING"}:
                self.watch.started()
            if state in _OVER:
                self.is_over = True
                if result == "TIMEDOUT":
                    return found, self.watch.passed() or "max_runtime"
                return found, "cancelled" if result == "CANCELED" else "itself"
            if cap := self.watch.passed():
                self.cancel()
                return self.workspace.run(self.run_id), cap
            time.sleep(POLL_SECONDS)

    def _result(self, found: Any, ended_by: EndedBy) -> JobResult:
        output = self.workspace.output(found.tasks[0].run_id) if found.tasks else None
        for line in ((output and output.logs) or "").splitlines():
            self.log.line(line)
        content = self.workspace.download(entry.RESULTS)
        usage = unpacked(content, self.job, self.folder) if content is not None else None
        code = usage["exit_code"] if usage else None
        _, result = _state(found)
        problem = None
        if result == "SUCCESS":
            if usage is None:
                problem = "the run succeeded, but its outputs are not there"
            else:
                problem = too_large(usage, FILE_LIMIT_BYTES, "Databricks")
        elif code in (None, 0):  # else the script's own exit code says it
            told = [(output and output.error) or "", found.state.state_message or ""]
            problem = f"Databricks: {result or 'the run failed'}: {next(filter(None, told), 'no message')}"
        made = result_of(
            self.job,
            self.folder,
            self.log,
            self.watch,
            code,
            ended_by,
            problem=problem,
            url=found.run_page_url,
        )
        return replace(made, run_id=self.run_id)


def _state(run: Any) -> tuple[str | None, str | None]:
    """Life cycle and result of a run, as text."""
    state = run.state
    life = state.life_cycle_state.value if state and state.life_cycle_state else None
    result = state.result_state.value if state and state.result_state else None
    return life, result
