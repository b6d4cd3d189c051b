"""The warehouse engines by name: a further one is a module here and a line in ``settings.EngineName``."""

from pathlib import Path

from ..settings import EngineName
from .base import Engine


def production_engine(name: EngineName, project_root: Path) -> Engine:
    """The engine that stands behind the production target."""
    from .duckdb import ProductionDuckDB
    from .postgres import Postgres

    engines: dict[EngineName, type[Engine]] = {"duckdb": ProductionDuckDB, "postgres": Postgres}
    return engines[name](project_root)
