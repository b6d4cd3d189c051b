"""Updates of declarative pipelines in a workspace: made, started once, followed to their end, ended with their run."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..pipeline.spec import DatasetResult, PipelineError, PipelineSpec, UpdateResult, selected
from . import waiting
from .client import Workspace
from .errors import WorkspaceError
from .events import Events, results_of
from .pipeline_settings import find_pipeline, hourly_usd, published

_ENDING_SECONDS = 60.0
_OVER = {"COMPLETED", "FAILED", "CANCELED"}
# The service itself starts an update that takes the place of one that failed.
_BY_THE_SERVICE = {"RETRY_ON_FAILURE", "SCHEMA_CHANGE", "SERVICE_UPGRADE", "INFRASTRUCTURE_MAINTENANCE"}
Log = Callable[[str], None]


@dataclass
class _Following:
    """An update, what it makes, and when it has to be over."""

    pipeline: str
    update: str
    names: list[str]
    deadline: float | None


def run_update(
    workspace: Workspace, spec: PipelineSpec, refresh_selection: Sequence[str], log: Log, run_id: str
) -> UpdateResult:
    """Run a pipeline in the workspace: an update that is on its way already is followed, not doubled.

    Args:
        workspace: Where.
        spec: The pipeline.
        refresh_selection: Names of the data sets that are made; all of them when empty.
        log: Takes what happens.
        run_id: Id of the Dagster run, which the pipeline's settings name.

    Raises:
        PipelineError: the update was refused, failed, was cancelled, took too long, or another one took its place.
    """
    names = [found.name for found in selected(spec, refresh_selection)]
    is_all = len(names) == len(spec.stored)
    wanted = [] if is_all else sorted(f"{spec.catalog}.{name}" for name in names)
    limit = spec.max_runtime_minutes
    deadline = time.monotonic() + limit * 60 if limit else None
    try:
        pipeline = find_pipeline(workspace, spec.name)
        if pipeline and (active := _active(workspace, pipeline)):
            if _covers(active, wanted, spec.full_refresh):
                log(f"pipeline {spec.name}: update {active['update_id']} is on its way; it is followed")
                return _followed(workspace, spec, _Following(pipeline, active["update_id"], names, deadline), log)
            log(f"pipeline {spec.name}: waiting for update {active['update_id']}, which makes other data sets")
            _ended(workspace, pipeline, active["update_id"], deadline)
        pipeline = published(workspace, spec, run_id)
        update = _started(workspace, spec, pipeline, wanted)
        log(f"pipeline {spec.name}: update {update} started")
        return _followed(workspace, spec, _Following(pipeline, update, names, deadline), log)
    except WorkspaceError as error:
        raise PipelineError(f"pipeline {spec.name}: {error}", transient=error.transient) from None


def _updates(workspace: Workspace, pipeline: str) -> list[dict[str, Any]]:
    """The latest updates, newest first, as the workspace tells them."""
    path = f"/api/2.0/pipelines/{pipeline}/updates"
    answer = workspace.do("reading updates", "GET", path)
    return list(answer.get("updates") or [])


def _active(workspace: Workspace, pipeline: str) -> dict[str, Any] | None:
    return next((each for each in _updates(workspace, pipeline) if each["state"] not in _OVER), None)


def _covers(update: dict[str, Any], wanted: list[str], full: bool) -> bool:
    """Whether an update makes what is wanted, in the way that it is wanted."""
    chosen = update.get("refresh_selection") or update.get("full_refresh_selection") or []
    is_full = bool(update.get("full_refresh") or update.get("full_refresh_selection"))
    return sorted(chosen) == wanted and is_full == full and not update.get("validate_only")


def _started(workspace: Workspace, spec: PipelineSpec, pipeline: str, wanted: list[str]) -> str:
    """The id of a new update; one whose answer got lost is found again."""
    arguments: dict[str, Any] = {}
    if wanted:
        arguments["full_refresh_selection" if spec.full_refresh else "refresh_selection"] = wanted
    elif spec.full_refresh:
        arguments["full_refresh"] = True
    for last in (False, True):
        try:
            started = workspace.call(
                "starting an update", lambda client: client.pipelines.start_update(pipeline, **arguments), again=False
            )
            return str(started.update_id)
        except WorkspaceError as error:
            active = _active(workspace, pipeline)
            if active and _covers(active, wanted, spec.full_refresh):
                return str(active["update_id"])
            if last or not error.transient:
                raise
    raise AssertionError("unreachable")


def _followed(workspace: Workspace, spec: PipelineSpec, following: _Following, log: Log) -> UpdateResult:
    """What an update came to; it is cancelled where the run ends before it."""
    url = f"{workspace.host}/pipelines/{following.pipeline}/updates/{following.update}"
    log(f"Databricks update: {url}")
    events = Events(workspace, following.pipeline, following.update, log)
    is_over = False
    try:
        state = _watched(workspace, following, events)
        is_over = True
    finally:
        if not is_over:
            _stop(workspace, following)
    follower = _follower(workspace, following) if state["state"] != "COMPLETED" else None
    if follower and follower.get("cause") in _BY_THE_SERVICE:
        log(f"update {following.update} ended as {state['state']}; the service goes on with {follower['update_id']}")
        following.update = follower["update_id"]
        return _followed(workspace, spec, following, log)
    found = results_of(events, spec, following.names)
    if state["state"] == "COMPLETED":
        return UpdateResult(found, _cost(workspace, spec, events.seconds), url)
    said = events.fault or f"ended as {state['state']}"
    if follower:
        raise PipelineError(f"update {following.update} was superseded by {follower['update_id']}: {said}\n{url}")
    if state["state"] == "CANCELED":
        raise PipelineError(f"update {following.update} was cancelled in the workspace: {said}\n{url}")
    if not any(each.error for each in found.values()):
        raise PipelineError(f"update {following.update} failed: {said}\n{url}")
    return UpdateResult(_with_causes(found, said), _cost(workspace, spec, events.seconds), url)


def _watched(workspace: Workspace, following: _Following, events: Events) -> dict[str, Any]:
    """The update when it has ended, its events read."""
    while True:
        state = _update(workspace, following.pipeline, following.update)
        events.read()
        if state["state"] in _OVER:
            events.settle(state["state"])
            return state
        _in_time(following.deadline, following.update)
        waiting.pause()


def _ended(workspace: Workspace, pipeline: str, update: str, deadline: float | None) -> None:
    """Wait for an update that is not ours."""
    while _update(workspace, pipeline, update)["state"] not in _OVER:
        _in_time(deadline, update)
        waiting.pause()


def _in_time(deadline: float | None, update: str) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise PipelineError(f"update {update} was not over within max_runtime_minutes")


def _update(workspace: Workspace, pipeline: str, update: str) -> dict[str, Any]:
    path = f"/api/2.0/pipelines/{pipeline}/updates/{update}"
    answer = workspace.do("following an update", "GET", path)
    return dict(answer["update"])


def _follower(workspace: Workspace, following: _Following) -> dict[str, Any] | None:
    """The update that came after, if there is one."""
    found = _updates(workspace, following.pipeline)
    newer = [each["update_id"] for each in found]
    place = newer.index(following.update) if following.update in newer else 0
    return found[place - 1] if place > 0 else None


def _stop(workspace: Workspace, following: _Following) -> None:
    """End an update that nothing waits for any more; what cannot be reached is left as it is."""
    with suppress(WorkspaceError):
        if _update(workspace, following.pipeline, following.update)["state"] in _OVER:
            return
        workspace.call("cancelling an update", lambda client: client.pipelines.stop(following.pipeline))
        deadline = time.monotonic() + _ENDING_SECONDS
        while time.monotonic() < deadline:
            if _update(workspace, following.pipeline, following.update)["state"] in _OVER:
                return
            waiting.pause()


def _cost(workspace: Workspace, spec: PipelineSpec, seconds: float) -> float | None:
    hourly = hourly_usd(workspace.policy, spec)
    return round(seconds / 3600 * hourly, 6) if hourly is not None else None


def _with_causes(found: dict[str, DatasetResult], said: str) -> dict[str, DatasetResult]:
    """Every data set that was not made has a reason, if only that the update failed before it."""
    return {
        name: result
        if result.error or result.details.get("completed")
        else DatasetResult(error=f"not made: {said}", details=result.details)
        for name, result in found.items()
    }
