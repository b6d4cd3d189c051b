"""The catalogue's modules, imported from the payload that carries them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "templates" / "component-package" / "tools"))

from catalogue.docstrings import Doc, as_used, read_doc
from catalogue.history import Change, Release, changes, difference, first_release, version_of
from catalogue.library import scaffold_parameters
from catalogue.pages import Catalogue, changes_page, component_page, index_page, usage_page
from catalogue.tables import attribute_table, flat, rows
from catalogue.usage import Usage, find_usage

__all__ = [
    "Catalogue",
    "Change",
    "Doc",
    "Release",
    "Usage",
    "as_used",
    "attribute_table",
    "changes",
    "changes_page",
    "component_page",
    "difference",
    "find_usage",
    "first_release",
    "flat",
    "index_page",
    "read_doc",
    "rows",
    "scaffold_parameters",
    "usage_page",
    "version_of",
]
