"""Scoring: rows are read and predicted in chunks, a Parquet file each, and drift is counted on the way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .drift import Drift
from .loaded import Loaded
from .rows import Rows


@dataclass(frozen=True)
class Scored:
    """What came of scoring: rows, and how far each feature moved."""

    rows: int
    drift: dict[str, float]


def score(
    rows: Rows,
    loaded: Loaded,
    *,
    kept: list[str],
    watched: list[str],
    marks: dict[str, Any],
    chunk_rows: int,
    folder: Path,
) -> Scored:
    """Predict rows into the files of a folder.

    Args:
        rows: What is scored.
        loaded: The model.
        kept: Columns that say which row a prediction is for.
        watched: Features whose drift is counted.
        marks: Columns that say what made the predictions.
        chunk_rows: Rows that are in memory at a time.
        folder: Gets a Parquet file a chunk, and one without rows where there is none.
    """
    drift = Drift({name: loaded.profile[name] for name in watched})
    columns = list(dict.fromkeys([*kept, *loaded.features]))
    count, number = 0, 0
    for number, frame in enumerate(rows.chunks(columns, chunk_rows), start=1):
        _predicted(frame, kept, loaded, marks).to_parquet(folder / f"{number:06}.parquet", index=False)
        drift.add(loaded.prepared(frame))
        count += len(frame)
    if number == 0:  # an empty table has its columns too
        _write_empty(kept, loaded, marks, folder)
    return Scored(count, drift.indexes())


def _predicted(frame: Any, kept: list[str], loaded: Loaded, marks: dict[str, Any]) -> Any:
    made = frame[kept].copy()
    made["prediction"] = loaded.predict(frame)
    if loaded.task == "classification":
        made["probability"] = loaded.shares(frame).max(axis=1)
    return made.assign(**marks)


def _write_empty(kept: list[str], loaded: Loaded, marks: dict[str, Any], folder: Path) -> None:
    import pandas as pd

    made = {name: pd.Series(dtype="object") for name in kept}
    made["prediction"] = pd.Series(dtype="float64" if loaded.task == "regression" else "object")
    pd.DataFrame(made).assign(**marks).to_parquet(folder / "000000.parquet", index=False)
