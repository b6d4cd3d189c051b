"""When things run: cron expressions and time zones, checked by JSON schema and in words."""

from difflib import get_close_matches
from functools import cache
from typing import Annotated

import dagster as dg

from .formats import Format

CRON_EXPECTED = (
    "minute (0-59), hour (0-23), day of month (1-31), month (1-12) and day of week (0-7, 0 and 7 are Sunday), "
    "for instance '0 6 * * 1-5', or @hourly, @daily, @weekly, @monthly, @yearly"
)
TIMEZONE_EXPECTED = "a name such as Europe/Berlin or UTC"
_ALIASES = ("hourly", "daily", "midnight", "weekly", "monthly", "yearly", "annually")
_HASH = r"\x23"  # the sign itself would open a comment of the template's


def _cron_mistake(text: str) -> str | None:
    from dagster._utils.schedules import is_valid_cron_schedule

    return None if is_valid_cron_schedule(text) else f"is not valid; expected {CRON_EXPECTED}"


def _timezone_mistake(name: str) -> str | None:
    if name in _timezones():
        return None
    by_city = {zone.rsplit("/", 1)[-1].lower(): zone for zone in sorted(_timezones())}
    asked = name.rsplit("/", 1)[-1].replace(" ", "_").lower()
    near = [by_city[city] for city in get_close_matches(asked, by_city, n=3)]
    return f"is not valid; {'did you mean ' + ' or '.join(near) + '?' if near else 'expected ' + TIMEZONE_EXPECTED}"


@cache
def _timezones() -> frozenset[str]:
    from zoneinfo import available_timezones

    return frozenset(available_timezones())


@cache
def _cron_pattern() -> str:
    """A regular expression of the cron expressions that Dagster takes; of a date, only 30 February gets past it."""
    fields = [
        _field(range(60)),
        _field(range(24)),
        _field(range(1, 32), extra="[?lL]"),
        _field(range(1, 13), "jan feb mar apr may jun jul aug sep oct nov dec"),
        _field(range(8), "sun mon tue wed thu fri sat", extra=r"\?|[lL][0-7]", ending=rf"({_HASH}[1-5])?"),
    ]
    aliases = [_any_case(f"@{name}") for name in _ALIASES]
    return r"^\s*(" + "|".join([*aliases, r"\s+".join(fields)]) + r")\s*$"


def _field(numbers: range, names: str = "", *, extra: str = "", ending: str = "") -> str:
    """One field: values, ranges, steps and lists of them."""
    choices = [f"0*{number}" for number in numbers] + [_any_case(name) for name in names.split()]
    value = f"({'|'.join(choices)}){ending}"
    alternatives = "|".join(filter(None, [rf"(\*|{value}(-{value})?)(/0*[1-9]\d*)?", extra]))
    return f"({alternatives})(,({alternatives}))*"


def _any_case(name: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in name)


FORMATS = {
    "cron": Format(lambda: {"pattern": _cron_pattern()}, CRON_EXPECTED, _cron_mistake),
    "time-zone": Format(lambda: {"enum": sorted(_timezones())}, TIMEZONE_EXPECTED, _timezone_mistake),
}

Cron = Annotated[
    str,
    dg.Resolver.default(
        description="When it runs: minute, hour, day of month, month, day of week; or @daily and its like.",
        examples=["0 6 * * *", "*/15 8-18 * * mon-fri"],
        json_schema_extra={"format": "cron"},
    ),
]
Timezone = Annotated[
    str,
    dg.Resolver.default(
        description="IANA time zone of the times given.",
        examples=["Europe/Berlin", "America/New_York"],
        json_schema_extra={"format": "time-zone"},
    ),
]
