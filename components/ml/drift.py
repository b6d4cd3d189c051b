"""How far data has moved from what a model was trained on."""

import math
from typing import Any

_LEAST_SHARE = 1e-4


class Drift:
    """The population stability index (PSI) of each feature, counted chunk by chunk.

    Below 0.1 nothing has changed much, above 0.2 a feature is worth a look.

    Args:
        profile: The training data, as the training described it.
    """

    def __init__(self, profile: dict[str, Any]) -> None:
        self._profile = profile
        self._rows = 0
        self._missing = dict.fromkeys(profile, 0)
        self._ranges: dict[str, Any] = {}
        self._values: dict[str, dict[str, int]] = {name: {} for name in profile}

    def add(self, frame: Any) -> None:
        """Count the rows of a chunk."""
        import numpy as np

        self._rows += len(frame)
        for name, known in self._profile.items():
            column = frame[name]
            self._missing[name] += int(column.isna().sum())
            present = column.dropna()
            if known["kind"] == "number":
                places = np.searchsorted(known["edges"], present.astype(float), side="left")
                counts = np.bincount(places, minlength=len(known["edges"]) + 1)
                self._ranges[name] = self._ranges.get(name, 0) + counts
            else:
                for value, count in present.astype(str).value_counts().items():
                    kept = value if value in known["shares"] else ""
                    self._values[name][kept] = self._values[name].get(kept, 0) + int(count)

    @property
    def rows(self) -> int:
        """Rows that were counted."""
        return self._rows

    def indexes(self) -> dict[str, float]:
        """The PSI of each feature, the largest first; empty without rows."""
        if not self._rows:
            return {}
        found = {name: self._index(name, known) for name, known in self._profile.items()}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def _index(self, name: str, known: dict[str, Any]) -> float:
        before, now = [known["missing"]], [self._missing[name] / self._rows]
        if known["kind"] == "number":
            seen = sum(known["counts"]) or 1
            before += [count / seen * (1 - known["missing"]) for count in known["counts"]]
            now += [int(count) / self._rows for count in self._ranges.get(name, [])] or [0.0] * len(known["counts"])
        else:
            before += [*known["shares"].values(), max(0.0, 1 - known["missing"] - sum(known["shares"].values()))]
            counts = self._values[name]
            now += [counts.get(value, 0) / self._rows for value in [*known["shares"], ""]]
        return sum(_part(expected, actual) for expected, actual in zip(before, now, strict=True))


def _part(expected: float, actual: float) -> float:
    expected, actual = max(expected, _LEAST_SHARE), max(actual, _LEAST_SHARE)
    return (actual - expected) * math.log(actual / expected)
