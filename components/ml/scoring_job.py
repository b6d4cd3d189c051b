"""The scoring job: reads request.json and a table of the workspace, writes the predictions there, and reports."""

import json
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ..warehouse.engines.base import WarehouseError
from .in_workspace import OwnWarehouse, own_rows
from .loaded import Loaded, load_pipeline
from .predictions import put_into_table
from .scoring import score
from .training_steps.prepare import DataError

REQUEST, MODEL, REPORT = "request.json", "model.skops", "report.json"
FAULT_EXIT_CODE = 3


def main() -> int:
    """Score as request.json says; 3 where data or warehouse do not allow it, with the reason in report.json."""
    request = json.loads(Path(REQUEST).read_text(encoding="utf-8"))
    marks = {**request["marks"], "scored_at": datetime.fromisoformat(request["marks"]["scored_at"])}
    try:
        loaded = Loaded(pipeline=load_pipeline(Path(MODEL)), **request["model"])
        with TemporaryDirectory() as name:
            scored = score(
                own_rows(request["relation"]),
                loaded,
                kept=request["kept"],
                watched=request["watched"],
                marks=marks,
                chunk_rows=request["chunk_rows"],
                folder=Path(name),
            )
            put_into_table(OwnWarehouse(Path()), Path(name), request["schema"], request["table"], request["inside"])
    except (DataError, WarehouseError) as fault:
        Path(REPORT).write_text(json.dumps({"fault": str(fault)}), encoding="utf-8")
        sys.stderr.write(f"{fault}\n")
        return FAULT_EXIT_CODE
    Path(REPORT).write_text(json.dumps({"rows": scored.rows, "drift": scored.drift}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
