"""Many records in the shape of a connector's sample."""

import datetime as dt
from copy import deepcopy
from typing import Any

from components.ingestion.rest.catalogue import packaged_connector, sample_file, sample_records
from components.ingestion.rest.format import RestResource

FIRST = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
STEP = dt.timedelta(days=1)


def many(
    name: str, resource: RestResource, count: int, start: int = 0
) -> tuple[list[dict[str, Any]], list[dt.datetime]]:
    """Records with keys of their own and times that grow, as the API answers them, and the times."""
    shapes = sample_records(sample_file(name))[resource.name]
    records, times = [], []
    for number in range(start, start + count):
        record = deepcopy(shapes[number % len(shapes)])
        moment = FIRST + number * STEP
        if resource.reshape:
            record["dimensionValues"][0]["value"] = f"{moment:%Y%m%d}"
        else:
            for key in resource.primary_key:
                if key != resource.cursor:
                    _set(record, key, resource, lambda old, number=number: _other(old, number))
            if resource.cursor:
                _set(record, resource.cursor, resource, lambda old, moment=moment: _as(moment, old, resource))
        records.append(record)
        times.append(moment)
    return records, times


def _other(old: Any, number: int) -> Any:
    return 1_000_000 + number if isinstance(old, int) else f"{old}{number:05}"


def _as(moment: dt.datetime, old: Any, resource: RestResource) -> Any:
    match resource.cursor_format:
        case "unix":
            return int(moment.timestamp())
        case "unix_millis":
            return int(moment.timestamp() * 1000)
        case "date":
            return f"{moment:%Y-%m-%d}"
        case "rfc2822":
            return f"{moment:%a, %d %b %Y %H:%M:%S} +0000"
    text = str(old)  # as the vendor writes it: with or without zone, T and parts of seconds
    zone = "Z" if text.endswith("Z") else text[-6:] if text[-6:-5] in "+-" else text[-5:] if text[-5:-4] in "+-" else ""
    local = moment.astimezone(dt.datetime.fromisoformat(f"2024-01-01T00:00:00{zone or 'Z'}").tzinfo)
    parts = ".000" if "." in text else ""
    return f"{local:%Y-%m-%d}{text[10]}{local:%H:%M:%S}{parts}{zone}"


def _set(record: dict[str, Any], column: str, resource: RestResource, change: Any) -> None:
    """Change what becomes a column, wherever it stands before objects are laid flat."""
    for outer in resource.unnest:
        if column.startswith(f"{outer}_"):
            record, column = record[outer], column.removeprefix(f"{outer}_")
            break
    record[column] = change(record[column])


def expected_keys(name: str) -> dict[str, list[str]]:
    """The primary keys of a connector by resource."""
    return {resource.name: list(resource.primary_key) for resource in packaged_connector(name).resources}
