"""What is installed is listed once in a test process: Dagster lists it for the UI whenever a project is loaded."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster.components.core import load_defs


@pytest.fixture(scope="session", autouse=True)
def installed_components_listed_once() -> Iterator[None]:
    """The list that the first load makes is in all others too; making it takes half of a load."""
    listed: list[Any] = []
    made = load_defs.get_library_json_enriched_defs

    def kept(tree: Any) -> dg.Definitions:
        if not listed:
            listed.append(made(tree).metadata)
        return dg.Definitions(metadata=listed[0], component_tree=tree)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load_defs, "get_library_json_enriched_defs", kept)
        yield
