"""Where a component's rows come from: a table or query of the warehouse, or a file; read by SQL in either case."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from ..base import StrictModel
from ..warehouse.engines.base import subselect
from ..warehouse.sql_table import SqlPartition
from .rows import Rows, quote

TABLE_PATTERN = r"^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"
FILE_PATTERN = r"\.(parquet|csv)$"


class DataSource(StrictModel):
    """Rows to read: one of table, sql and path."""

    table: Annotated[
        str | None,
        dg.Resolver.default(
            description="Table of the warehouse as schema/table; the asset of that key becomes upstream.",
            examples=["marts/fct_flights"],
            json_schema_extra={"pattern": TABLE_PATTERN},
        ),
    ] = None
    sql: Annotated[
        str | None,
        dg.Resolver.default(
            description="Query of the warehouse; name the assets that it reads in depends_on.",
            examples=["SELECT * FROM marts.fct_flights WHERE arrival_delay IS NOT NULL"],
        ),
    ] = None
    path: Annotated[
        str | None,
        dg.Resolver.default(
            description="Parquet or CSV file, beside this one or below the project's root.",
            examples=["data/wine.parquet"],
            json_schema_extra={"pattern": FILE_PATTERN},
        ),
    ] = None

    def model_post_init(self, context: Any) -> None:
        """Raise ValueError unless exactly one place is named."""
        given = [name for name in ("table", "sql", "path") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of table, sql and path, not {' and '.join(given) or 'none'}")

    @property
    def upstream(self) -> list[dg.AssetKey]:
        """The asset whose table is read."""
        return [dg.AssetKey.from_user_string(self.table)] if self.table else []

    @property
    def resources(self) -> set[str]:
        """Keys of the resources that reading needs."""
        return set() if self.path else {"warehouse"}

    def opened(self, context: Any, place: "Place", window: dg.TimeWindow | None = None, by: str = "") -> "Rows":
        """The rows, ready to be read.

        Args:
            context: Context of a step that has the resources.
            place: Folders that a path starts from.
            window: Reads rows of this time only.
            by: Column that holds the time.

        Raises:
            dg.Failure: the file does not exist.
        """
        rows = self._file_rows(place) if self.path else self._warehouse_rows(context)
        if window is None:
            return rows
        start, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (window.start, window.end))
        column = quote(by, rows.dialect)
        inside = f"(SELECT * FROM {rows.relation} AS every WHERE {column} >= '{start}' AND {column} < '{end}')"  # noqa: S608
        origin = f"{rows.origin} from {start} to {end}"
        return Rows(inside, origin, rows.connect, rows.dialect, rows.described)

    def _file_rows(self, place: "Place") -> "Rows":
        file = place.find(str(self.path))
        reader = "read_parquet" if file.suffix == ".parquet" else "read_csv"
        literal = str(file).replace("'", "''")
        return Rows(f"{reader}('{literal}')", str(self.path), _memory, "duckdb")

    def _warehouse_rows(self, context: Any) -> "Rows":
        engine = context.resources.warehouse.engine
        if self.table:
            schema, table = self.table.split("/")
            relation = engine.qualify(schema, table)
            return Rows(relation, self.table, engine.connect, engine.name, lambda: engine.columns(schema, table))
        return Rows(f"({subselect(str(self.sql))})", "data.sql", engine.connect, engine.name)


@dataclass(frozen=True)
class Place:
    """Folders that paths of a component start from, and how messages name its YAML."""

    folder: Path
    project_root: Path

    @property
    def file(self) -> Path:
        """The component's YAML."""
        return self.folder / "defs.yaml"

    def find(self, path: str) -> Path:
        """The absolute path of a file beside the YAML or below the project's root; raises dg.Failure without one."""
        for start in (self.folder, self.project_root):
            if (start / path).is_file():
                return (start / path).absolute()
        raise dg.Failure(
            description=f"{self.file}: data.path {path!r} does not exist beside this file or in {self.project_root}",
            allow_retries=False,
        )


def place_of(context: dg.ComponentLoadContext) -> Place:
    """The place of the component that is loaded."""
    folder = context.path if context.path.is_dir() else context.path.parent
    return Place(folder, context.project_root)


@contextmanager
def _memory() -> Iterator[Any]:
    """A DuckDB without a file, for SQL over files."""
    import duckdb

    from ..warehouse.engines.base import WarehouseError

    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        try:
            yield connection
        except duckdb.Error as error:
            raise WarehouseError(str(error).strip()) from error


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the files of one step, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ml-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def window_of(context: dg.AssetExecutionContext, partition: SqlPartition | None) -> dg.TimeWindow | None:
    """The time that a run is for."""
    return context.partition_time_window if partition else None
