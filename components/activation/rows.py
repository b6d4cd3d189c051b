"""Rows as CSV, JSON Lines and Parquet files, and back."""

import csv
import datetime as dt
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from ..warehouse.engines.base import QueryResult

ExportFormat = Literal["csv", "jsonl", "parquet"]
FORMATS: dict[str, ExportFormat] = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}

# Spreadsheets run a cell that starts with one of these.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_rows(result: QueryResult, file: Path, file_format: ExportFormat, *, escape_formulas: bool) -> None:
    """Write a result.

    Args:
        result: Columns and rows.
        file: File to write; its folder exists.
        file_format: Format of the file.
        escape_formulas: In CSV, put an apostrophe before text that a spreadsheet would run.
    """
    if file_format == "csv":
        with file.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\r\n")  # any other leaves a lone \\r of a value unquoted
            writer.writerow([_cell(name, escape_formulas) for name in result.columns])
            writer.writerows([_cell(value, escape_formulas) for value in row] for row in result.rows)
    elif file_format == "jsonl":
        _write_jsonl(result, file)
    else:
        _write_parquet(result, file)


def read_rows(file: Path, file_format: ExportFormat) -> QueryResult:
    """Read back what ``write_rows`` wrote; CSV values come as text."""
    if file_format == "csv":
        with file.open(encoding="utf-8", newline="") as source:
            header, *rows = list(csv.reader(source)) or [[]]
        return QueryResult(header, [tuple(row) for row in rows])
    if file_format == "jsonl":
        objects = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        columns = list(objects[0]) if objects else []
        return QueryResult(columns, [tuple(entry[name] for name in columns) for entry in objects])
    import duckdb

    with duckdb.connect() as connection:
        cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(file)])
        return QueryResult([column[0] for column in cursor.description or []], cursor.fetchall())


def _cell(value: Any, escape_formulas: bool) -> Any:
    if isinstance(value, str):
        return f"'{value}" if escape_formulas and value.startswith(_FORMULA_STARTS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, default=_json_value) if isinstance(value, (dict, list)) else _json_value(value, exact=True)


def _json_value(value: Any, *, exact: bool = False) -> Any:
    """A value as JSON has it; ``exact`` keeps decimals as they are."""
    if isinstance(value, Decimal):
        return value if exact else float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return value if value is None or isinstance(value, (int, float, str, bool, dict, list)) else str(value)


def _write_jsonl(result: QueryResult, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as target:
        for row in result.rows:
            entry = {name: _json_value(value) for name, value in zip(result.columns, row, strict=True)}
            target.write(json.dumps(entry, ensure_ascii=False, default=_json_value) + "\n")


def _write_parquet(result: QueryResult, file: Path) -> None:
    import duckdb

    lines = file.with_name(f"{file.name}.jsonl")
    types = {name: _parquet_type([row[place] for row in result.rows]) for place, name in enumerate(result.columns)}
    columns = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in types.items())
    try:
        _write_jsonl(result, lines)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
            rows = f"read_json({_text(lines)}, format = 'newline_delimited', columns = {{{columns}}})"
            connection.execute(f"COPY (SELECT * FROM {rows}) TO {_text(file)} (FORMAT parquet)")  # noqa: S608
    finally:
        lines.unlink(missing_ok=True)


def _parquet_type(values: Sequence[Any]) -> str:
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {Decimal}:
        scale = max(max(0, -int(value.as_tuple().exponent)) for value in present)
        return f"DECIMAL(38,{scale})"
    if kinds == {dt.datetime}:
        return "TIMESTAMPTZ" if present[0].tzinfo else "TIMESTAMP"
    known = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", dt.date: "DATE", dt.time: "TIME"}
    if kinds == {int, float}:
        return "DOUBLE"
    return known.get(kinds.pop(), "VARCHAR") if len(kinds) == 1 else "VARCHAR"


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
