"""The SQL warehouse as a task inside the workspace sees it: named by the environment, logged in to by the runtime."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..warehouse.engines.databricks import Databricks
from .rows import Rows

# What a task needs to know; the login is its own.
_PASSED_ON = ("DATABRICKS_HOST", "DATABRICKS_HTTP_PATH", "DATABRICKS_CATALOG")


@dataclass(frozen=True)
class OwnWarehouse(Databricks):
    """The warehouse with the login that the workspace gives a task."""

    def check_environment(self) -> None:
        """The runtime logs in."""


def passed_on() -> dict[str, str]:
    """The variables that say where the warehouse is."""
    return {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}


def own_rows(relation: str) -> Rows:
    """Rows of the workspace, read by the task that asks.

    Args:
        relation: What may follow FROM, with an alias after it.
    """
    engine = OwnWarehouse(Path())
    return Rows(relation, "data", engine.connect, engine.name)
