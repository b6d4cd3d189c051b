"""Runs that have ended, in the order in which they did, each taken once.

Dagster's own run-status sensors pass over runs that a shell started (``dg launch``), as those name no code location.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Event

_ENDINGS: tuple[Any, ...] = (Event.RUN_SUCCESS, Event.RUN_FAILURE, Event.RUN_CANCELED)
_BATCH = 200


@dataclass(frozen=True)
class EndedRun:
    """A run of this code location that has ended.

    Args:
        position: Where its end stands in the instance's event log.
        ended: When it ended, in seconds since 1970, UTC.
        run: The run.
    """

    position: int
    ended: float
    run: dg.DagsterRun


def newest_position(instance: dg.DagsterInstance) -> int:
    """The position behind everything that has happened so far."""
    newest = [instance.fetch_run_status_changes(kind, limit=1).records for kind in _ENDINGS]
    return max((records[0].storage_id for records in newest if records), default=0)


def position_before(instance: dg.DagsterInstance, moment: float) -> int:
    """The position before the first run that ended after a moment, in seconds since 1970, UTC."""
    first = [
        instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(kind, after_timestamp=moment), limit=1, ascending=True
        ).records
        for kind in _ENDINGS
    ]
    found = [records[0].storage_id for records in first if records]
    return min(found) - 1 if found else newest_position(instance)


def ended_runs(context: dg.SensorEvaluationContext, position: int, limit: int) -> tuple[list[EndedRun], int]:
    """The next runs of this code location that have ended.

    Args:
        context: Of the sensor that asks; its repository says which runs are ours.
        position: What came before is left out.
        limit: The most runs that are given.

    Returns:
        The runs, and the position to go on from.
    """
    taken: list[EndedRun] = []
    for record, run in _changes(context.instance, position):
        if len(taken) == limit:
            break
        position = record.storage_id
        if run and _is_ours(run, context):
            taken.append(EndedRun(record.storage_id, record.timestamp, run))
    return taken, position


def _changes(instance: dg.DagsterInstance, position: int) -> Iterator[tuple[Any, dg.DagsterRun | None]]:
    while True:
        # Positions are the same line for all kinds, so the first of all are among the first of each.
        records = sorted(
            (
                record
                for kind in _ENDINGS
                for record in instance.fetch_run_status_changes(
                    dg.RunStatusChangeRecordsFilter(kind, after_storage_id=position), limit=_BATCH, ascending=True
                ).records
            ),
            key=lambda record: record.storage_id,
        )[:_BATCH]
        if not records:
            return
        ids = list({record.run_id for record in records})
        runs = {run.run_id: run for run in instance.get_runs(filters=dg.RunsFilter(run_ids=ids))}
        for record in records:
            yield record, runs.get(record.run_id)
        position = records[-1].storage_id


def _is_ours(run: dg.DagsterRun, context: dg.SensorEvaluationContext) -> bool:
    origin, here = run.remote_job_origin, context.code_location_origin
    repository: Any = context.repository_def
    if origin:
        theirs = origin.repository_origin
        return (
            here is not None
            and theirs.code_location_origin.location_name == here.location_name
            and theirs.repository_name == context.repository_name
        )
    if repository is None or not repository.has_job(run.job_name):
        return False
    return all(repository.asset_graph.has(key) for key in run.asset_selection or ())
