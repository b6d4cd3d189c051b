"""The data of a training job: read, checked and split."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAKES_MISSING = {
    "gradient_boosting_classifier",
    "gradient_boosting_regressor",
    "xgboost_classifier",
    "xgboost_regressor",
}
_SHOWN = 20


class DataError(Exception):
    """Data that the model cannot be trained on; says what is wrong and what to change."""


@dataclass(frozen=True)
class Split:
    """Rows to train on and rows held out."""

    train: Any
    test: Any


def read(file: Path) -> Any:
    """A data frame from a Parquet or CSV file; decimals as fractions, as no estimator takes them."""
    import pandas as pd

    if file.suffix != ".parquet":
        return pd.read_csv(file)
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(file)
    plain = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in table.schema]
    return table.cast(pa.schema(plain)).to_pandas()


def check_columns(present: list[str], wanted: dict[str, list[str]]) -> None:
    """Raise DataError naming every column that is missing, and the attribute that asks for it."""
    for attribute, columns in wanted.items():
        if missing := [column for column in columns if column not in present]:
            raise DataError(
                f"{attribute}: the data has no column {', '.join(map(repr, missing))}; "
                f"it has: {', '.join(present[:_SHOWN])}{' …' if len(present) > _SHOWN else ''}"
            )


def check(data: Any, request: dict[str, Any]) -> None:
    """Raise DataError where the data cannot be trained on as the request says."""
    features, target = request["features"], request["target"]
    split, preprocessing = request["split"], request["preprocessing"]
    time_column = [split["time_column"]] if split.get("time_column") else []
    wanted = {"features": features, "target": [target], "split.time_column": time_column, "slices": request["slices"]}
    check_columns(list(data.columns), {**wanted, "split.by": split.get("by") or []})
    if data.empty:
        raise DataError("the data has no rows")
    if missing := int(data[target].isna().sum()):
        raise DataError(f"target: {missing:,} of {len(data):,} rows have no {target!r}; leave them out in data.sql")
    _check_target(data, request)
    for column in features:
        if not _is_number(data[column]) and column not in preprocessing["one_hot"]:
            raise DataError(
                f"features: {column!r} holds text such as {str(data[column].dropna().iloc[0])[:40]!r}; name it in "
                f"preprocessing.one_hot or leave it out"
                if data[column].notna().any()
                else f"features: {column!r} has no value in any row; leave it out"
            )
    if preprocessing["impute"] is None and request["algorithm"] not in TAKES_MISSING:
        numbers = [column for column in features if column not in preprocessing["one_hot"]]
        counts = {column: int(data[column].isna().sum()) for column in numbers}
        if gaps := {column: count for column, count in counts.items() if count}:
            told = ", ".join(f"{column} ({count:,})" for column, count in gaps.items())
            raise DataError(f"features: values are missing in {told}; set preprocessing.impute to median or mean")


def _check_target(data: Any, request: dict[str, Any]) -> None:
    target = request["target"]
    counts = data[target].value_counts()
    if request["task"] == "regression":
        if not _is_number(data[target]):
            raise DataError(f"target: {request['algorithm']} needs numbers, but {target!r} holds {data[target].dtype}")
        return
    if len(counts) == 1:
        raise DataError(
            f"target: every row has the same {target!r}, {shown(counts.index[0])}; there is nothing to learn"
        )
    if len(counts) > 1_000:
        raise DataError(
            f"target: {target!r} has {len(counts):,} different values; a classifier takes at most 1,000. "
            "Choose a regression algorithm"
        )
    if request["split"]["method"] == "stratified" and (rare := counts[counts < 2]).size:
        raise DataError(
            f"split.method: stratified needs two rows of each class; there is one row of {shown(rare.index[0])}. "
            "Use random"
        )


def shown(value: Any) -> str:
    """A value as the data has it, whatever library holds it."""
    return repr(value.item() if hasattr(value, "item") else value)


def _is_number(column: Any) -> bool:
    from pandas.api import types

    return types.is_numeric_dtype(column) or types.is_bool_dtype(column)


def split_rows(data: Any, request: dict[str, Any]) -> Split:
    """The rows to train on and those held out; the same for the same rows and seed, in whatever order they came.

    A row's own values say on which side it is, so that a later model is not judged on rows that an earlier one learned.
    """
    split = request["split"]
    size = split["test_size"]
    columns = split.get("by") or list(data.columns)
    places = _places(data[columns], request["seed"])
    order = places.argsort(kind="stable")
    ordered = data.iloc[order]
    if split["method"] == "time":
        ordered = ordered.sort_values(split["time_column"], kind="stable")
        cut = len(ordered) - max(1, round(len(ordered) * size))
        made = Split(ordered.iloc[:cut], ordered.iloc[cut:])
    else:
        held_out = _held_out(ordered, places[order], request)
        made = Split(ordered[~held_out], ordered[held_out])
    if made.train.empty:
        raise DataError(f"split: no rows of {len(data):,} are left to train on; lower split.test_size ({size})")
    if request["task"] == "classification":
        _check_classes(made, request["target"])
    return made


def _held_out(ordered: Any, places: Any, request: dict[str, Any]) -> Any:
    """Which of the ordered rows are held out: the first ones, of each class where the split is stratified."""
    import numpy as np

    split = request["split"]
    size, stratified = split["test_size"], split["method"] == "stratified"
    labels = ordered[request["target"]].to_numpy() if stratified else np.zeros(len(ordered))
    found = np.zeros(len(ordered), dtype=bool)
    for label in set(labels):
        rows = np.flatnonzero(labels == label)
        wanted = min(max(1, round(len(rows) * size)), len(rows) - 1) if stratified else math.ceil(len(rows) * size)
        first = rows[:wanted]
        if split.get("by") and wanted:  # rows of one key stay together
            first = rows[places[rows] <= places[first[-1]]]
        found[first] = True
    return found


def _places(keys: Any, seed: int) -> Any:
    """A number for each row, from its values and the seed alone; equal rows have equal numbers."""
    import numpy as np
    import pandas as pd

    plain = pd.DataFrame(index=keys.index)
    for name in keys.columns:
        column = keys[name]
        if _is_number(column):  # whole numbers become fractions as soon as one is missing
            plain[name] = column.astype("float64")
        else:
            plain[name] = column.astype(object).where(column.notna(), "").astype(str).astype(object)
    found = pd.util.hash_pandas_object(plain, index=False).to_numpy()
    with np.errstate(over="ignore"):
        mixed = (found ^ np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)) * np.uint64(0xBF58476D1CE4E5B9)
        return mixed ^ (mixed >> np.uint64(31))


def _check_classes(split: Split, target: str) -> None:
    seen = set(split.train[target])
    if len(seen) < 2:
        raise DataError(f"split: the rows to train on have one value of {target!r} only; choose another split")
    if unseen := sorted(set(split.test[target]) - seen, key=str):
        raise DataError(
            f"split: {target!r} {shown(unseen[0])} is in the held-out rows only; use split.method stratified"
        )
