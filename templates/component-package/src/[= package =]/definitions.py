"""A place to try components: what stands in defs/, held against the company's policy. The wheel leaves it out."""

from pathlib import Path

import dagster as dg

from .governance import governed

PROJECT_ROOT = Path(__file__).parents[2]


@dg.definitions
def defs() -> dg.Definitions:
    """Load defs/, apply the company's standards, and refuse what breaks them."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    # DuckDB has one writer: steps of a run share this process instead of starting one each.
    return governed(dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor)), PROJECT_ROOT)
