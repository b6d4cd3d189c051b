"""DuckDB: one file, one writer, no server."""

import os
import re
import time
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..settings import LOCAL_FILE_VARIABLE, PRODUCTION_FILE_VARIABLE, local_duckdb_file
from .base import Column, Engine, LoadFormat, WarehouseError, subselect

REOPEN_SECONDS = 10.0


@dataclass(frozen=True)
class DuckDB(Engine):
    """A DuckDB file; subclasses say which."""

    name = "duckdb"
    title = "DuckDB"
    dialect = "duckdb"
    load_format: ClassVar[LoadFormat] = "model"

    @property
    @abstractmethod
    def file(self) -> Path:
        """The absolute path of the database."""

    @property
    @abstractmethod
    def file_variable(self) -> str:
        """The environment variable that says where the file is."""

    def _dlt_destination(self) -> Any:
        """A dlt destination that opens this file."""
        import dlt

        self.check_environment()
        return dlt.destinations.duckdb(
            credentials=str(self._ready_file()), destination_name="warehouse", replace_strategy="insert-from-staging"
        )

    def _ready_file(self) -> Path:
        """The file, once its folder is there; raises WarehouseError where it is not."""
        if not self.file.parent.is_dir():
            raise WarehouseError(f"{self.file_variable}: the folder of {self.file} does not exist.")
        return self.file

    def _address(self) -> tuple[str, dict[str, Any]]:
        """What DuckDB opens, and with which settings."""
        return str(self._ready_file()), {}

    def _open(self) -> tuple[Any, Any]:
        connection = self._connected()
        # Times read alike on every machine, and no statement downloads an extension.
        connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        return connection, connection  # a cursor of DuckDB is a second connection, which would keep the file locked

    def _connected(self) -> Any:
        import duckdb

        address, settings = self._address()
        give_up = time.monotonic() + REOPEN_SECONDS
        while True:
            try:
                return duckdb.connect(address, config=settings)
            except duckdb.Error as error:
                # One thread opens the file while another is just closing it.
                if "Unique file handle conflict" not in str(error) or time.monotonic() > give_up:
                    raise WarehouseError(self._refusal(str(error))) from None
            time.sleep(0.01)

    def _refusal(self, reason: str) -> str:
        if holder := re.search(r"lock is held in (.*?) \(PID (\d+)\)", reason):
            program, process = holder.groups()
            return (
                f"The DuckDB file {self.file} is in use by process {process} ({program}). DuckDB takes one writer at a "
                f"time: close that program, or name another file in {self.file_variable}."
            )
        if "not a valid DuckDB database" in reason:
            return f"{self.file_variable}: {self.file} is not a DuckDB database."
        return f"The DuckDB file {self.file} cannot be opened ({self.file_variable}): {reason.strip()}"

    def _driver_error(self) -> type[Exception]:
        import duckdb

        return duckdb.Error

    def relation_type(self, schema: str, table: str) -> str | None:
        """``table``, ``view``, or None where the file has no such relation."""
        with self.connect() as cursor:
            cursor.execute(
                "SELECT table_type FROM information_schema.tables "
                "WHERE table_catalog = current_database() AND table_schema = ? AND table_name = ?",
                [schema, table],
            )
            row = cursor.fetchone()
        return None if row is None else "view" if row[0] == "VIEW" else "table"

    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order."""
        with self.connect() as cursor:
            cursor.execute(
                "SELECT column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
                [schema, table],
            )
            return [Column(name, kind) for name, kind in cursor.fetchall()]

    def replace_table(self, schema: str, table: str, select: str) -> None:
        """Replace a table; DuckDB's CREATE OR REPLACE is atomic within the transaction."""
        self._replace("TABLE", schema, table, select)

    def replace_view(self, schema: str, table: str, select: str) -> None:
        """Replace a view within one transaction."""
        self._replace("VIEW", schema, table, select)

    def _replace(self, kind: str, schema: str, table: str, select: str) -> None:
        relation = self.qualify(schema, table)
        present = self.relation_type(schema, table)
        other_kind = [f"DROP {present.upper()} {relation}"] if present and present.upper() != kind else []
        self.execute(
            self.create_schema(schema), *other_kind, f"CREATE OR REPLACE {kind} {relation} AS {subselect(select)}"
        )


@dataclass(frozen=True)
class LocalDuckDB(DuckDB):
    """The file of the local target, made on first use."""

    @property
    def file(self) -> Path:
        """``WAREHOUSE_DUCKDB_FILE``, or the default below the project."""
        return local_duckdb_file(self.project_root)

    @property
    def file_variable(self) -> str:
        """The variable of the local target."""
        return LOCAL_FILE_VARIABLE

    def _ready_file(self) -> Path:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        return self.file


@dataclass(frozen=True)
class ProductionDuckDB(DuckDB):
    """The file of the production target.

    Its folder is never made: a misspelled path must not pass for an empty warehouse.
    """

    required_environment = (PRODUCTION_FILE_VARIABLE,)

    @property
    def file(self) -> Path:
        """``WAREHOUSE_PRODUCTION_FILE``."""
        return (self.project_root / os.environ[PRODUCTION_FILE_VARIABLE]).absolute()

    @property
    def file_variable(self) -> str:
        """The variable of the production target."""
        return PRODUCTION_FILE_VARIABLE
