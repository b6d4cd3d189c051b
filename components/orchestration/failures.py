"""What went wrong in a run: assets, checks and errors, read from its events."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Event

ERROR_LENGTH = 1_000
_CREDENTIALS = re.compile(r"://[^\s/@]+@")
_EVENTS = {
    Event.ASSET_MATERIALIZATION_PLANNED,
    Event.ASSET_MATERIALIZATION,
    Event.ASSET_CHECK_EVALUATION,
    Event.STEP_FAILURE,
    Event.RUN_FAILURE,
}


@dataclass
class Failures:
    """What went wrong in one run.

    Args:
        assets: Assets that were to be made and were not, because of a failure of their own.
        checks: Failed checks of severity ERROR by asset, each with its description.
        errors: Error messages by step; the key is empty for an error outside of every step.
        steps: The step of each asset of the run.
    """

    assets: set[dg.AssetKey] = field(default_factory=set)
    checks: dict[dg.AssetKey, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    steps: dict[dg.AssetKey, str] = field(default_factory=dict)

    @property
    def keys(self) -> set[dg.AssetKey]:
        """Every asset with a failure."""
        return self.assets | set(self.checks)

    def errors_of(self, keys: Collection[dg.AssetKey]) -> dict[str, str]:
        """The errors that concern some assets; all of them where none are given."""
        steps = {"", *(self.steps.get(key, "") for key in keys)}
        return {step: error for step, error in self.errors.items() if step in steps or not keys}


def failures_of(instance: dg.DagsterInstance, run_id: str) -> Failures:
    """What went wrong in a run that has ended."""
    entries = instance.all_logs(run_id, of_type=_EVENTS)
    events: list[Any] = [entry.dagster_event for entry in entries if entry.dagster_event]
    planned = {event.asset_key: event.step_key for event in _of(events, Event.ASSET_MATERIALIZATION_PLANNED)}
    made = {event.asset_key for event in _of(events, Event.ASSET_MATERIALIZATION)}
    found = Failures(steps=planned)
    for event in _of(events, Event.ASSET_CHECK_EVALUATION):
        check = event.asset_check_evaluation_data
        if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
            told = f"{check.check_name}: {check.description}" if check.description else check.check_name
            found.checks.setdefault(check.asset_key, []).append(told)
    for event in _of(events, Event.STEP_FAILURE):
        found.errors[event.step_key] = message(event.step_failure_data.error)
    run_failed = next(iter(_of(events, Event.RUN_FAILURE)), None)
    if found.errors:
        found.assets = {key for key, step in planned.items() if step in found.errors and key not in made}
        if not found.keys:  # it failed after its assets were made
            found.assets = {key for key, step in planned.items() if step in found.errors}
    elif run_failed:
        error = run_failed.job_failure_data.error if run_failed.event_specific_data else None
        found.errors[""] = message(error) if error else run_failed.message or "the run failed"
        found.assets = set(planned) - made
    return found


def _of(events: Iterable[Any], kind: Event) -> list[Any]:
    return [event for event in events if event.event_type is kind]


def message(error: Any) -> str:
    """The innermost message of an error: what the code said, without what Dagster put around it."""
    if error is None:
        return "no message"
    while error.cause:
        error = error.cause
    text = _CREDENTIALS.sub("://***@", " ".join(error.message.split()))
    return text if len(text) <= ERROR_LENGTH else f"{text[:ERROR_LENGTH]}…"
