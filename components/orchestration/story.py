"""What happened in a run that has ended, read once from its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import dagster as dg
from dagster import DagsterEventType as Event

from .failures import message
from .spend import COST, number

Outcome = Literal["success", "failure", "canceled", "skipped"]

_ROWS = "dagster/row_count"
_EVENTS = {
    Event.ASSET_MATERIALIZATION_PLANNED,
    Event.ASSET_MATERIALIZATION,
    Event.ASSET_CHECK_EVALUATION,
    Event.STEP_START,
    Event.STEP_RESTARTED,
    Event.STEP_UP_FOR_RETRY,
    Event.STEP_SUCCESS,
    Event.STEP_FAILURE,
    Event.STEP_SKIPPED,
    Event.RUN_FAILURE,
}
_OUTCOMES: dict[dg.DagsterRunStatus, Outcome] = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}


@dataclass(frozen=True)
class Made:
    """One materialisation; what its metadata does not say is None."""

    key: dg.AssetKey
    moment: float
    partition: str | None
    rows: float | None
    cost_usd: float | None
    policy_version: str | None
    said: Mapping[str, Any] = field(default_factory=dict)
    """All its metadata, as Dagster keeps it."""


@dataclass(frozen=True)
class Checked:
    """One evaluation of an asset check."""

    key: dg.AssetKey
    name: str
    passed: bool
    severity: str
    moment: float


@dataclass
class Step:
    """One step with everything it did; moments in seconds since 1970."""

    key: str
    started: float
    ended: float
    outcome: Outcome = "canceled"
    retries: int = 0
    error: str | None = None
    planned: list[dg.AssetKey] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)
    cost_usd: float | None = None

    @property
    def keys(self) -> list[dg.AssetKey]:
        """The assets of the step, each once."""
        return list(dict.fromkeys([*self.planned, *(made.key for made in self.made)]))


@dataclass
class Story:
    """A run that has ended, with the steps that began; moments in seconds since 1970."""

    run: dg.DagsterRun
    created: float
    started: float
    ended: float
    outcome: Outcome
    error: str | None
    steps: list[Step]

    @property
    def job(self) -> str:
        """Name of the job; runs of assets by hand share one name."""
        return "assets" if self.run.job_name.startswith("__") else self.run.job_name


def story_of(instance: dg.DagsterInstance, run_id: str, ended: float) -> Story | None:
    """The story of a run, or None where it was deleted meanwhile.

    Args:
        instance: Has the event log.
        run_id: The run.
        ended: When it ended, in seconds since 1970.
    """
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return None
    created = record.create_timestamp.timestamp()
    started = record.start_time or min(created, ended)
    error, steps = _told(instance.all_logs(run_id, of_type=_EVENTS), ended)
    outcome = _OUTCOMES.get(record.dagster_run.status, "canceled")
    return Story(record.dagster_run, created, started, max(started, record.end_time or ended), outcome, error, steps)


def _told(entries: Iterable[Any], ended: float) -> tuple[str | None, list[Step]]:
    steps: dict[str, Step] = {}
    planned: dict[str, list[dg.AssetKey]] = {}
    run_error = None
    for entry in entries:
        event: Any = entry.dagster_event
        if event.event_type is Event.ASSET_MATERIALIZATION_PLANNED:
            planned.setdefault(event.step_key, []).append(event.asset_key)
        elif event.event_type is Event.RUN_FAILURE:
            data = event.event_specific_data
            run_error = message(data.error) if data and data.error else event.message
        elif event.step_key:
            moment = entry.timestamp
            step = steps.setdefault(
                event.step_key, Step(event.step_key, moment, ended, planned=planned.get(event.step_key, []))
            )
            _add(step, event, moment)
    return run_error, list(steps.values())


def _add(step: Step, event: Any, moment: float) -> None:
    match event.event_type:
        case Event.STEP_UP_FOR_RETRY:
            step.retries += 1
        case Event.STEP_SUCCESS:
            step.outcome, step.ended = "success", moment
        case Event.STEP_SKIPPED:
            step.outcome, step.ended = "skipped", moment
        case Event.STEP_FAILURE:
            step.outcome, step.ended = "failure", moment
            step.error = message(event.step_failure_data.error)
            said = event.step_failure_data.user_failure_data
            step.cost_usd = number(said.metadata.get(COST)) if said else None
        case Event.ASSET_MATERIALIZATION:
            step.made.append(_made(event, moment))
        case Event.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            severity = check.severity.value
            step.checks.append(Checked(check.asset_key, check.check_name, check.passed, severity, moment))


def _made(event: Any, moment: float) -> Made:
    said = event.materialization.metadata
    version = getattr(said.get("policy_version"), "value", None)
    return Made(
        key=event.asset_key,
        moment=moment,
        partition=event.partition,
        rows=number(said.get(_ROWS)),
        cost_usd=number(said.get(COST)),
        policy_version=str(version) if version else None,
        said=said,
    )
