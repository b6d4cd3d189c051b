"""dlt's column types as DuckDB spells them, and back."""

import re
from typing import Any

DUCKDB_TYPES = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "decimal": "DECIMAL(38,9)",
    "wei": "DECIMAL(38,0)",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMPTZ",
    "json": "JSON",
    "binary": "BLOB",
}

_DLT_TYPES = {
    r"(TINY|SMALL|BIG)?INT(EGER)?|U(TINY|SMALL)INT|UINTEGER": "bigint",
    r"FLOAT|DOUBLE": "double",
    r"BOOLEAN": "bool",
    r"DATE": "date",
    r"TIME": "time",
    r"TIMESTAMP( WITH TIME ZONE|_S|_MS|_NS)?": "timestamp",
    r"BLOB": "binary",
    r"U?(BIG|HUGE)INT": "wei",
    r"JSON|STRUCT.*|MAP.*|UNION.*|.*\[\d*\]": "json",
}


def dlt_column(duckdb_type: str) -> dict[str, Any]:
    """The dlt column hints for a type that DuckDB found in a file."""
    if sized := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duckdb_type):
        return {"data_type": "decimal", "precision": int(sized[1]), "scale": int(sized[2])}
    for pattern, data_type in _DLT_TYPES.items():
        if re.fullmatch(pattern, duckdb_type):
            without_zone = data_type == "timestamp" and "WITH TIME ZONE" not in duckdb_type
            return {"data_type": data_type, "timezone": False} if without_zone else {"data_type": data_type}
    return {"data_type": "text"}


def duckdb_type(column: dict[str, Any]) -> str:
    """The DuckDB type that holds a dlt column's values."""
    data_type = column["data_type"]
    if data_type == "decimal" and column.get("precision"):
        return f"DECIMAL({column['precision']},{column.get('scale') or 0})"
    if data_type == "timestamp" and column.get("timezone") is False:
        return "TIMESTAMP"
    return DUCKDB_TYPES[data_type]
