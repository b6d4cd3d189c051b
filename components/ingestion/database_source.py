"""The component that replicates tables of a database into the warehouse through dlt."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, Field

from .attributes import NAME_PATTERN, LoadedTable
from .database_attributes import DatabaseConnection, DatabaseName, DatabaseTable
from .sample import sample_reason
from .staging import StagedTable, Stager
from .table_source import Place, Run, TableSource

SAMPLE = """\
-- Sample rows for local work, until the variables of defs.yaml are set. SQLite runs this file; keep the tables and
-- columns like those of your database.
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, country TEXT, updated_at TIMESTAMP NOT NULL);
INSERT INTO customers VALUES
    (1, 'ada@example.com', 'GB', '2026-01-05 09:00:00'),
    (2, 'grace@example.com', 'US', '2026-01-06 10:30:00');
"""


class DatabaseSourceParams(BaseModel):
    """What the scaffolder asks."""

    engine: DatabaseName = Field(default="postgres", description="postgres, mysql or sqlserver")
    prefix: str = Field(
        default="SHOP_DB", description="What the variables' names start with", pattern=r"^[A-Z][A-Z0-9_]*$"
    )
    table: str = Field(default="customers", description="First table", pattern=NAME_PATTERN)


class DatabaseSourceScaffolder(dg.Scaffolder[DatabaseSourceParams]):
    """Writes a source with one table, and a sample that it loads until there is a database."""

    @classmethod
    def get_scaffold_params(cls) -> type[DatabaseSourceParams]:
        """Engine, variables and table."""
        return DatabaseSourceParams

    def scaffold(self, request: dg.ScaffoldRequest[DatabaseSourceParams]) -> None:
        """Write ``defs.yaml`` and ``sample.sql``."""
        params = request.params
        table = {
            "name": params.table,
            "description": f"Rows of {params.table}: say what one row is, and who makes it.",
            "write_disposition": "merge",
            "primary_key": ["id"],
            "cursor": "updated_at",
        }
        variables = {f"{part}_env": f"{params.prefix}_{part.upper()}" for part in ("host", "port", "database", "user")}
        connection = {"engine": params.engine, **variables, "password": f"{params.prefix}_PASSWORD"}
        attributes = {"connection": connection, "sample": "sample.sql", "tables": [table], "group": "ingestion"}
        dg.scaffold_component(request, attributes)
        sample = SAMPLE.replace("customers", params.table)
        (request.target_path / "sample.sql").write_text(sample, encoding="utf-8")


@dg.scaffold_with(DatabaseSourceScaffolder)
@dataclass(kw_only=True)
class DatabaseSourceComponent(TableSource):
    """Tables of Postgres, MySQL or SQL Server, one asset a table, replicated into the warehouse by dlt.

    Rows are read in chunks into typed files, and checked, before anything is loaded: a connection that breaks loses
    and doubles nothing. With a cursor a run reads only what is new since the last one; rows that were deleted in the
    database stay in the warehouse unless the table is replaced.

    .. code-block:: yaml

        type: components.DatabaseSourceComponent
        attributes:
          connection:
            engine: postgres
            host_env: SHOP_DB_HOST
            database_env: SHOP_DB_NAME
            user_env: SHOP_DB_USER
            password: SHOP_DB_PASSWORD
          source_schema: public
          tables:
            - name: orders
              description: One row an order, from the web shop.
              write_disposition: merge
              primary_key: [id]
              cursor: updated_at
              where: status <> 'draft'
            - name: countries
              table: Country
              description: One row a country, by its ISO code.
              select: [code, name]
          owners: [team:data]
          group: raw
          tags: {classification: internal}
    """

    connection: Annotated[DatabaseConnection, dg.Resolver.default(description="Where the database is.")]
    tables: Annotated[list[DatabaseTable], dg.Resolver.default(description="The tables, and which rows of each.")]
    source_schema: Annotated[
        str | None,
        dg.Resolver.default(
            description="Schema of the tables in the database; the user's own when left out.",
            examples=["public"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None
    time_zone: Annotated[
        str | None,
        dg.Resolver.default(
            description="Zone of the times that the database keeps without one; they stay without when left out.",
            examples=["Europe/Berlin"],
            json_schema_extra={"format": "time-zone"},
        ),
    ] = None
    chunk_rows: Annotated[
        int,
        dg.Resolver.default(description="Rows held in memory at a time.", json_schema_extra={"minimum": 1}),
    ] = 10_000
    sample: Annotated[
        str | None,
        dg.Resolver.default(
            description="SQL file beside this one that makes sample rows in SQLite, for local work with no connection.",
            examples=["sample.sql"],
        ),
    ] = None

    @property
    def declared_tables(self) -> Sequence[DatabaseTable]:
        """The tables."""
        return self.tables

    def kind_of(self, table: LoadedTable) -> str:
        """The database."""
        return self.connection.engine

    def opened(self, place: Place) -> tuple[Any, str | None]:
        """The database, or the sample's script, and why it is the sample."""
        from .databases import database_of, missing_variables

        missing = missing_variables(self.connection)
        if not missing:
            return database_of(self.connection, place.project_root), None
        named = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
        none_is_set = len(missing) == len(self.connection.variables)
        sampled = sample_reason(named, has_sample=self.sample is not None and none_is_set)
        return place.folder / str(self.sample), sampled

    def read(self, run: Run, source: Any) -> list[StagedTable]:
        """Read each table, in chunks, into a file, and check it."""
        from .database_reading import TableReader
        from .databases import database_of_script

        staged = []
        with ExitStack() as stack:
            schema = self.source_schema
            if isinstance(source, Path):
                folder = stack.enter_context(TemporaryDirectory(prefix="sample-", ignore_cleanup_errors=True))
                source, schema = database_of_script(source, Path(folder)), None
            stager = stack.enter_context(Stager(run.work, self.dataset, run.loader.normalize, self.time_zone))
            engine = stack.enter_context(source.engine())
            reader = TableReader(source, engine, schema, self.chunk_rows, self.time_zone)
            for table in run.tables:
                columns, since = run.loader.progress(table)
                file = reader.read(table, since, run.work)
                done = stager.stage(table, [file], columns, since, freeze=self.schema_contract == "freeze")
                run.context.log.info(f"{self.dataset}.{table.name}: {done.rows:,} rows read from {file.name}")
                file.path.unlink()
                staged.append(replace(done, metadata={"source_table": file.name}))
        return staged
