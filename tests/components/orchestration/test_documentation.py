"""What the pages about alerts, telemetry and secrets show is valid and complete."""

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import components.orchestration as orchestration
from components.governance import load_policy
from components.notebooks import NotebookRunnerComponent
from components.orchestration.telemetry.measures import INSTRUMENTS

PAGES = Path(__file__).parents[3] / "docs" / "how-to"
COMPONENTS = {
    "NotebookRunnerComponent": NotebookRunnerComponent,
    **{name: getattr(orchestration, name) for name in orchestration.__all__},
}


def yaml_blocks() -> list[str]:
    pages = [PAGES / name for name in ("alerts-and-telemetry.md", "secrets.md")]
    return [block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]


@pytest.mark.parametrize("block", yaml_blocks())
def test_yaml_of_the_pages_is_valid(block: str, tmp_path: Path):
    document = yaml.safe_load(block)
    if "version" in document:
        (tmp_path / "policy.yaml").write_text(block)
        assert load_policy(tmp_path / "policy.yaml").version == 1
        return
    component = COMPONENTS[document["type"].removeprefix("acme_components.")]
    schema = component.get_model_cls().model_json_schema()
    assert list(Draft202012Validator(schema).iter_errors(document["attributes"])) == []


def test_every_metric_is_listed_with_unit_kind_and_meaning():
    rows = re.findall(
        r"^\| `(dagster\.[a-z.]+)` \| `(.+?)` \| (\w+) \| (.+) \|$", (PAGES / "observability.md").read_text(), re.M
    )

    assert rows == [(metric.name, metric.unit, metric.kind, metric.description) for metric in INSTRUMENTS]


def test_components_that_the_pages_scaffold_exist():
    text = (PAGES / "alerts-and-telemetry.md").read_text()
    names = re.findall(r"dg scaffold defs acme_components\.(\w+)", text)

    assert names == ["AlertRoutesComponent", "TelemetryComponent"]
    assert set(names) <= set(COMPONENTS)


@pytest.mark.parametrize("name", ["AlertRoutesComponent", "ScheduledJobComponent", "TelemetryComponent"])
def test_the_example_of_each_docstring_is_complete(name: str):
    component = COMPONENTS[name]
    block = component.__doc__.split(".. code-block:: yaml")[1]
    document = yaml.safe_load("\n".join(line.removeprefix("    ") for line in block.splitlines()))

    assert document["type"] == f"components.{name}"
    schema = component.get_model_cls().model_json_schema()
    assert list(Draft202012Validator(schema).iter_errors(document["attributes"])) == []
