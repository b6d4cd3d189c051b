"""The component that exports a query's result to a file."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import AssetKeys, Group, Owners, SqlFile, Tags
from ..base import StrictComponent
from ..renamed import Renamed
from ..warehouse.engines.base import QueryResult, WarehouseError
from ..warehouse.kind import engine_kind
from ..warehouse.sql import Sql, defs_folder, load_sql
from ..warehouse.transpile import DialectError, WrittenIn, transpiled
from .rows import FORMATS, read_rows, write_rows

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"


class FileExportParams(BaseModel):
    """What the scaffolder asks."""

    name: str = Field(default="example_export", description="Name of the export", pattern=NAME_PATTERN)
    source: str = Field(default="marts/example", description="Asset key, schema/table, to export")


class FileExportScaffolder(dg.Scaffolder[FileExportParams]):
    """Writes a CSV export of one table."""

    @classmethod
    def get_scaffold_params(cls) -> type[FileExportParams]:
        """Name and table."""
        return FileExportParams

    def scaffold(self, request: dg.ScaffoldRequest[FileExportParams]) -> None:
        """Write ``defs.yaml``."""
        params = request.params
        attributes = {
            "name": params.name,
            "output": f"exports/{params.name}.csv",
            "description": "Say who uses the file, and for what.",
            "sql": f"select * from {params.source.replace('/', '.')} order by 1\n",  # noqa: S608 - written for a person
            "depends_on": [params.source],
            "group": "activation",
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(FileExportScaffolder)
@dataclass
class FileExportComponent(StrictComponent):
    """A file for people or systems outside, made by a query and replaced as a whole.

    The result is held in memory. With ``primary_key`` the asset says how many rows came, went and changed.

    .. code-block:: yaml

        type: components.FileExportComponent
        attributes:
          name: delay_watchlist
          output: exports/delay_watchlist.csv
          description: Routes that the operations team watches today.
          sql: select route, delay_minutes from marts.routes where delay_minutes > 30 order by route
          depends_on: [marts/routes]
          primary_key: [route]
          owners: [team:operations]
          group: activation
          tags: {classification: internal}
    """

    renamed_attributes = (Renamed("file", "output", since="0.2.0", until=date(2027, 5, 31)),)

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Second part of the asset key, activation/name.", json_schema_extra={"pattern": NAME_PATTERN}
        ),
    ]
    output: Annotated[
        str,
        dg.Resolver.default(
            description="File below the project's root; its ending decides the format: .csv, .jsonl or .parquet.",
            examples=["exports/delay_watchlist.csv"],
            json_schema_extra={"pattern": r"\.(csv|jsonl|parquet)$"},
        ),
    ]
    description: Annotated[str, dg.Resolver.default(description="Who uses the file, and for what.")]
    sql: Annotated[str | None, dg.Resolver.default(description="The query; order its rows, so that files compare.")] = (
        None
    )
    sql_file: SqlFile = None
    dialect: WrittenIn = None
    depends_on: AssetKeys = field(default_factory=list)
    primary_key: Annotated[
        list[str], dg.Resolver.default(description="Columns that identify a row, to count what changed.")
    ] = field(default_factory=list)
    escape_formulas: Annotated[
        bool,
        dg.Resolver.default(
            description="In CSV, put an apostrophe before text that a spreadsheet would run as a formula."
        ),
    ] = True
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        path = PurePosixPath(self.output.replace("\\", "/"))
        if path.suffix not in FORMATS:
            raise ValueError(f"output: {self.output!r} is not valid; expected a name ending in {', '.join(FORMATS)}")
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise ValueError(
                f"output: {self.output!r} is not valid; expected a path below the project, as exports/name.csv"
            )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset ``activation/<name>``."""
        sql = load_sql(self.sql, self.sql_file, defs_folder(context), partitioned=False)
        file = context.project_root / self.output

        @dg.asset(
            key=["activation", self.name],
            description=self.description,
            deps=[dg.AssetKey.from_user_string(key) for key in self.depends_on],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"file", FORMATS[file.suffix]} | engine_kind(context),
            code_version=sql.version,
            metadata={"destination": f"file:{self.output}"},  # what policy.yaml allows for its classification
            required_resource_keys={"warehouse"},
        )
        def file_export(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return self._export(context, sql, file)

        return dg.Definitions(assets=[file_export])

    def _export(self, context: dg.AssetExecutionContext, sql: Sql, file: Path) -> dg.MaterializeResult:
        try:
            warehouse = context.resources.warehouse
            query = transpiled(sql.render(), self.dialect, warehouse.engine.dialect, sql.origin)
            result = warehouse.query(query)
        except (WarehouseError, DialectError) as error:
            raise dg.Failure(description=f"activation/{self.name} ({sql.origin}): {error}") from None
        self._check_key(result, sql)
        file_format = FORMATS[file.suffix]
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_name(f".{uuid.uuid4().hex}-{file.name}")
        try:
            write_rows(result, written, file_format, escape_formulas=self.escape_formulas)
            changes = self._changes(file, written)
            written.replace(file)
        finally:
            written.unlink(missing_ok=True)
        context.log.info(f"{self.output}: {len(result.rows):,} rows")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(result.rows),
                "path": dg.MetadataValue.path(str(file)),
                "bytes": file.stat().st_size,
                "sha256": _sha256(file),
                **changes,
            }
        )

    def _check_key(self, result: QueryResult, sql: Sql) -> None:
        place = f"activation/{self.name} ({sql.origin})"
        if missing := [name for name in self.primary_key if name not in result.columns]:
            raise dg.Failure(
                description=f"{place}: primary_key {', '.join(map(repr, missing))} is no column of the query; "
                f"it has: {', '.join(result.columns)}",
                allow_retries=False,
            )
        if self.primary_key:
            seen: set[Any] = set()
            for key in _keys(result, self.primary_key):
                if key in seen:
                    raise dg.Failure(
                        description=f"{place}: primary_key {self.primary_key} has {key} more than once",
                        allow_retries=False,
                    )
                seen.add(key)

    def _changes(self, old_file: Path, new_file: Path) -> dict[str, Any]:
        """What the new file changes, for the asset's metadata; a first file changes everything."""
        changed = not old_file.exists() or _sha256(old_file) != _sha256(new_file)
        if not self.primary_key:
            return {"changed": changed}
        old, new = _rows_by_key(old_file, self.primary_key), _rows_by_key(new_file, self.primary_key)
        return {
            "changed": changed,
            "rows_added": len(new.keys() - old.keys()),
            "rows_removed": len(old.keys() - new.keys()),
            "rows_changed": sum(old[key] != new[key] for key in new.keys() & old.keys()),
        }


def _rows_by_key(file: Path, primary_key: list[str]) -> dict[Any, dict[str, Any]]:
    """A file's rows by their key; none where the file is missing, unreadable or keyed otherwise."""
    if not file.exists():
        return {}
    try:
        result = read_rows(file, FORMATS[file.suffix])
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        return dict(zip(_keys(result, primary_key), rows, strict=True))
    except (ValueError, KeyError, OSError):  # somebody else's file stands there: it is replaced all the same
        return {}


def _keys(result: QueryResult, primary_key: list[str]) -> list[tuple[Any, ...]]:
    places = [result.columns.index(name) for name in primary_key]
    return [tuple(row[place] for place in places) for row in result.rows]


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
