"""The ``warehouse`` resource: SQL and dlt against whichever warehouse is in force."""

from pathlib import Path
from typing import Any

import dagster as dg

from .engines import local_engine, production_engine
from .engines.base import Engine, QueryResult
from .settings import EngineName, LocalEngineName, Target, warehouse_target


class WarehouseResource(dg.ConfigurableResource):
    """The local engine, or the production warehouse where ``WAREHOUSE_TARGET`` is ``production``.

    Every call opens and closes its own connection, as DuckDB has one writer and dbt runs in its own process.
    """

    production_engine: EngineName
    project_root: str
    local_engine: LocalEngineName = "duckdb"

    @property
    def target(self) -> Target:
        """``local`` or ``production``."""
        return warehouse_target()

    @property
    def engine(self) -> Engine:
        """The engine in force; ``engine.name`` is ``duckdb``, ``postgres`` …"""
        root = Path(self.project_root)
        if self.target == "local":
            return local_engine(self.local_engine, root)
        return production_engine(self.production_engine, root)

    def query(self, sql: str) -> QueryResult:
        """The result of one statement, held in memory."""
        return self.engine.query(sql)

    def execute(self, *statements: str) -> None:
        """Run statements in one transaction: all of them or none."""
        self.engine.execute(*statements)

    def dlt_destination(self) -> Any:
        """The dlt destination that loads into the warehouse in force."""
        return self.engine.dlt_destination()
