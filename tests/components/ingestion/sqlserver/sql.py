"""T-SQL on DuckDB: the catalogue that clients look into, and the statements that they send."""

import re
import warnings
from typing import Any

import duckdb

from tests.components.ingestion.sqlserver.tds import Field

# What a session sets and how it counts transactions makes no difference to what is read.
_SESSION = re.compile(r"\s*(SET|USE|BEGIN TRAN|COMMIT|ROLLBACK|IF @@TRANCOUNT)\b", re.IGNORECASE)
_VERSION = "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64), a stand-in"

# SQL Server's names and numbers of DuckDB's types.
_TYPES = """
    CASE
        WHEN data_type = 'INTEGER' THEN 'int' WHEN data_type = 'SMALLINT' THEN 'smallint'
        WHEN data_type = 'BIGINT' THEN 'bigint' WHEN data_type = 'BOOLEAN' THEN 'bit'
        WHEN data_type = 'DOUBLE' THEN 'float' WHEN data_type = 'DATE' THEN 'date' WHEN data_type = 'TIME' THEN 'time'
        WHEN data_type = 'TIMESTAMP' THEN 'datetime2' WHEN data_type = 'TIMESTAMP WITH TIME ZONE' THEN 'datetimeoffset'
        WHEN data_type = 'UUID' THEN 'uniqueidentifier' WHEN data_type = 'BLOB' THEN 'varbinary'
        WHEN data_type LIKE 'DECIMAL%' THEN 'decimal' ELSE 'nvarchar'
    END
"""
_CATALOGUE = f"""
CREATE SCHEMA sys;
CREATE VIEW sys.system_views AS SELECT 'dm_exec_sessions' AS name;
CREATE VIEW sys.schemas AS SELECT oid AS schema_id, CASE schema_name WHEN 'main' THEN 'dbo' ELSE schema_name END AS name
    FROM duckdb_schemas() WHERE database_name = current_database();
CREATE VIEW sys.objects AS
    SELECT table_oid AS object_id, table_name AS name, schema_oid AS schema_id, 'U' AS type FROM duckdb_tables()
    UNION ALL SELECT view_oid, view_name, schema_oid, 'V' FROM duckdb_views()
    WHERE NOT internal AND schema_name <> 'sys';
CREATE VIEW sys.tables AS FROM sys.objects WHERE type = 'U';
CREATE VIEW sys.views AS FROM sys.objects WHERE type = 'V';
CREATE VIEW sys.columns AS SELECT table_oid AS object_id, column_name AS name, column_index AS column_id,
    {_TYPES} AS user_type_id, is_nullable, -1 AS max_length, numeric_precision AS precision, numeric_scale AS scale,
    NULL AS collation_name, NULL AS default_object_id, false AS is_identity, false AS is_computed FROM duckdb_columns();
CREATE VIEW sys.types AS SELECT DISTINCT user_type_id, user_type_id AS name, user_type_id AS system_type_id
    FROM sys.columns;
"""

# Views of the catalogue that have nothing to tell here, with the columns that clients ask for.
_EMPTY = {
    "default_constraints": "object_id definition parent_object_id parent_column_id",
    "computed_columns": "object_id column_id definition is_persisted",
    "identity_columns": "object_id column_id is_identity seed_value increment_value",
    "extended_properties": "class major_id minor_id name value",
    "key_constraints": "object_id parent_object_id name type unique_index_id schema_id is_system_named",
    "indexes": "object_id index_id name type type_desc is_unique is_primary_key has_filter filter_definition",
    "index_columns": "object_id index_id column_id key_ordinal is_descending_key is_included_column index_column_id",
    "foreign_keys": "object_id name parent_object_id referenced_object_id key_index_id schema_id "
    "delete_referential_action_desc update_referential_action_desc",
    "foreign_key_columns": "constraint_object_id parent_object_id parent_column_id referenced_object_id "
    "referenced_column_id constraint_column_id",
    "check_constraints": "object_id parent_object_id name definition",
}

# Types whose name means another one in DuckDB.
_OTHER_TYPES = {"BIT": "BOOLEAN", "FLOAT": "DOUBLE"}


class Refusal(Exception):
    """SQL Server's number and words for what it does not do."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


def with_catalogue() -> Any:
    """An empty database that has SQL Server's catalogue."""
    made = duckdb.connect()
    made.execute("SET TimeZone = 'UTC'")
    made.execute(_CATALOGUE)
    for name, columns in _EMPTY.items():
        made.execute(f"CREATE VIEW sys.{name} AS SELECT {', '.join(f'NULL AS {c}' for c in columns.split())} LIMIT 0")
    return made


def answered(data: Any, sql: str) -> tuple[list[Field] | None, list[tuple[Any, ...]]]:
    """The result of a batch, or no fields where it has none.

    Raises:
        Refusal: DuckDB does not run it.
    """
    if _SESSION.match(sql):
        return None, []
    try:
        made = data.execute(_translated(sql))
        rows = made.fetchall()
    except duckdb.CatalogException as error:
        raise Refusal(208, f"Invalid object name: {error}") from None
    except duckdb.Error as error:
        raise Refusal(207 if "column" in str(error).lower() else 102, str(error)) from None
    if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
        return None, []
    fields = [Field(name, str(kind)) for name, kind, *_ in made.description]
    return fields, rows


def _translated(sql: str) -> str:
    """A batch in DuckDB's words."""
    if "fn_listextendedproperty" in sql:
        return "SELECT 1 WHERE false"
    sql = sql.replace("@@version", f"'{_VERSION}'").replace("schema_name()", "'dbo'")
    if "INFORMATION_SCHEMA" in sql:
        sql = sql.replace("'dbo'", "'main'")
    sql = re.sub(r"\(max\)", "", sql, flags=re.IGNORECASE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sqlglot

    statements = [statement for statement in sqlglot.parse(sql, read="tsql") if statement]
    for statement in statements:
        for kind in statement.find_all(sqlglot.exp.DataType):
            if other := _OTHER_TYPES.get(kind.this.name):
                kind.set("this", sqlglot.exp.DataType.Type[other])
    written = "; ".join(statement.sql("duckdb", identify=True) for statement in statements)
    return written.replace('"dbo".', '"main".')
