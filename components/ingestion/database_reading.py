"""Reading a table of a database in chunks, by dlt's own source, into a Parquet file."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from .database_attributes import DatabaseTable
from .databases import Database
from .files import SourceError, SourceFile
from .source_types import read_as

# What drivers give for dlt's types; anything else is a value that has no place in its column.
_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "bigint": int,
    "double": (float, int, Decimal),
    "decimal": (Decimal, int),
    "date": dt.date,
    "time": (dt.time, dt.timedelta),
    "timestamp": dt.datetime,
}


@dataclass(frozen=True)
class TableReader:
    """Reads tables of one database.

    Args:
        database: The database.
        engine: An open engine of it.
        schema: Schema of the tables; the user's own where it is None.
        chunk_rows: Rows that are held in memory at a time.
        zone: Zone of the times that have none.
    """

    database: Database
    engine: Any
    schema: str | None
    chunk_rows: int
    zone: str | None

    def read(self, table: DatabaseTable, since: Any, work: Path) -> SourceFile:
        """The rows of one table from a cursor value on, as a Parquet file.

        Raises:
            SourceError: there is no such table or column, or a value that has no place in a typed file.
        """
        import pyarrow.parquet

        name = f"{self.schema}.{table.source_name}" if self.schema else table.source_name
        target = work / f"{table.name}.source.parquet"
        source = self._reflected(table, name)
        resource = self._resource(table, source, since)
        writer = None
        try:
            for chunk in resource:
                writer = writer or pyarrow.parquet.ParquetWriter(target, chunk.schema)
                writer.write_table(chunk.cast(writer.schema))
        except Exception as error:
            raise self._fault(table, source, name, error) from None
        finally:
            if writer:
                writer.close()
        if writer is None:
            self._write_empty(resource, target)
        return SourceFile(target, name)

    def _reflected(self, table: DatabaseTable, name: str) -> Any:
        """The table as SQLAlchemy finds it."""
        import sqlalchemy

        try:
            metadata = sqlalchemy.MetaData(schema=self.schema)
            found = sqlalchemy.Table(table.source_name, metadata, autoload_with=self.engine, resolve_fks=False)
        except sqlalchemy.exc.NoSuchTableError:
            inspector = sqlalchemy.inspect(self.engine)
            names = sorted([*inspector.get_table_names(self.schema), *inspector.get_view_names(self.schema)])
            raise SourceError(
                f"table {table.name!r}: no table or view {name} in {self.database.dialect.title} that this user may "
                f"read (there is: {', '.join(names[:20]) or 'nothing'})."
            ) from None
        columns = [column.name for column in found.columns]
        wanted = [*table.select, *([table.cursor] if table.cursor else [])]
        if missing := [column for column in wanted if column not in columns]:
            raise SourceError(
                f"table {table.name!r}: no column {', '.join(map(repr, missing))} in {name}; "
                f"there are: {', '.join(columns)}."
            )
        return found

    def _resource(self, table: DatabaseTable, source: Any, since: Any) -> Any:
        """dlt's resource for the rows that are wanted."""
        import dlt
        import sqlalchemy
        from dlt.sources.sql_database import sql_table

        expressions = {column.name: read_as(column, table.columns.get(column.name)) for column in source.columns}

        def query(select: Any, reflected: Any) -> Any:
            read = [expressions[column.name].label(column.name) for column in reflected.columns]
            chosen = select.with_only_columns(*read)
            if table.where is None:
                return chosen
            # In brackets, as it may have an OR, and with colons that name no parameter.
            where = table.where.replace(":", "\\:")
            return chosen.where(sqlalchemy.text(f"({where}\n)"))

        def adapted(reflected: Any) -> None:
            for column in reflected.columns:
                column.type = expressions[column.name].type

        incremental: Any = None
        if table.cursor:
            incremental = dlt.sources.incremental(
                table.cursor,
                initial_value=self._in_source_time(since, expressions[table.cursor].type),
                range_start="open" if table.write_disposition == "append" else "closed",
                on_cursor_value_missing="include",  # to be reported
            )
        return sql_table(
            credentials=self.engine,
            table=table.source_name,
            metadata=source.metadata,
            incremental=incremental,
            chunk_size=self.chunk_rows,
            backend="pyarrow",
            reflection_level="full_with_precision",
            included_columns=table.select or None,
            table_adapter_callback=adapted,
            query_adapter_callback=query,
        )

    def _in_source_time(self, since: Any, kind: Any) -> Any:
        """A cursor value of the warehouse as the database writes it."""
        if not isinstance(since, dt.datetime) or getattr(kind, "timezone", False):
            return since
        if since.tzinfo and self.zone:
            from zoneinfo import ZoneInfo

            since = since.astimezone(ZoneInfo(self.zone))
        return since.replace(tzinfo=None)

    def _write_empty(self, resource: Any, target: Path) -> None:
        import pyarrow.parquet
        from dlt.common.libs.pyarrow import columns_to_arrow

        schema = columns_to_arrow(resource.columns, None, "UTC")  # type: ignore[arg-type]  # its own defaults
        pyarrow.parquet.write_table(schema.empty_table(), target)

    def _fault(self, table: DatabaseTable, source: Any, name: str, error: BaseException) -> SourceError:
        """What went wrong while rows were read, in our words."""
        import sqlalchemy

        causes = [error]
        while cause := causes[-1].__cause__ or causes[-1].__context__:
            causes.append(cause)
        for cause in causes:
            if isinstance(cause, SourceError):
                return cause
            if isinstance(cause, sqlalchemy.exc.SQLAlchemyError):
                return self.database.fault(cause, name)
        column = next((found for cause in causes if (found := getattr(cause, "_field_name", None))), None)
        reason = self.database.told(Exception(str(causes[-1])))
        if column is None:
            return SourceError(f"table {table.name!r}, {table.noun} {name}: {reason}.")
        kind = next(found for cause in causes if (found := getattr(cause, "data_type", None)))
        value = self._odd_value(source, column, kind)
        return SourceError(
            f"table {table.name!r}, {table.noun} {name}: column {column!r} has {value}, "
            f"which is no {kind} ({reason}). Read it as it is with columns: {{{column}: text}}, or leave it out with "
            "select."
        )

    def _odd_value(self, source: Any, column: str, kind: str) -> str:
        """The first value of a column that is not of its type."""
        import sqlalchemy

        query = sqlalchemy.select(read_as(source.columns[column], None))
        with self.engine.connect() as connection:
            for [value] in connection.execution_options(yield_per=self.chunk_rows).execute(query):
                if value is not None and not isinstance(value, _PYTHON_TYPES.get(kind, object)):
                    return repr(value)[:80]
        return "a value"
