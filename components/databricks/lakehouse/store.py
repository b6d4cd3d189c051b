"""Delta tables of the local lakehouse: written by Spark in one commit each, described by delta-rs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...warehouse.lakehouse import Lakehouse, TableName

SchemaChanges = Literal["refuse", "evolve"]


class SchemaChangedError(Exception):
    """Rows whose columns are not those of the table, named column by column."""


@dataclass(frozen=True)
class DeltaStore:
    """Tables of a local lakehouse, through one session.

    Args:
        spark: A local session.
        lakehouse: The folders.
    """

    spark: Any
    lakehouse: Lakehouse

    def version(self, name: TableName) -> int | None:
        """The newest version, or None where there is no such table."""
        if not self.lakehouse.has(name):
            return None
        return int(self._table(name).version())

    def rows(self, name: TableName) -> int:
        """Rows that the table has now."""
        return int(self.spark.way.read(name).count())

    def schema(self, name: TableName) -> dict[str, str]:
        """The columns of a table with their types in Spark's words; empty where there is none."""
        if not self.lakehouse.has(name):
            return {}
        return schema_of(self.spark.way.read(name))

    def replace(
        self,
        name: TableName,
        rows: Any,
        *,
        partition_by: Sequence[str] = (),
        schema_changes: SchemaChanges = "evolve",
        inside: str | None = None,
    ) -> list[str]:
        """Make a table these rows; the old ones are read until all new ones are there.

        Args:
            name: The table.
            rows: A data frame.
            partition_by: Columns that the folders are made by, where the table is new.
            schema_changes: Whether other columns than before are refused.
            inside: SQL condition: only rows for which it holds are replaced.

        Returns:
            What changed about the columns, in words.

        Raises:
            SchemaChangedError: the columns changed, and that is refused.
        """
        changes = schema_changed(self.schema(name), schema_of(rows))
        if schema_changes == "refuse":
            _refuse(name, changes)
        if inside is not None and self.lakehouse.has(name):
            rows, changes = self._grown(name, rows, schema_changes)
            self.spark.way.replace_inside(name, nullable(rows), inside)
        else:
            self.spark.way.replace(name, nullable(rows), partition_by)
        return changes

    def append(
        self,
        name: TableName,
        rows: Any,
        *,
        partition_by: Sequence[str] = (),
        schema_changes: SchemaChanges = "evolve",
    ) -> list[str]:
        """Add rows to a table, which is made where there is none; the arguments are those of ``replace``.

        Raises:
            SchemaChangedError: new columns where they are refused, or a column of another type in either case.
        """
        if not self.lakehouse.has(name):
            return self.replace(name, rows, partition_by=partition_by)
        rows, changes = self._grown(name, rows, schema_changes)
        self.spark.way.append(name, rows)
        return changes

    def merge(self, name: TableName, rows: Any, keys: Sequence[str], schema_changes: SchemaChanges) -> list[str]:
        """Update the rows of a table that have the same keys, and add the others.

        Args:
            name: The table, which is there.
            rows: A data frame with one row for each key.
            keys: Columns that tell which row is meant.
            schema_changes: Whether other columns than before are refused.

        Raises:
            SchemaChangedError: as of ``append``.
        """
        rows, changes = aligned(name, self.schema(name), rows, schema_changes)
        self.spark.way.merge(name, rows, keys, schema_changes == "evolve")
        return changes

    def _grown(self, name: TableName, rows: Any, schema_changes: SchemaChanges) -> tuple[Any, list[str]]:
        """Rows in the columns of a table that has got those that are new: Sail's own mergeSchema may lose them."""
        known = self.schema(name)
        rows, changes = aligned(name, known, rows, schema_changes)
        if added := [column for column in rows.columns if column not in known]:
            from deltalake import Schema

            empty = nullable(rows.select(*[f"`{column}`" for column in added])).limit(0).toArrow()
            self._table(name).alter.add_columns(Schema.from_arrow(nullable_schema(empty.schema)).fields)
        return rows, changes

    def describe(
        self,
        name: TableName,
        comment: str = "",
        columns: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Write comments and properties where they are not there yet; each difference is a commit of its own."""
        table = self._table(name)
        metadata = table.metadata()
        if comment and (metadata.description or "") != comment:
            table.alter.set_table_description(comment)
        missing = {key: value for key, value in (properties or {}).items() if metadata.configuration.get(key) != value}
        if missing:
            table.alter.set_table_properties(missing, raise_if_not_exists=False)
        fields = {field.name: field.metadata or {} for field in table.schema().fields}
        for column, words in (columns or {}).items():
            if column in fields and fields[column].get("comment") != words:
                table.alter.set_column_metadata(column, {**fields[column], "comment": words})

    def _table(self, name: TableName) -> Any:
        from deltalake import DeltaTable

        return DeltaTable(self.lakehouse.folder(name))


def nullable(rows: Any) -> Any:
    """The same rows, whose columns may be empty, as those of a table that a query makes are on Databricks."""
    from pyspark.sql import functions as F  # noqa: N812

    always = F.spark_partition_id() >= 0  # Sail sees through a condition that is simply true
    return rows.select(*[F.when(always, F.col(f"`{name}`")).alias(name) for name in rows.columns])


def nullable_schema(schema: Any) -> Any:
    """An Arrow schema whose fields may all be empty, those inside others too, without remarks of who made it."""
    import pyarrow as pa

    return pa.schema([pa.field(field.name, _nullable_type(field.type)) for field in schema])


def _nullable_type(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _nullable_type(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(pa.field(kind.value_field.name, _nullable_type(kind.value_type)))
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _nullable_type(kind.item_type))
    return kind


def schema_of(rows: Any) -> dict[str, str]:
    """Columns with their types, in Spark's words."""
    return {field.name: field.dataType.simpleString() for field in rows.schema.fields}


def schema_changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What changed between two sets of columns, in words; nothing where there was no table."""
    if not before:
        return []
    added = [f"{name} {kind} is new" for name, kind in now.items() if name not in before]
    gone = [f"{name} is gone" for name in before if name not in now]
    other = [f"{name} was {before[name]} and is {kind}" for name, kind in now.items() if before.get(name, kind) != kind]
    return [*added, *gone, *other]


def aligned(
    name: TableName, known: Mapping[str, str], rows: Any, schema_changes: SchemaChanges
) -> tuple[Any, list[str]]:
    """Rows with the columns of a table first and what is new behind, and the changes that this makes.

    Raises:
        SchemaChangedError: what changed cannot be, or is refused.
    """
    from pyspark.sql import functions as F  # noqa: N812

    now = schema_of(rows)
    changes = schema_changed(known, now)
    if schema_changes == "refuse":
        _refuse(name, changes)
    _refuse(name, [words for words in changes if " was " in words])
    missing = [F.lit(None).cast(kind).alias(column) for column, kind in known.items() if column not in now]
    kept = [F.col(f"`{column}`") for column in now]
    return rows.select(*kept, *missing), changes


def _refuse(name: TableName, changes: Sequence[str]) -> None:
    if changes:
        raise SchemaChangedError(f"{name}: the columns changed: {'; '.join(changes)}")
