"""Sending what ended runs did to a service, batch by batch: late where it does not answer, and never lost."""

import json
import time
from abc import ABC, abstractmethod

import dagster as dg

from .ended_runs import EndedRun, ended_runs, newest_position
from .story import Story, story_of

RUNS_A_BATCH = 50
SECONDS_A_TICK = 20.0


class DeliveryError(Exception):
    """A service did not take a batch; says why.

    Args:
        message: What happened, without any credentials.
        too_much: Whether a smaller batch may be taken.
    """

    def __init__(self, message: str, too_much: bool = False) -> None:
        super().__init__(message)
        self.too_much = too_much


class Delivery(ABC):
    """Sends what ended since the last time; the cursor moves on only behind what was taken."""

    @property
    @abstractmethod
    def off(self) -> str | None:
        """Why nothing is sent; None where it is."""

    @abstractmethod
    def send(self, context: dg.SensorEvaluationContext, stories: list[Story]) -> None:
        """Send some runs, all or none.

        Raises:
            DeliveryError: they were not taken.
        """

    def tick(self, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Send, or say why not.

        Raises:
            DeliveryError: the service took nothing; the cursor stays where it is.
        """
        if off := self.off:
            return _at(newest_position(context.instance), off)
        if not context.cursor:
            return _at(newest_position(context.instance), "Watching runs from now on.")
        started, sent, limit = time.monotonic(), 0, RUNS_A_BATCH
        position = int(json.loads(context.cursor)["position"])
        while True:
            runs, reached = ended_runs(context, position, limit)
            stories = [story for ended in runs if (story := self._story(context, ended))]
            try:
                self.send(context, stories)
            except DeliveryError as error:
                if error.too_much and len(runs) > 1:
                    limit = len(runs) // 2
                    continue
                behind = f"{error}; {len(stories)} or more runs are sent when it does"
                if sent == 0:
                    raise type(error)(behind) from None
                return _at(position, f"{sent} runs sent; then {behind}.")
            position, sent = reached, sent + len(stories)
            if len(runs) < limit or time.monotonic() - started > SECONDS_A_TICK:
                return _at(position, f"{sent} runs sent.")

    def _story(self, context: dg.SensorEvaluationContext, ended: EndedRun) -> Story | None:
        try:
            return story_of(context.instance, ended.run.run_id, ended.ended)
        except Exception as error:  # one run that cannot be read must not hold up all others
            context.log.error(f"run {ended.run.run_id} is left out: {type(error).__name__}: {error}")
            return None


def code_location(context: dg.SensorEvaluationContext) -> str | None:
    """The name of the code location that a sensor is in."""
    origin = context.code_location_origin
    return origin.location_name if origin else None


def _at(position: int, reason: str) -> dg.SensorResult:
    return dg.SensorResult(cursor=json.dumps({"position": position}), skip_reason=reason)
