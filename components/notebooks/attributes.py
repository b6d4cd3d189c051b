"""The groups of attributes of a notebook's YAML."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field

from ..base import StrictModel
from ..formats import matching
from ..partitions import TimePartition
from ..schedules import Cron, Timezone

VARIABLE = matching(r"^[A-Za-z_][A-Za-z0-9_]*$", "the name of a variable, such as CRM_TOKEN")
INSIDE = matching(r"^(?!/)(?!.*(^|/)\.\.(/|$))[^:\\]+$", "a path below the folder of this file")


class NotebookPartition(TimePartition):
    """Time partitions: a run of the notebook is for one of them."""


class NotebookSchedule(StrictModel):
    """When the notebook runs by itself: for the last complete partition, where it has partitions."""

    cron: Cron
    timezone: Timezone = "UTC"
    default_status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether the schedule is on until somebody switches it in the web UI."),
    ] = "stopped"


class NotebookExperiment(StrictModel):
    """The experiment that runs of the notebook belong to."""

    id: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the experiment, for people and for MLflow.",
            examples=["segments-q4"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    tags: Annotated[
        list[str], dg.Resolver.default(description="Words to find its runs by.", examples=[["nlp", "q4"]])
    ] = Field(default_factory=list)


@dataclass(frozen=True)
class Partition:
    """What ``{{ partition.key }}``, ``{{ partition.start }}`` and ``{{ partition.end }}`` stand for in parameters."""

    key: str
    start: str
    end: str

    def filled_in(self, value: Any) -> Any:
        """A value of a parameter with the partition in place of the templates, at any depth."""
        if isinstance(value, str):
            for template, text in zip(_TEMPLATES, (self.key, self.start, self.end), strict=True):
                value = value.replace(template, text)
            return value
        if isinstance(value, list):
            return [self.filled_in(item) for item in value]
        if isinstance(value, dict):
            return {key: self.filled_in(item) for key, item in value.items()}
        return value


# Dagster fills in templates when it loads the YAML: these names survive that as they were.
PLACEHOLDERS = Partition("{{ partition.key }}", "{{ partition.start }}", "{{ partition.end }}")
_TEMPLATES = (PLACEHOLDERS.key, PLACEHOLDERS.start, PLACEHOLDERS.end)


def partition_of(context: dg.AssetExecutionContext) -> Partition:
    """The partition of a run; several that one run covers count as one, from the first to the last."""
    keys = context.partition_key_range
    window = context.partition_time_window
    start, end = (moment.strftime("%Y-%m-%dT%H:%M:%S") for moment in (window.start, window.end))
    return Partition(keys.start if keys.start == keys.end else f"{keys.start}...{keys.end}", start, end)


def uses_partition(value: Any) -> bool:
    """Whether a parameter's value has a template of the partition in it."""
    return any(template in text for text in _texts(value) for template in _TEMPLATES)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
