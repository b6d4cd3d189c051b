"""What ``dg check yaml`` says about one file: its own schemas, its own words, without its start-up."""

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from click import unstyle
from dagster_dg_core.check import COMPONENT_FILE_SCHEMA
from dagster_dg_core.utils.check_utils import error_dict_to_formatted_error
from dagster_shared.serdes.objects import EnvRegistryKey
from dagster_shared.yaml_utils import parse_yamls_with_source_position
from jsonschema import Draft202012Validator

from tests.mutations.library import Example

_FIRST_LINE = re.compile(r"^(?P<file>\S+?):(?P<line>\d+) - (?:components\.\S+ )?(?P<place>\S*) (?P<message>.*)$")


@dataclass(frozen=True)
class Report:
    """One mistake as it is told.

    Args:
        line: The line that is named.
        place: The dotted path that is named.
        message: What is wrong, and what is valid.
    """

    line: int
    place: str
    message: str


def check(text: str, example: Example) -> list[Report]:
    """Everything that is told about the text of a defs.yaml; dg reads the lines that it shows from the file."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "defs.yaml")
        file.write_text(text, encoding="utf-8")
        return _check(file, example)


def _check(file: Path, example: Example) -> list[Report]:
    reports = []
    for tree in parse_yamls_with_source_position(file.read_text(encoding="utf-8"), filename=str(file)):
        found = list(Draft202012Validator(COMPONENT_FILE_SCHEMA).iter_errors(tree.value))
        key, prefix = None, []
        if not found:
            key, prefix = EnvRegistryKey.from_typename(example.type), ["attributes"]
            found = list(Draft202012Validator(example.schema).iter_errors(tree.value.get("attributes", {})))
        told = [error_dict_to_formatted_error(key, error, tree.source_position_tree, prefix) for error in found]
        reports += [read(text) for text in told]
    return reports


def read(told: str) -> Report:
    """A message of dg, taken apart by its first line: file, line, place, message."""
    found = _FIRST_LINE.match(unstyle(told).splitlines()[0])
    assert found, told
    return Report(int(found["line"]), found["place"], found["message"])


def line_of(text: str, path: tuple[str | int, ...]) -> int:
    """The line that a key or a list's item stands in, counted from 1."""
    node, line = yaml.compose(text, yaml.SafeLoader), 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            key, node = next(pair for pair in node.value if pair[0].value == str(part))
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
