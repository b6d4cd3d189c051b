"""The YAML of the pages about vendors, OpenLineage and Databricks is right."""

import re
from typing import Any

import pytest
import yaml

import components.databricks
import components.orchestration
import components.stock
from components.governance.policy import Policy
from tests.rendering import ROOT

BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = ["vendors", "openlineage", "databricks-workspace", "declarative-pipelines"]
FAMILIES = [components.stock, components.orchestration, components.databricks]
BLOCKS = [
    (page, document)
    for page in PAGES
    for text in BLOCK.findall((ROOT / "docs" / "how-to" / f"{page}.md").read_text())
    for document in yaml.safe_load_all(text)
]


@pytest.mark.parametrize(("page", "document"), BLOCKS)
def test_an_example_fits_the_schema_of_its_component(page: str, document: dict[str, Any]):
    if "type" not in document:
        Policy.model_validate({"version": 1, **document})
        return
    name = document["type"].rpartition(".")[2]
    [component] = filter(None, (getattr(family, name, None) for family in FAMILIES))
    component.get_model_cls().model_validate(document["attributes"])


def test_every_page_has_examples():
    assert {page for page, _ in BLOCKS} == set(PAGES)
