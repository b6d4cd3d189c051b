"""What stands in for a vendor in target local: rows for the tables that it would load, files for what it would send."""

import logging
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from .running import Metadata


def load_rows(root: Path, folder: Path, specs: Sequence[dg.AssetSpec]) -> list[Metadata]:
    """Load the CSV file of each asset into the local warehouse, as the table of its key.

    Args:
        root: The project's folder.
        folder: The sample's folder, with SCHEMA/TABLE.csv.
        specs: The assets.

    Raises:
        Failure: a file is missing or unreadable; no table is changed then.
    """
    from ..warehouse import WarehouseResource
    from ..warehouse.engines.base import WarehouseError

    files = {spec.key: folder.joinpath(*spec.key.path).with_suffix(".csv") for spec in specs}
    if missing := [str(file) for file in files.values() if not file.is_file()]:
        raise dg.Failure(f"the sample has no {', '.join(missing)}", allow_retries=False)
    engine = WarehouseResource(production_engine="duckdb", project_root=str(root)).engine
    made: list[Metadata] = []
    try:
        queries = {key: f"SELECT * FROM read_csv('{_quoted(file)}', header = true)" for key, file in files.items()}  # noqa: S608
        for query in queries.values():
            engine.describe(query)
        for key, query in queries.items():
            engine.replace_table(key.path[-2], key.path[-1], query)
            rows = engine.query(f"SELECT count(*) FROM {engine.qualify(key.path[-2], key.path[-1])}").rows[0][0]  # noqa: S608
            made.append({"dagster/row_count": rows})
    except WarehouseError as error:
        raise dg.Failure(f"the sample does not load: {error}") from None
    return made


def write_rows_to_send(root: Path, spec: dg.AssetSpec, source: dg.AssetKey, log: logging.Logger) -> Metadata:
    """Write what a sync would send to ``data/activation/<vendor>_<name>.jsonl``, instead of sending it.

    Args:
        root: The project's folder.
        spec: The sync.
        source: The asset whose table it reads.
        log: The run's log.

    Raises:
        Failure: the warehouse refuses.
    """
    from ..activation.rows import write_rows
    from ..warehouse import WarehouseResource
    from ..warehouse.engines.base import WarehouseError

    engine = WarehouseResource(production_engine="duckdb", project_root=str(root)).engine
    try:
        if not engine.relation_type(source.path[-2], source.path[-1]):
            log.warning(f"{source.to_user_string()} is not in the local warehouse, so there is nothing to send")
            return {"dagster/row_count": 0}
        found = engine.query(f"SELECT * FROM {engine.qualify(source.path[-2], source.path[-1])} ORDER BY ALL")  # noqa: S608
    except WarehouseError as error:
        raise dg.Failure(f"{source.to_user_string()} cannot be read: {error}") from None
    file = root / "data" / "activation" / f"{'_'.join(spec.key.path)}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    write_rows(found, fresh, "jsonl", escape_formulas=False)
    fresh.replace(file)
    return {"dagster/row_count": len(found.rows), "path": dg.MetadataValue.path(str(file))}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
