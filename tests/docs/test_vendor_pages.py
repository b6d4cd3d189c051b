"""The YAML of the pages about vendors and OpenLineage is right."""

import re

import pytest
import yaml

import components.orchestration
import components.stock
from tests.rendering import ROOT

BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = ["vendors", "openlineage"]
BLOCKS = [
    (page, text) for page in PAGES for text in BLOCK.findall((ROOT / "docs" / "how-to" / f"{page}.md").read_text())
]


@pytest.mark.parametrize(("page", "text"), BLOCKS)
def test_an_example_fits_the_schema_of_its_component(page: str, text: str):
    document = yaml.safe_load(text)
    name = document["type"].removeprefix("acme_components.")
    family = components.orchestration if name == "OpenLineageComponent" else components.stock
    component = getattr(family, name)
    component.get_model_cls().model_validate(document["attributes"])


def test_both_pages_have_examples():
    assert {page for page, _ in BLOCKS} == set(PAGES)
