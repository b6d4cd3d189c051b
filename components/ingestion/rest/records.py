"""Records between the API and the warehouse: checked, laid flat where the connector says so, each key once."""

import re
from collections.abc import Callable
from typing import Any

from ..files import SourceError
from .format import RestResource
from .times import DATA_TYPES, as_stored

Record = dict[str, Any]


def preparer(resource: RestResource) -> Callable[[Record], Record]:
    """What makes a record ready to load.

    The function raises SourceError where a record is no object, a key has no value, or a cursor is no time.
    """
    place, keys, cursor, how = (
        f"resource {resource.name!r}",
        resource.primary_key,
        resource.cursor,
        resource.cursor_format,
    )
    unnest = resource.unnest
    reshape = _RESHAPES[resource.reshape](resource) if resource.reshape else None

    def prepared(record: Record) -> Record:
        if type(record) is not dict:
            raise SourceError(f"{place}: expected objects, and the API answers {_shown(record)}.")
        if reshape:
            record = reshape(record)
        for name in unnest:
            inner = record.pop(name, None)
            if isinstance(inner, dict):
                record.update({f"{name}_{key}": value for key, value in inner.items()})
        for key in keys:
            if record.get(key) is None:
                raise SourceError(f"{place}: a record has no {key!r}, which is its primary_key: {_shown(record)}.")
        if cursor and (value := record.get(cursor)) is not None:
            try:
                record[cursor] = as_stored(value, how)
            except (TypeError, ValueError, OverflowError):
                raise SourceError(f"{place}: {cursor} has {_shown(value)}, which is not written as {how}.") from None
        return {key: value for key, value in record.items() if value is not None}  # what dlt would warn of

    return prepared


def column_hints(resource: RestResource) -> dict[str, dict[str, Any]]:
    """dlt's hints for the columns whose type is known beforehand."""
    columns: dict[str, dict[str, Any]] = {name: {"data_type": kind} for name, kind in resource.columns.items()}
    if resource.cursor:
        hints: dict[str, Any] = {"data_type": DATA_TYPES[resource.cursor_format]}
        if resource.write_disposition == "merge":
            hints["dedup_sort"] = "desc"
        columns[resource.cursor] = hints
    return columns


def once_each(resource: RestResource) -> Callable[[Record], bool]:
    """Whether a record is there for the first time: pages shift while they are read, and replace takes every row."""
    keys, seen = resource.primary_key, set[int]()

    def is_new(record: Record) -> bool:
        sign = hash(tuple(str(record[key]) for key in keys))
        known = sign in seen
        seen.add(sign)
        return not known

    return is_new


def not_before(resource: RestResource, stored: Any) -> Callable[[Record], bool]:
    """Whether a record is not older than the table, for an API that cannot be asked so."""
    cursor = resource.cursor or ""

    def is_new(record: Record) -> bool:
        value = record.get(cursor)
        return value is None or bool(value >= stored)

    return is_new


def _report_rows(resource: RestResource) -> Callable[[Record], Record]:
    """Rows of Google Analytics: values without names, in the order in which they were asked for."""
    dimensions = [_column(part["name"]) for part in resource.body.get("dimensions", [])]
    metrics = [_column(part["name"]) for part in resource.body.get("metrics", [])]

    def named(row: Record) -> Record:
        texts = [part["value"] for part in row.get("dimensionValues", [])]
        numbers = [_number(part["value"]) for part in row.get("metricValues", [])]
        if (len(texts), len(numbers)) != (len(dimensions), len(metrics)):
            raise SourceError(
                f"resource {resource.name!r}: a row has other columns than were asked for: {_shown(row)}."
            )
        record: Record = dict(zip(dimensions + metrics, texts + numbers, strict=True))
        if re.fullmatch(r"\d{8}", day := str(record.get("date", ""))):
            record["date"] = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        return record

    return named


def _column(name: str) -> str:
    """A name in small letters with underscores, as it will stand in the warehouse."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


_RESHAPES: dict[str, Callable[[RestResource], Callable[[Record], Record]]] = {"report_rows": _report_rows}
