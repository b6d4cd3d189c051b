"""dbt vars whose values may come from the run's partition."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg
from dagster.components.resolved.context import ResolutionContext

from .faults import Where

_USED = re.compile(r"\{\{[^}]*?\bpartition\b\s*\.?\s*(\w*)")
_NAMES = ("start", "end", "key")


@dataclass(frozen=True)
class PartitionScope:
    """What ``partition`` is in a template.

    Args:
        start: First moment, ISO 8601: a date, or with hourly partitions a date and time.
        end: First moment after it.
        key: Key of the partition, or of the first one where a run covers several.
    """

    start: str
    end: str
    key: str


@dataclass(frozen=True)
class DbtVars:
    """The vars as the YAML has them, resolved for one run at a time.

    Args:
        written: Values, with templates in them.
        context: Resolves the templates.
        partitions: The component's partitions.
    """

    written: Mapping[str, Any]
    context: ResolutionContext
    partitions: dg.TimeWindowPartitionsDefinition | None

    def validate(self, where: Where) -> None:
        """Refuse templates that no run could fill.

        Raises:
            DbtProjectError: ``partition`` is used without partitions, or with a name it does not have.
        """
        for path, text in _texts(self.written, "dbt.vars"):
            for name in _USED.findall(text):
                if name not in _NAMES:
                    raise where.fault(path, text, f"asks for partition.{name}", [f"partition.{one}" for one in _NAMES])
                if self.partitions is None:
                    problem = "needs partitions: {type: daily, start_date: 2024-01-01} in attributes"
                    raise where.fault(path, text, problem)

    @property
    def use_key(self) -> bool:
        """Whether a value is one partition's key, so that a run can cover no more than one."""
        return any("key" in _USED.findall(text) for _, text in _texts(self.written, ""))

    def for_parsing(self) -> dict[str, Any]:
        """The values of the first partition: dbt needs some to parse, and the models are the same for all."""
        if self.partitions is None:
            return self._resolve(None)
        window = self.partitions.get_next_partition_window(self.partitions.start, respect_bounds=False)
        if window is None:
            return self._resolve(None)
        return self._resolve(self._scope(window.start, window.end, window.start.strftime(self.partitions.fmt)))

    def for_run(self, context: dg.AssetExecutionContext) -> dict[str, Any]:
        """The values for the partition, or range of partitions, that a run builds."""
        if self.partitions is None:
            return self._resolve(None)
        window = context.partition_time_window
        return self._resolve(self._scope(window.start, window.end, context.partition_key_range.start))

    def _scope(self, start: datetime, end: datetime, key: str) -> PartitionScope:
        hourly = isinstance(self.partitions, dg.HourlyPartitionsDefinition)
        form = "%Y-%m-%dT%H:%M:%S" if hourly else "%Y-%m-%d"
        return PartitionScope(start.strftime(form), end.strftime(form), key)

    def _resolve(self, scope: PartitionScope | None) -> dict[str, Any]:
        context = self.context.with_scope(partition=scope) if scope else self.context
        return dict(context.resolve_value(dict(self.written)))


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{index}")
