"""The YAML of the how-to pages is what the components take."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

import components.retrieval as family

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["document-index", "vector-stores", "evaluate-retrieval"])
def test_every_component_on_a_page_is_valid(page: str) -> None:
    documents = [yaml.safe_load(block) for block in BLOCK.findall((HOW_TO / f"{page}.md").read_text())]
    shown = [document for document in documents if "type" in document]
    assert shown
    for document in shown:
        component = getattr(family, document["type"].removeprefix("components."))
        jsonschema.validate(document["attributes"], component.get_model_cls().model_json_schema())
        component.resolve_from_yaml(yaml.safe_dump(document["attributes"]))
