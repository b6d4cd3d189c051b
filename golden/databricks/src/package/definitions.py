"""Everything Dagster sees: the components of defs/, held against policy.yaml."""

from pathlib import Path

import dagster as dg

from .components.databricks.target import follow_target
from .components.governance import governed

PROJECT_ROOT = Path(__file__).parents[2]


@dg.definitions
def defs() -> dg.Definitions:
    """Load defs/, apply the company's standards, and refuse what breaks policy.yaml."""
    # This machine, or the workspace that DATABRICKS_HOST names: tables, models and jobs go to the same place.
    follow_target("main")
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    # Spark and MLflow are imported once: steps of a run share this process instead of starting one each.
    executor = dg.Definitions(executor=dg.in_process_executor)
    return governed(dg.Definitions.merge(loaded, executor), PROJECT_ROOT)
