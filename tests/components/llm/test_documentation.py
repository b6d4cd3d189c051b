"""The YAML of the pages about model calls is valid."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import llm
from components.governance.policy import Policy
from components.llm.prompts import read_prompt
from components.llm.settings import ProviderSettings

PAGES = Path(__file__).parents[3] / "docs" / "how-to"
BLOCK = re.compile(r"^```(yaml|markdown)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[Any]:
    found = []
    for page in ("model-calls.md", "enrich-a-table.md"):
        texts = [text for kind, text in BLOCK.findall((PAGES / page).read_text()) if kind == language]
        found += [pytest.param(text, id=f"{page} {number}") for number, text in enumerate(texts)]
    return found


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_block_is_valid(text: str) -> None:
    block = yaml.safe_load(text)
    if "type" in block:
        component = getattr(llm, block["type"].rsplit(".", 1)[1])
        component.model().model_validate(block["attributes"])
    elif "version" in block:
        Policy.model_validate(block)
    else:
        ProviderSettings.model().model_validate(block["provider"])


@pytest.mark.parametrize("text", blocks("markdown"))
def test_each_prompt_can_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text(text)
    assert read_prompt(tmp_path / "p.md").max_output_tokens == 200
