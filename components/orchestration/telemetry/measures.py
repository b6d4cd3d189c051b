"""Which metrics a run gives."""

from collections.abc import Collection
from typing import Any

from ..story import Step, Story
from .attributes import of_asset, of_run
from .points import Instrument, Points

RUN_DURATION = Instrument("dagster.run.duration", "s", "histogram", "From the start of a run to its end.")
RUN_DELAY = Instrument("dagster.run.queue.duration", "s", "histogram", "From the request for a run to its start.")
RUN_RETRIES = Instrument("dagster.run.retries", "{run}", "sum", "Runs that repeat one that failed.")
ASSET_DURATION = Instrument("dagster.asset.duration", "s", "histogram", "Time of the step that makes the asset.")
ASSET_MADE = Instrument("dagster.asset.materializations", "{materialization}", "sum", "Materialisations.")
ASSET_TIME = Instrument("dagster.asset.materialized.time", "s", "gauge", "Last materialisation, seconds since 1970.")
ASSET_ROWS = Instrument("dagster.asset.rows", "{row}", "gauge", "Rows that the last materialisation told.")
ASSET_COST = Instrument("dagster.asset.cost", "USD", "sum", "What materialisations and failed steps have cost.")
ASSET_RETRIES = Instrument("dagster.asset.retries", "{retry}", "sum", "Steps that were tried again.")
CHECKS = Instrument("dagster.asset.check.evaluations", "{evaluation}", "sum", "Evaluations of asset checks.")

INSTRUMENTS = (
    RUN_DURATION,
    RUN_DELAY,
    RUN_RETRIES,
    ASSET_DURATION,
    ASSET_MADE,
    ASSET_TIME,
    ASSET_ROWS,
    ASSET_COST,
    ASSET_RETRIES,
    CHECKS,
)


def measure(points: Points, story: Story, graph: Any, tags: Collection[str]) -> None:
    """Add a run to the points.

    Args:
        points: What was measured so far.
        story: The run.
        graph: The assets of the code location.
        tags: Names of tags of runs and assets that become attributes.
    """
    run = of_run(story, tags)
    points.record(RUN_DURATION, story.ended - story.started, story.ended, run)
    job = {name: value for name, value in run.items() if name != "dagster.outcome"}
    points.record(RUN_DELAY, max(0.0, story.started - story.created), story.ended, job)
    if story.run.tags.get("dagster/retry_number"):
        points.record(RUN_RETRIES, 1, story.ended, job)
    for step in story.steps:
        _measure_step(points, step, story, graph, tags)


def _measure_step(points: Points, step: Step, story: Story, graph: Any, tags: Collection[str]) -> None:
    for index, key in enumerate(step.keys):
        asset = of_asset(key, graph, story.run, tags)
        points.record(ASSET_DURATION, step.ended - step.started, step.ended, asset | {"dagster.outcome": step.outcome})
        if step.retries:
            points.record(ASSET_RETRIES, step.retries, step.ended, asset)
        if step.cost_usd and index == 0:  # a failed step says what it cost once, for all its assets
            points.record(ASSET_COST, step.cost_usd, step.ended, asset)
    for made in step.made:
        asset = of_asset(made.key, graph, story.run, tags)
        points.record(ASSET_MADE, 1, made.moment, asset)
        points.record(ASSET_TIME, made.moment, made.moment, asset)
        if made.rows is not None:
            points.record(ASSET_ROWS, made.rows, made.moment, asset)
        if made.cost_usd is not None:
            points.record(ASSET_COST, made.cost_usd, made.moment, asset)
    for check in step.checks:
        said = {
            "dagster.asset.check.name": check.name,
            "dagster.asset.check.severity": check.severity,
            "dagster.outcome": "success" if check.passed else "failure",
        }
        points.record(CHECKS, 1, check.moment, of_asset(check.key, graph, story.run, tags) | said)
