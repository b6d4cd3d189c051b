"""Predictions on their way: a Parquet file for each chunk, then all of them at once where they belong."""

from pathlib import Path
from typing import Any

from .rows import literal

_INSERTED_ROWS = 500


def put_into_file(folder: Path, target: Path) -> None:
    """Make one Parquet file of the chunks in a folder; readers see the old file until the new one is whole."""
    import duckdb

    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.made")
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY ({_chunks(folder)}) TO {_text(made)} (FORMAT parquet)")
    made.replace(target)


def put_into_table(engine: Any, folder: Path, schema: str, table: str, inside: str | None) -> None:
    """Make a warehouse table of the chunks in a folder, or the part of it for which ``inside`` holds.

    Args:
        engine: The warehouse.
        folder: Folder with the chunks.
        schema: Schema of the table.
        table: Name of the table.
        inside: SQL condition of the rows that are replaced; None replaces the table.
    """
    if engine.name == "duckdb":
        _replace(engine, _chunks(folder), schema, table, inside)
        return
    incoming = engine.qualify(schema, f"{table[:50]}__incoming")
    try:
        _load(engine, folder, schema, incoming)
        _replace(engine, f"SELECT * FROM {incoming}", schema, table, inside)  # noqa: S608 - quoted
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {incoming}")


def _replace(engine: Any, select: str, schema: str, table: str, inside: str | None) -> None:
    if inside is None:
        engine.replace_table(schema, table, select)
    else:
        engine.replace_rows(schema, table, select, inside)


def _load(engine: Any, folder: Path, schema: str, relation: str) -> None:
    """Load the chunks by INSERT, which every engine understands."""
    import pyarrow as pa
    from pyarrow import parquet

    files = sorted(folder.glob("*.parquet"))
    fields = pa.unify_schemas([parquet.read_schema(file) for file in files], promote_options="permissive")
    columns = ", ".join(f"{engine.quote(field.name)} {_sql_type(field.type)}" for field in fields)
    drop, create = f"DROP TABLE IF EXISTS {relation}", f"CREATE TABLE {relation} ({columns})"
    engine.execute(engine.create_schema(schema), drop, create)
    for file in files:
        with engine.connect() as cursor:
            for batch in parquet.ParquetFile(file).iter_batches(_INSERTED_ROWS):
                rows = ", ".join(f"({', '.join(map(_value, row.values()))})" for row in batch.to_pylist())
                cursor.execute(f"INSERT INTO {relation} VALUES {rows}")  # noqa: S608 - values are literals


def _sql_type(kind: Any) -> str:
    import pyarrow as pa

    tests = {
        "BOOLEAN": pa.types.is_boolean,
        "BIGINT": pa.types.is_integer,
        "DOUBLE PRECISION": lambda made: pa.types.is_floating(made) or pa.types.is_decimal(made),
        "TIMESTAMP": pa.types.is_timestamp,
        "DATE": pa.types.is_date,
    }
    return next((name for name, fits in tests.items() if fits(kind)), "VARCHAR")


def _value(value: Any) -> str:
    if value is None or value != value:  # NaN is not itself
        return "NULL"
    if isinstance(value, bool | int | float):
        return literal(value)
    return literal(str(value))


def _chunks(folder: Path) -> str:
    return f"SELECT * FROM read_parquet({_text(folder)[:-1]}/*.parquet', union_by_name = true)"  # noqa: S608


def _text(path: Path) -> str:
    return literal(path.as_posix())
