"""The vendors whose connectors are in the catalogue."""

from importlib import import_module
from pathlib import Path

from tests.components.ingestion.rest.vendor import Vendor

VENDORS: dict[str, Vendor] = {}
for _file in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    VENDORS |= import_module(f"{__name__}.{_file.stem}").VENDORS
