"""Rows of answers in which every two answers meet, and few rows in which every answer occurs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]
Part = tuple[str, Any]


def pairwise(factors: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Rows in which every two values of different factors meet at least once, built greedily and always the same."""
    missing = dict.fromkeys(_pairs(factors))
    rows = []
    while missing:
        row: Row = dict(next(iter(missing)))
        for name in factors:
            if name not in row:
                row[name] = max(factors[name], key=lambda value, name=name: _met(row, (name, value), missing))
        ordered = [(name, row[name]) for name in factors]
        for pair in combinations(ordered, 2):
            missing.pop(pair, None)
        rows.append({name: row[name] for name in factors})
    return rows


def covering(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Some of the rows, in which every value of the named factors occurs that occurs in any."""
    missing = {(name, row[name]) for row in rows for name in names}
    chosen = []
    while missing:
        best = max(rows, key=lambda row: sum((name, row[name]) in missing for name in names))
        missing -= {(name, best[name]) for name in names}
        chosen.append(best)
    return chosen


def _pairs(factors: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Part, Part]]:
    for one, other in combinations(factors, 2):
        for value, second in product(factors[one], factors[other]):
            yield (one, value), (other, second)


def _met(row: Row, part: Part, missing: Mapping[tuple[Part, Part], None]) -> int:
    """How many pairs that are still missing a value would make with the row so far."""
    return sum((part, other) in missing or (other, part) in missing for other in row.items())
