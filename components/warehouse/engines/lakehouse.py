"""Delta tables on this machine: DuckDB reads them where they stand, delta-rs writes them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..lakehouse import Lakehouse, TableName, default_catalog
from .base import WarehouseError, subselect
from .duckdb import DuckDB

_VIEW = "_views"


@dataclass(frozen=True)
class LocalLakehouse(DuckDB):
    """The Delta tables of one catalog below the project, as a warehouse.

    Every connection is a new DuckDB in memory with a view of each table as it is then; a statement of SQL other than
    a query therefore keeps nothing, and what writes goes through the methods.
    """

    title = "Delta tables on this machine"

    @property
    def lakehouse(self) -> Lakehouse:
        """The folders."""
        return Lakehouse.of(self.project_root)

    @property
    def file(self) -> Path:
        """The folder of the tables."""
        return self.lakehouse.tables_root

    @property
    def file_variable(self) -> str:
        """The variable of that folder."""
        return "LAKEHOUSE_FOLDER"

    def _dlt_destination(self) -> Any:
        raise WarehouseError(
            "dlt writes no Delta tables here: put files into a volume with VolumeFilesComponent, and read them with a "
            "pipeline."
        )

    def _open(self) -> tuple[Any, Any]:
        import duckdb
        from deltalake import DeltaTable

        connection = duckdb.connect(":memory:")
        connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        for number, name in enumerate(self.lakehouse.tables(default_catalog())):
            source = f"delta_{number}"
            connection.register(source, DeltaTable(self.lakehouse.folder(name)).to_pyarrow_dataset())
            connection.execute(self.create_schema(name.schema))
            connection.execute(f"CREATE VIEW {self.qualify(name.schema, name.table)} AS SELECT * FROM {source}")  # noqa: S608 - quoted
        for file in sorted((self.lakehouse.root / _VIEW).glob("*/*.sql")):
            schema, view = file.parent.name, file.stem
            connection.execute(self.create_schema(schema))
            connection.execute(f"CREATE VIEW {self.qualify(schema, view)} AS {file.read_text(encoding='utf-8')}")
        return connection, connection

    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, or None where there is neither."""
        if self.lakehouse.has(self._name(schema, table)):
            return "table"
        return "view" if self._view(schema, table).is_file() else None

    def replace_table(self, schema: str, table: str, select: str) -> None:
        """Replace a Delta table in one commit; its columns become those of the query."""
        self._write(schema, table, select, mode="overwrite", schema_mode="overwrite")
        self._view(schema, table).unlink(missing_ok=True)

    def replace_rows(self, schema: str, table: str, select: str, inside: str) -> None:
        """Make the rows for which ``inside`` holds those of ``select``, in one commit.

        Raises:
            WarehouseError: ``select`` has rows outside, which a second run would double.
        """
        query = self.one_query(select)
        outside = self.query(f"SELECT count(*) FROM ({query}) AS query WHERE ({inside}) IS NOT TRUE").rows[0][0]  # noqa: S608 - checked
        if outside:
            raise WarehouseError(f"{outside:,} rows of the query are not where {inside}")
        known = self.lakehouse.has(self._name(schema, table))
        self._write(schema, table, query, mode="overwrite", **({"predicate": inside} if known else {}))

    def replace_view(self, schema: str, table: str, select: str) -> None:
        """Keep a view as a file that every connection reads."""
        query = self.one_query(select)
        self.describe(query)
        if self.lakehouse.has(self._name(schema, table)):
            raise WarehouseError(f"{schema}.{table} is a table here; give the view another name, or remove the table")
        file = self._view(schema, table)
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_suffix(".made")
        made.write_text(query, encoding="utf-8")
        made.replace(file)

    def _write(self, schema: str, table: str, select: str, **how: Any) -> None:
        from deltalake import write_deltalake
        from deltalake.exceptions import DeltaError

        folder = self.lakehouse.folder(self._name(schema, table))
        with self.connect() as connection:
            rows = connection.execute(subselect(select)).to_arrow_reader(100_000)
            folder.mkdir(parents=True, exist_ok=True)
            try:
                write_deltalake(folder, rows, **how)
            except DeltaError as error:
                raise WarehouseError(f"{schema}.{table}: {' '.join(str(error).split())}") from None

    def _name(self, schema: str, table: str) -> TableName:
        return TableName(default_catalog(), schema.lower(), table.lower())

    def _view(self, schema: str, table: str) -> Path:
        return self.lakehouse.root / _VIEW / schema.lower() / f"{table.lower()}.sql"
