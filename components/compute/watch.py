"""The caps of a job, held against the clock while it runs."""

import time
from pathlib import Path
from typing import Literal

from .job import EndedBy, Job, JobResult
from .log import JobLog


class Watch:
    """Time and cost of one job.

    Run time counts from the making of the watch, which is when the job was asked for; cost counts from ``started``,
    as waiting for a machine costs nothing.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._asked = time.monotonic()
        self._began: float | None = None
        self._ended: float | None = None

    def started(self) -> None:
        """The job has begun to use its machine; calls after the first change nothing."""
        if self._began is None:
            self._began = time.monotonic()

    def ended(self) -> None:
        """The job has ended; calls after the first change nothing."""
        if self._ended is None:
            self._ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds that the job has used its machine."""
        return (self._ended or time.monotonic()) - self._began if self._began is not None else 0.0

    @property
    def cost_usd(self) -> float:
        """US dollars so far."""
        return self.seconds / 3600 * self._job.hourly_cost_usd

    def passed(self) -> Literal["max_runtime", "max_cost"] | None:
        """The cap that the job has reached."""
        job = self._job
        if job.max_cost_usd is not None and self.cost_usd >= job.max_cost_usd and self.seconds:
            return "max_cost"
        if job.max_runtime_seconds is not None and time.monotonic() - self._asked >= job.max_runtime_seconds:
            return "max_runtime"
        return None

    @property
    def seconds_allowed(self) -> float | None:
        """Seconds that the caps leave a job from its start; for places that can enforce them too."""
        job = self._job
        caps = [job.max_runtime_seconds] if job.max_runtime_seconds is not None else []
        if job.max_cost_usd is not None and job.hourly_cost_usd:
            caps.append(job.max_cost_usd / job.hourly_cost_usd * 3600)
        return min(caps, default=None)


def cap_in_words(job: Job, ended_by: str, seconds: float) -> str:
    """What a job was ended for, with figures."""
    rate = f"{job.hourly_cost_usd:g} dollars an hour ({job.size_name})"
    match ended_by:
        case "max_cost":
            return (
                f"ended after {seconds:.0f} s: at {rate} it reached its cap of {job.max_cost_usd:g} dollars (max_cost)"
            )
        case "max_runtime":
            return f"ended after {seconds:.0f} s: it reached its cap of {job.max_runtime_seconds:g} s (max_runtime)"
        case "max_memory":
            return (
                f"ended after {seconds:.0f} s: it used more memory than the {job.size.memory_gb:g} GB of size "
                f"{job.size_name}; choose a larger approved size, or read less at once"
            )
        case _:
            return f"cancelled after {seconds:.0f} s"


def result_of(
    job: Job,
    folder: Path,
    log: JobLog,
    watch: Watch,
    exit_code: int | None,
    ended_by: EndedBy,
    *,
    peak_memory_mb: float | None = None,
    problem: str | None = None,
    url: str | None = None,
) -> JobResult:
    """How a job ended, with the sentence that says why where it did not succeed.

    Args:
        job: What ran.
        folder: Folder with its outputs.
        log: Its log.
        watch: Its time and cost.
        exit_code: Its exit code; negative for a signal.
        ended_by: What ended it.
        peak_memory_mb: Most memory it held, in megabytes.
        problem: What the place says went wrong, if it does.
        url: Page of the run.
    """
    if ended_by != "itself":
        problem = cap_in_words(job, ended_by, watch.seconds)
    elif problem is None and exit_code:
        problem = f"ended by signal {-exit_code}" if exit_code < 0 else f"the script ended with exit code {exit_code}"
    return JobResult(
        succeeded=problem is None and exit_code == 0,
        exit_code=exit_code,
        ended_by=ended_by,
        seconds=watch.seconds,
        cost_usd=watch.cost_usd,
        peak_memory_mb=peak_memory_mb,
        folder=folder,
        log_tail=log.tail,
        url=url,
        problem=log.redacted(problem) if problem else None,
    )
