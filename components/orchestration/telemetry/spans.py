"""The trace of a run: a span for it, and within that one for each step.

Ids follow from the run's, so that a span that is sent twice is the same span.
"""

import hashlib
from collections.abc import Collection
from typing import Any
from uuid import UUID

from ..story import Step, Story
from .attributes import Attributes, of_asset, of_run


def spans_of(story: Story, graph: Any, tags: Collection[str], resource: Any, scope: Any) -> list[Any]:
    """The spans of a run, as OpenTelemetry's SDK keeps them.

    Args:
        story: The run.
        graph: The assets of the code location.
        tags: Names of tags of runs and assets that become attributes.
        resource: What sends the spans.
        scope: What made them.
    """
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Link

    links = [Link(_context(story.run.parent_run_id))] if story.run.parent_run_id else []
    common: dict[str, Any] = {"resource": resource, "instrumentation_scope": scope}
    root = ReadableSpan(
        name=f"run {story.job}",
        context=_context(story.run.run_id),
        attributes=_run_attributes(story, tags),
        links=links,
        events=_exception(story.error, story.ended),
        status=_status(story.outcome, story.error),
        start_time=_ns(story.started),
        end_time=_ns(story.ended),
        **common,
    )
    steps = [
        ReadableSpan(
            name=f"step {step.key}",
            context=_context(story.run.run_id, step.key),
            parent=root.context,
            attributes=_step_attributes(step, story, graph, tags),
            events=[*_events(step), *_exception(step.error, step.ended)],
            status=_status(step.outcome, step.error),
            start_time=_ns(step.started),
            end_time=_ns(max(step.started, step.ended)),
            **common,
        )
        for step in story.steps
    ]
    return [root, *steps]


def _run_attributes(story: Story, tags: Collection[str]) -> Attributes:
    run = story.run
    partition = run.tags.get("dagster/partition")
    cost = sum((made.cost_usd or 0 for step in story.steps for made in step.made), 0.0)
    cost += sum(step.cost_usd or 0 for step in story.steps)
    return {
        **of_run(story, tags),
        "dagster.run.id": run.run_id,
        **({"dagster.partition": partition} if partition else {}),
        **({"dagster.cost_usd": cost} if cost else {}),
    }


def _step_attributes(step: Step, story: Story, graph: Any, tags: Collection[str]) -> Attributes:
    said: Attributes = {
        "dagster.step.key": step.key,
        "dagster.run.id": story.run.run_id,
        "dagster.outcome": step.outcome,
        "dagster.retries": step.retries,
    }
    assets = [of_asset(key, graph, story.run, tags) for key in step.keys]
    if len(assets) == 1:
        said |= assets[0]
    elif assets:
        said["dagster.asset.keys"] = [asset["dagster.asset.key"] for asset in assets]
    if partition := next((made.partition for made in step.made if made.partition), None):
        said["dagster.partition"] = partition
    if version := next((made.policy_version for made in step.made if made.policy_version), None):
        said["dagster.policy.version"] = version
    rows = [made.rows for made in step.made if made.rows is not None]
    costs = [made.cost_usd for made in step.made if made.cost_usd is not None]
    costs += [step.cost_usd] if step.cost_usd else []
    return said | ({"dagster.rows": sum(rows)} if rows else {}) | ({"dagster.cost_usd": sum(costs)} if costs else {})


def _events(step: Step) -> list[Any]:
    from opentelemetry.sdk.trace import Event

    checks = [
        Event(
            "asset check",
            {
                "dagster.asset.key": check.key.to_user_string(),
                "dagster.asset.check.name": check.name,
                "dagster.asset.check.severity": check.severity,
                "dagster.outcome": "success" if check.passed else "failure",
            },
            _ns(check.moment),
        )
        for check in step.checks
    ]
    made = [
        Event("materialization", {"dagster.asset.key": made.key.to_user_string()}, _ns(made.moment))
        for made in step.made
    ]
    return sorted([*made, *checks], key=lambda event: event.timestamp)


def _exception(error: str | None, moment: float) -> list[Any]:
    from opentelemetry.sdk.trace import Event

    if not error:
        return []
    kind, _, text = error.partition(": ")
    return [Event("exception", {"exception.type": kind, "exception.message": text or error}, _ns(moment))]


def _status(outcome: str, error: str | None) -> Any:
    from opentelemetry.trace import Status, StatusCode

    if outcome == "failure":
        return Status(StatusCode.ERROR, error)
    return Status(StatusCode.OK if outcome == "success" else StatusCode.UNSET)


def _context(run_id: str, step: str | None = None) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    trace = _trace_id(run_id)
    digest = hashlib.sha256(f"{run_id}/{step or ''}".encode()).digest()
    return SpanContext(trace, int.from_bytes(digest[:8]) or 1, is_remote=False, trace_flags=TraceFlags(1))


def _trace_id(run_id: str) -> int:
    try:
        return UUID(run_id).int
    except ValueError:
        return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:16])


def _ns(moment: float) -> int:
    return int(moment * 1_000_000) * 1_000
