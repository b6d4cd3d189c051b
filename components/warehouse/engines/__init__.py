"""The warehouse engines by name: a further one is a module here and a line in ``settings.EngineName``."""

from importlib import import_module
from pathlib import Path

from ..settings import EngineName, LocalEngineName
from .base import Engine

# Only the engine in force is imported.
_ENGINES: dict[EngineName, tuple[str, str]] = {
    "duckdb": ("duckdb", "ProductionDuckDB"),
    "postgres": ("postgres", "Postgres"),
    "bigquery": ("bigquery", "BigQuery"),
    "snowflake": ("snowflake", "Snowflake"),
    "databricks": ("databricks", "Databricks"),
    "redshift": ("redshift", "Redshift"),
    "motherduck": ("motherduck", "MotherDuck"),
}


def production_engine(name: EngineName, project_root: Path) -> Engine:
    """The engine that stands behind the production target."""
    module, engine = _ENGINES[name]
    made: Engine = getattr(import_module(f".{module}", __name__), engine)(project_root)
    return made


def local_engine(name: LocalEngineName, project_root: Path) -> Engine:
    """The engine of the local target."""
    module, engine = {"duckdb": ("duckdb", "LocalDuckDB"), "lakehouse": ("lakehouse", "LocalLakehouse")}[name]
    made: Engine = getattr(import_module(f".{module}", __name__), engine)(project_root)
    return made
