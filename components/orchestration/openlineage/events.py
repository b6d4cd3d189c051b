"""What an ended run was, in OpenLineage's words: a job for the run, and one below it for each asset."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from openlineage.client import event_v2 as ol
from openlineage.client import facet_v2 as facets

from ..story import Outcome, Step, Story
from .datasets import Datasets

PRODUCER = "https://github.com/dagster-io/dagster"
_ENDS: dict[Outcome, ol.RunState] = {
    "success": ol.RunState.COMPLETE,
    "failure": ol.RunState.FAIL,
    "canceled": ol.RunState.ABORT,
}


@dataclass
class Lineage:
    """Makes the events of runs.

    Args:
        namespace: Of jobs and datasets.
        graph: The code location's assets.
    """

    namespace: str
    graph: Any

    def events(self, story: Story) -> Iterator[ol.RunEvent]:
        """START and the end of a run, and between them of each asset that its steps were to make."""
        run, job = self._run(story), ol.Job(self.namespace, story.job, {"jobType": _job_type("JOB")})
        parent = facets.parent_run.ParentRunFacet(
            facets.parent_run.Run(story.run.run_id), facets.parent_run.Job(self.namespace, story.job)
        )
        yield _event(ol.RunState.START, story.started, run, job)
        for step in story.steps:
            if step.outcome != "skipped":
                for key in step.keys:
                    yield from self._of_asset(story, step, key, parent)
        failed = {"errorMessage": _error(story.error)} if story.error else {}
        yield _event(_ENDS.get(story.outcome, ol.RunState.ABORT), story.ended, _with(run, failed), job)

    def _run(self, story: Story) -> ol.Run:
        engine = facets.processing_engine_run.ProcessingEngineRunFacet(version=dg.__version__, name="Dagster")
        return ol.Run(story.run.run_id, {"processing_engine": engine})

    def _of_asset(self, story: Story, step: Step, key: dg.AssetKey, parent: Any) -> Iterator[ol.RunEvent]:
        made = next((made for made in step.made if made.key == key), None)
        node = self.graph.get(key) if self.graph.has(key) else None
        datasets = Datasets(self.namespace, self.graph, step)
        inputs = [datasets.input(upstream) for upstream in sorted(node.parent_keys)] if node else []
        outputs = [datasets.output(key, made)]
        identity = str(uuid.uuid5(uuid.UUID(story.run.run_id), key.to_user_string()))
        run = ol.Run(identity, {"parent": parent})
        about: dict[str, Any] = {"jobType": _job_type("ASSET")}
        if node and node.owners:
            about["ownership"] = facets.ownership_job.OwnershipJobFacet(
                [facets.ownership_job.Owner(name=owner, type="OWNER") for owner in node.owners]
            )
        if node and node.description:
            about["documentation"] = facets.documentation_job.DocumentationJobFacet(description=node.description)
        job = ol.Job(self.namespace, ".".join(key.path), about)
        yield _event(ol.RunState.START, step.started, run, job, inputs, outputs)
        outcome: Outcome = "success" if made else "failure" if step.outcome == "failure" else "canceled"
        failed = {"errorMessage": _error(step.error)} if outcome == "failure" and step.error else {}
        moment = made.moment if made else step.ended
        yield _event(_ENDS[outcome], moment, _with(run, failed), job, inputs, outputs)


def _event(kind: ol.RunState, moment: float, run: ol.Run, job: ol.Job, *datasets: list[Any]) -> ol.RunEvent:
    inputs, outputs = datasets or ([], [])
    return ol.RunEvent(
        eventTime=datetime.fromtimestamp(moment, UTC).isoformat(),
        producer=PRODUCER,
        eventType=kind,
        run=run,
        job=job,
        inputs=inputs,
        outputs=outputs,
    )


def _with(run: ol.Run, more: dict[str, Any]) -> ol.Run:
    return ol.Run(run.runId, {**(run.facets or {}), **more})


def _job_type(kind: str) -> Any:
    return facets.job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DAGSTER", jobType=kind)


def _error(message: str | None) -> Any:
    return facets.error_message_run.ErrorMessageRunFacet(message=message or "", programmingLanguage="python")
