"""What `create-dagster project` writes."""

from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    """Load everything under defs/."""
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
