"""What the training data looked like, so that later data can be compared with it."""

from typing import Any

BINS = 10
CATEGORIES = 50


def profile(data: Any, features: list[str]) -> dict[str, Any]:
    """Shares of rows by value range or category, for each feature.

    A number has the edges of its deciles and the share of each range; text has its commonest values. Missing values
    have a share of their own.
    """
    from pandas.api import types

    made: dict[str, Any] = {}
    for feature in features:
        column = data[feature]
        missing = float(column.isna().mean())
        if types.is_numeric_dtype(column) and not types.is_bool_dtype(column):
            made[feature] = {"kind": "number", "missing": missing, **_ranges(column.dropna())}
        else:
            made[feature] = {"kind": "category", "missing": missing, "shares": _shares(column.dropna(), len(column))}
    return made


def _ranges(values: Any) -> dict[str, Any]:
    import numpy as np

    if values.empty:
        return {"edges": [], "counts": []}
    edges = np.unique(np.quantile(values.astype(float), np.linspace(0, 1, BINS + 1))[1:-1])
    counts = np.bincount(np.searchsorted(edges, values.astype(float), side="left"), minlength=len(edges) + 1)
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def _shares(values: Any, rows: int) -> dict[str, float]:
    counts = values.astype(str).value_counts().head(CATEGORIES)
    return {str(value): float(count) / rows for value, count in counts.items()}
