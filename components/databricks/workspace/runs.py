"""Runs of jobs: started once, followed to their end, ended with the run of Dagster that wants them."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from . import waiting
from .client import Workspace
from .errors import WorkspaceError

_OVER = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
_ENDING_SECONDS = 60.0
_UNTOUCHED = {"DISABLED", "EXCLUDED"}
Log = Callable[[str], None]


@dataclass
class RunResult:
    """How a run ended.

    Args:
        run_id: Its id.
        result: Its result, in the words of Databricks.
        url: Its page.
        seconds: How long it took, as seen from here.
        tasks: Result and run id by task.
        problems: What tasks that did not succeed have to say.
    """

    run_id: int
    result: str
    url: str | None
    seconds: float
    tasks: dict[str, tuple[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def published_job(workspace: Workspace, settings: dict[str, Any]) -> int:
    """The id of the job of this name, whose settings are these now.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    name = settings["name"]
    job_id = find_job(workspace, name)
    if job_id is None:

        def there() -> dict[str, int] | None:
            found = find_job(workspace, name)
            return None if found is None else {"job_id": found}

        return int(workspace.make(f"creating the job {name}", "/api/2.2/jobs/create", settings, there)["job_id"])
    body = {"job_id": job_id, "new_settings": settings}
    workspace.do(f"changing the job {name}", "POST", "/api/2.2/jobs/reset", body=body)
    return job_id


def find_job(workspace: Workspace, name: str) -> int | None:
    """The id of the job of a name; the oldest, where several have it."""
    found = workspace.call(f"looking for the job {name}", lambda client: list(client.jobs.list(name=name)))
    return min((int(each.job_id) for each in found), default=None)


def run_published(
    workspace: Workspace,
    job_id: int,
    tasks: list[str] | None,
    parameters: dict[str, str],
    token: str,
    limit_seconds: float,
    log: Log,
) -> RunResult:
    """Run a job, or some of its tasks; a run of the same that is on its way already is followed.

    Args:
        workspace: Where.
        job_id: The job.
        tasks: Keys of tasks; all of them when None.
        parameters: Job parameters.
        token: The same for every try of one step, so that a lost answer starts no second run.
        limit_seconds: After how long it is cancelled.
        log: Takes what happens.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer, or the run took too long.
    """
    began = time.monotonic()
    run_id = _on_its_way(workspace, job_id, tasks, parameters)
    if run_id is not None:
        log(f"run {run_id} is on its way; it is followed")
    asked: dict[str, Any] = {"job_parameters": parameters or None, "only": tasks, "idempotency_token": token[:64]}
    is_over = False
    try:
        if run_id is None:
            run_id = _start(workspace, job_id, asked)
        run = _watched(workspace, run_id, began + limit_seconds, log)
        is_over = True
    finally:
        if not is_over:
            _cancel(workspace, job_id, run_id, asked)
    return _result(workspace, run, time.monotonic() - began)


def _start(workspace: Workspace, job_id: int, asked: dict[str, Any]) -> int:
    return int(workspace.call("starting the job", lambda client: client.jobs.run_now(job_id, **asked).run_id))


def _on_its_way(workspace: Workspace, job_id: int, tasks: list[str] | None, parameters: dict[str, str]) -> int | None:
    """A run of the same tasks with the same parameters that has not ended."""

    def active(client: Any) -> list[Any]:
        return list(client.jobs.list_runs(job_id=job_id, active_only=True, expand_tasks=True))

    for run in workspace.call("looking for runs", active):
        given = {each.name: each.value for each in run.job_parameters or []}
        same = all(given.get(name) == value for name, value in parameters.items())
        keys = {task.task_key for task in run.tasks or []}
        if same and (tasks is None or keys == set(tasks)):
            return int(run.run_id)
    return None


def _watched(workspace: Workspace, run_id: int, deadline: float, log: Log) -> Any:
    """The run when it has ended; what changes is told."""
    told: dict[str, str] = {}
    while True:
        run = _run(workspace, run_id)
        if not told and run.run_page_url:
            log(f"Databricks run: {run.run_page_url}")
        for task in run.tasks or []:
            if told.get(task.task_key) != (state := _outcome(task)):
                told[task.task_key] = state
                log(f"task {task.task_key}: {state}")
        if _life(run) in _OVER:
            return run
        if time.monotonic() >= deadline:
            raise WorkspaceError(
                f"run {run_id} was not over within max_runtime_minutes and is cancelled", transient=False
            )
        waiting.pause()


def _cancel(workspace: Workspace, job_id: int, run_id: int | None, asked: dict[str, Any]) -> None:
    """End a run that nothing waits for any more, and wait until it has."""
    with suppress(WorkspaceError):
        if run_id is None:  # interrupted before the answer came: the same token gives the same run
            run_id = _start(workspace, job_id, asked)
        started = run_id
        workspace.call("cancelling the run", lambda client: client.jobs.cancel_run(started))
        deadline = time.monotonic() + _ENDING_SECONDS
        while _life(_run(workspace, run_id)) not in _OVER and time.monotonic() < deadline:
            waiting.pause()


def _result(workspace: Workspace, run: Any, seconds: float) -> RunResult:
    made = RunResult(int(run.run_id), _outcome(run), run.run_page_url, round(seconds, 3))
    for task in run.tasks or []:
        made.tasks[task.task_key] = (_outcome(task), int(task.run_id or 0))
    if made.result != "SUCCESS":
        made.problems = list(_problems(workspace, run))
    return made


def _problems(workspace: Workspace, run: Any) -> Iterator[str]:
    """The tasks that did not succeed, each with what it says."""
    if said := run.state.state_message:
        yield said
    for task in run.tasks or []:
        outcome = _outcome(task)
        if outcome == "SUCCESS" or outcome in _UNTOUCHED:
            continue
        said = None
        with suppress(WorkspaceError):  # a task that never started has no output
            query = {"run_id": task.run_id}
            said = workspace.do("reading output", "GET", "/api/2.2/jobs/runs/get-output", query=query).get("error")
        yield f"task {task.task_key} ({outcome}): {said or task.state.state_message or 'no message'}"


def _run(workspace: Workspace, run_id: int) -> Any:
    return workspace.call("following the run", lambda client: client.jobs.get_run(run_id))


def _life(run: Any) -> str:
    return str(run.state.life_cycle_state.value)


def _outcome(run: Any) -> str:
    """The result of a run or a task, or what it is doing."""
    return str((run.state.result_state or run.state.life_cycle_state).value)
