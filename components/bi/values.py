"""Query results as JSON that a browser reads back exactly, and that cannot end the script it stands in."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Scalar = str | int | float | bool | None
_LARGEST_EXACT = 2**53
_DIGITS = 12


@dataclass(frozen=True)
class Dataset:
    """The rows of one query, its values already JSON scalars.

    Args:
        columns: Names, in the order of the query.
        kinds: Per column ``number``, ``boolean``, ``date``, ``datetime``, ``text``, or ``empty`` where all is null.
        rows: One list per row.
    """

    columns: list[str]
    kinds: dict[str, str]
    rows: list[list[Scalar]]

    def values(self, column: str) -> list[Scalar]:
        """The values of one column."""
        index = self.columns.index(column)
        return [row[index] for row in self.rows]

    def narrowed(self, columns: Iterable[str], *, sort: bool) -> "Dataset":
        """The same rows with only some columns; sorted by all of them where the order of the query does not matter."""
        wanted = set(columns)
        kept = [name for name in self.columns if name in wanted]
        indexes = [self.columns.index(name) for name in kept]
        rows = [[row[index] for index in indexes] for row in self.rows]
        if sort:
            rows.sort(key=lambda row: [(value is None, 0 if value is None else value) for value in row])
        return Dataset(kept, {name: self.kinds[name] for name in kept}, rows)


def to_dataset(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Dataset:
    """Turn rows of Python values into a Dataset.

    Null, NaN and infinity become null; decimals become numbers; dates and times become ISO 8601, times with a zone in
    UTC; anything else becomes text, as does a column of several kinds.
    """
    converted = [[_scalar(value) for value in row] for row in rows]
    kinds = {}
    for index, name in enumerate(columns):
        found = {row[index][0] for row in converted if row[index][1] is not None}
        kinds[name] = found.pop() if len(found) == 1 else "text" if found else "empty"
    return Dataset(
        list(columns),
        kinds,
        [
            [
                str(value) if kinds[name] == "text" and value is not None else value
                for name, (_, value) in zip(columns, row, strict=True)
            ]
            for row in converted
        ],
    )


def script_json(value: Any) -> str:
    """JSON that may stand inside an HTML script element whatever text it holds: it has no ``<``, ``>`` or ``&``."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _scalar(value: Any) -> tuple[str, Scalar]:
    """The kind and the JSON value of one cell."""
    if value is None or isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int):
        return ("number", value) if abs(value) <= _LARGEST_EXACT else ("text", str(value))
    if isinstance(value, float | Decimal):
        return "number", _number(float(value))
    if isinstance(value, datetime):
        return "datetime", (value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return "date", value.isoformat()
    return "text", value if isinstance(value, str) else str(value)


def _number(value: float) -> int | float | None:
    """A float with the digits that mean something: parallel sums differ in the last ones from run to run."""
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) <= _LARGEST_EXACT:
        return int(value)
    return float(f"{value:.{_DIGITS}g}")
