"""Times as APIs write them: read into UTC, and written as the bound of the next load."""

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any

from .format import RestSince, TimeFormat

DATA_TYPES: dict[TimeFormat, str] = {
    "iso": "timestamp",
    "rfc2822": "timestamp",
    "date": "date",
    "unix": "bigint",
    "unix_millis": "bigint",
}


def as_stored(value: Any, how: TimeFormat) -> Any:
    """A cursor as the warehouse keeps it: times in UTC, one without a zone being UTC; numbers as they are.

    Raises:
        ValueError: it is not written as it should be.
    """
    if how == "iso":
        return _utc(dt.datetime.fromisoformat(value))
    if how == "rfc2822":
        return _utc(parsedate_to_datetime(value))
    if how == "date":
        return dt.date.fromisoformat(value)
    return int(value)


def as_moment(stored: Any, how: TimeFormat) -> dt.datetime:
    """A moment in UTC, from what the warehouse keeps."""
    if how in ("unix", "unix_millis"):
        return dt.datetime.fromtimestamp(int(stored) / (1000 if how == "unix_millis" else 1), dt.UTC)
    if isinstance(stored, str):
        stored = dt.datetime.fromisoformat(stored)
    if not isinstance(stored, dt.datetime):
        stored = dt.datetime.combine(stored, dt.time())
    return _utc(stored)


def bound(since: RestSince, moment: dt.datetime, now: dt.datetime) -> str:
    """What the API is sent as the bound.

    Args:
        since: How it wants it.
        moment: How far the table is, in UTC; a time that is still to come counts as now, or the records until then
            would be passed over.
        now: The moment of the load, in UTC.
    """
    start = min(moment, now) - dt.timedelta(hours=since.overlap_hours)
    return since.value.replace("{since}", _written(start, since.format)).replace("{now}", _written(now, since.format))


def _written(moment: dt.datetime, how: str) -> str:
    match how:
        case "iso":
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "date":
            return moment.strftime("%Y-%m-%d")
        case "unix":
            return str(int(moment.timestamp()))
        case "unix_millis":
            return str(int(moment.timestamp() * 1000))
    return moment.strftime(how)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
