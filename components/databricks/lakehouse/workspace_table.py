"""A table kept by a query, written in the workspace by its SQL warehouse."""

from pathlib import Path
from typing import Any

import dagster as dg

from ...warehouse.engines import production_engine
from .store import SchemaChangedError
from .table import LakehouseTable, TableMistakeError


def write_there(context: dg.AssetExecutionContext, table: LakehouseTable, project_root: Path) -> dg.MaterializeResult:
    """Write a table in the workspace, and say what came of it.

    Args:
        context: The step.
        table: The table.
        project_root: Root of the project.

    Raises:
        TableMistakeError: the table is made by Python, or the query cannot make it.
        SchemaChangedError: the columns changed, and that is refused.
        WarehouseError: the workspace refuses, or cannot be reached.
    """
    if table.python is not None:
        raise TableMistakeError(
            "python_file runs on this machine only; in the workspace, make the table with a pipeline or a notebook"
        )
    engine: Any = production_engine("databricks", project_root)
    query = engine.one_query(table.text)
    found = [column.name for column in engine.describe(query)]
    table.check_columns(found)
    known = [name for name, *_ in _columns(engine, table)]
    changes = _changes(known, found)
    if changes and table.schema_changes == "refuse":
        raise SchemaChangedError(f"{table.name}: the columns changed: {'; '.join(changes)}")
    engine.execute(f"CREATE SCHEMA IF NOT EXISTS `{table.name.catalog}`.`{table.name.schema}`")
    engine.execute(*_statements(engine, table, query, is_new=not known, added=[n for n in found if n not in known]))
    engine.execute(*_comments(table))
    rows = engine.query(f"SELECT count(*) AS n FROM {table.name.quoted}").rows[0][0]  # noqa: S608 - quoted
    context.log.info(f"{table.name}: {rows:,} rows")
    history = engine.query(f"DESCRIBE HISTORY {table.name.quoted}")
    columns = [
        dg.TableColumn(name, kind, description=table.columns.get(name)) for name, kind in _columns(engine, table)
    ]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "dagster/column_schema": dg.TableSchema(columns),
            "version": dict(zip(history.columns, history.rows[0], strict=True)).get("version", 0)
            if history.rows
            else 0,
            "mode": table.mode,
            "engine": "Databricks SQL",
            **({"schema_changes": "; ".join(changes)} if changes else {}),
        }
    )


def _statements(engine: Any, table: LakehouseTable, query: str, *, is_new: bool, added: list[str]) -> list[str]:
    """The statements of the mode; each is atomic, and the last one brings the rows."""
    target, using = table.name.quoted, f"USING {table.format}"
    parted = f" PARTITIONED BY ({', '.join(f'`{name}`' for name in table.partition_by)})" if table.partition_by else ""
    if is_new or table.mode == "replace":
        return [f"CREATE OR REPLACE TABLE {target} {using}{parted} AS {query}"]
    if table.mode == "merge":
        return [table.merge(f"({query})")]
    kinds = {row[0]: row[1] for row in engine.query(f"DESCRIBE QUERY {query}").rows} if added else {}
    grown = [f"ALTER TABLE {target} ADD COLUMNS (`{name}` {kinds.get(name, 'STRING')})" for name in added]
    if table.mode == "append":
        return [*grown, f"INSERT INTO {target} BY NAME {query}"]
    named = ", ".join(f"`{name}`" for name in table.partition_by)
    values = engine.query(f"SELECT DISTINCT {named} FROM ({query}) AS query").rows  # noqa: S608 - quoted
    return [*grown, f"INSERT INTO {target} REPLACE WHERE {table.parts(values)} {query}"]


def _comments(table: LakehouseTable) -> list[str]:
    target = table.name.quoted
    made = [f"COMMENT ON TABLE {target} IS {_text(table.description)}"] if table.description else []
    if table.properties:
        pairs = ", ".join(f"{_text(key)} = {_text(value)}" for key, value in table.properties.items())
        made.append(f"ALTER TABLE {target} SET TBLPROPERTIES ({pairs})")
    made += [
        f"ALTER TABLE {target} ALTER COLUMN `{name}` COMMENT {_text(words)}" for name, words in table.columns.items()
    ]
    return made


def _columns(engine: Any, table: LakehouseTable) -> list[tuple[str, str]]:
    name = table.name
    rows = engine.query(
        f"SELECT column_name, data_type FROM `{name.catalog}`.information_schema.columns "  # noqa: S608 - escaped
        f"WHERE table_schema = {_text(name.schema)} AND table_name = {_text(name.table)} ORDER BY ordinal_position"
    ).rows
    return [(column, kind) for column, kind in rows]


def _changes(known: list[str], found: list[str]) -> list[str]:
    if not known:
        return []
    return [f"{name} is new" for name in found if name not in known] + [
        f"{name} is gone" for name in known if name not in found
    ]


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
