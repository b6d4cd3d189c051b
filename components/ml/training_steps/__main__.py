"""The training job: reads request.json and its data, writes the model and a report."""

import json
import sys
from pathlib import Path

from .fit import train
from .prepare import DataError

REQUEST, REPORT, MODEL, HELD_OUT = "request.json", "report.json", "model.skops", "held_out.parquet"
FAULT_EXIT_CODE = 3


def main() -> int:
    """Train as request.json says; 3 where the data does not allow it, with the reason in report.json."""
    request = json.loads(Path(REQUEST).read_text(encoding="utf-8"))
    try:
        if relation := request.get("relation"):  # a table of the workspace, which only this task reads
            _fetch(relation, request["columns"], Path(request["data"]))
        trained = train(request, Path(request["data"]))
    except DataError as fault:
        Path(REPORT).write_text(json.dumps({"fault": str(fault)}), encoding="utf-8")
        sys.stderr.write(f"{fault}\n")
        return FAULT_EXIT_CODE
    import skops.io

    skops.io.dump(trained.pipeline, MODEL)
    trained.held_out.to_parquet(HELD_OUT, index=False)
    Path(REPORT).write_text(json.dumps(trained.report), encoding="utf-8")
    return 0


def _fetch(relation: str, columns: list[str], file: Path) -> None:
    from ...warehouse.engines.base import WarehouseError
    from ..in_workspace import own_rows

    try:
        own_rows(relation).export(columns, file)
    except WarehouseError as error:
        raise DataError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
