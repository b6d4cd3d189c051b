"""A table kept by a query, written on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dagster as dg

from ...governance.policy_compute import ComputeSize
from ...warehouse.lakehouse import Lakehouse, TableName
from .engine_way import LocalEngine
from .session import lakehouse_session
from .spark_way import merge_statement
from .store import DeltaStore, SchemaChanges


class TableMistakeError(Exception):
    """A query or attributes that cannot make the table; trying again does not help."""


@dataclass(frozen=True)
class LakehouseTable:
    """A table and how its rows come.

    Args:
        name: The table.
        text: The query, or the text of the Python file.
        python: The Python file, or None for a query.
        keys: Columns of a merge.
        description: Comment of the table.
        columns: Comments of columns.
    """

    name: TableName
    text: str
    python: Path | None
    mode: Literal["replace", "append", "merge", "overwrite_partitions"]
    keys: tuple[str, ...]
    partition_by: tuple[str, ...]
    schema_changes: SchemaChanges
    description: str
    columns: Mapping[str, str]
    properties: Mapping[str, str]
    format: Literal["delta", "iceberg"] = "delta"

    def check_columns(self, found: list[str]) -> None:
        """Raise TableMistakeError where the YAML names columns that the query does not have."""
        for attribute in ("keys", "partition_by", "columns"):
            if missing := [name for name in getattr(self, attribute) if name not in found]:
                said = "merge_keys" if attribute == "keys" else attribute
                raise TableMistakeError(f"{said}: no column {', '.join(missing)}; the query has: {', '.join(found)}")

    def merge(self, source: str) -> str:
        """The statement that merges the rows of ``source``."""
        return merge_statement(self.name, source, self.keys, self.schema_changes == "evolve")

    def parts(self, values: list[tuple[Any, ...]]) -> str:
        """The SQL condition of the partitions that a query has rows of.

        Args:
            values: Distinct values of ``partition_by``.
        """
        from sqlglot import exp

        def one(column: str, value: Any) -> str:
            return f"`{column}` IS NULL" if value is None else f"`{column}` = {exp.convert(value).sql('databricks')}"

        either = [
            "(" + " AND ".join(one(*pair) for pair in zip(self.partition_by, row, strict=True)) + ")" for row in values
        ]
        return " OR ".join(either) or "false"


def write_here(
    context: dg.AssetExecutionContext,
    table: LakehouseTable,
    lakehouse: Lakehouse,
    engine: LocalEngine,
    size: ComputeSize | None,
    remote_env: str,
) -> dg.MaterializeResult:
    """Write a table below the project, and say what came of it.

    Args:
        context: The step.
        table: The table.
        lakehouse: The folders.
        engine: Spark's engine.
        size: Approved size, or None.
        remote_env: Variable with the address of a server, for the engine ``connect``.

    Raises:
        TableMistakeError: the query cannot make the table.
        SchemaChangedError: the columns changed, and that is refused.
        SessionError: the engine is not there.
    """
    with lakehouse_session(
        lakehouse,
        table.name.catalog,
        table.name.schema,
        engine=engine,
        threads=size.threads if size else 2,
        memory_gb=size.memory_gb if size else 2,
        remote_env=remote_env,
    ) as spark:
        try:
            rows = _rows(spark, table)
            table.check_columns(rows.columns)
        except TableMistakeError:
            raise
        except Exception as error:
            raise TableMistakeError(f"{type(error).__name__}: {' '.join(str(error).split())[:600]}") from None
        if table.format == "iceberg":
            from .iceberg import write_iceberg

            metadata = write_iceberg(lakehouse, table, rows)
        else:
            metadata = _write_delta(DeltaStore(spark, lakehouse), table, rows)
    context.log.info(f"{table.name}: {metadata['dagster/row_count']:,} rows")
    return dg.MaterializeResult(
        metadata={**metadata, "mode": table.mode, "engine": f"Spark on this machine ({engine})"}
    )


def _rows(spark: Any, table: LakehouseTable) -> Any:
    if table.python is None:
        return spark.sql(table.text)
    scope: dict[str, Any] = {"__name__": table.python.stem, "__file__": str(table.python), "spark": spark}
    exec(compile(table.text, str(table.python), "exec"), scope)  # noqa: S102 - the user's own file
    if not callable(scope.get("rows")):
        raise TableMistakeError("expected a function rows(spark) that gives a DataFrame")
    return scope["rows"](spark)


def _write_delta(store: DeltaStore, table: LakehouseTable, rows: Any) -> dict[str, Any]:
    name, how = table.name, {"partition_by": table.partition_by, "schema_changes": table.schema_changes}
    is_new = not store.lakehouse.has(name)
    if table.mode == "append":
        changes = store.append(name, rows, **how)  # type: ignore[arg-type]  # two kinds of value
    elif table.mode == "merge" and not is_new:
        _one_row_a_key(table, rows)
        changes = store.merge(name, rows, table.keys, table.schema_changes)
    elif table.mode == "overwrite_partitions" and not is_new:
        values = [tuple(row) for row in rows.select(*table.partition_by).distinct().collect()]
        changes = store.replace(name, rows, inside=table.parts(values), **how)  # type: ignore[arg-type]
    else:
        if table.mode == "merge":
            _one_row_a_key(table, rows)
        changes = store.replace(name, rows, **how)  # type: ignore[arg-type]
    store.describe(name, table.description, table.columns, table.properties)
    columns = [
        dg.TableColumn(column, kind, description=table.columns.get(column))
        for column, kind in store.schema(name).items()
    ]
    return {
        "dagster/row_count": store.rows(name),
        "dagster/column_schema": dg.TableSchema(columns),
        "version": store.version(name) or 0,
        "path": str(store.lakehouse.folder(name)),
        **({"schema_changes": "; ".join(changes)} if changes else {}),
    }


def _one_row_a_key(table: LakehouseTable, rows: Any) -> None:
    repeated = rows.groupBy(*table.keys).count().where("count > 1").count()
    if repeated:
        raise TableMistakeError(
            f"{repeated:,} values of {', '.join(table.keys)} have several rows; merge_keys tells one row"
        )
