"""Everything Dagster sees: the components of defs/, held against policy.yaml."""

from pathlib import Path

import dagster as dg

from .components.governance import governed

PROJECT_ROOT = Path(__file__).parents[2]


@dg.definitions
def defs() -> dg.Definitions:
    """Load defs/, apply the company's standards, and refuse what breaks policy.yaml."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    # Models and stores are loaded once: steps of a run share this process instead of starting one each.
    executor = dg.Definitions(executor=dg.in_process_executor)
    return governed(dg.Definitions.merge(loaded, executor), PROJECT_ROOT)
