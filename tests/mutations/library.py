"""Every component of the library with the example that its docstring gives."""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import yaml
from component_lists import components, families

from tests.catalogue.tools import read_doc


@dataclass(frozen=True)
class Example:
    """A component, and a defs.yaml of it that is right.

    Args:
        family: The folder under components/.
        name: The class.
        text: The example as it stands in the docstring.
        schema: The JSON schema that ``dg check yaml`` holds the attributes against.
    """

    family: str
    name: str
    text: str
    schema: dict[str, Any]

    @property
    def type(self) -> str:
        """How the example's type is spelled where the library itself is the registry."""
        return f"components.{self.family}.{self.name}"

    @property
    def document(self) -> dict[str, Any]:
        """The example's first document, with the type of the library."""
        documents = list(yaml.safe_load_all(re.sub(rf"\bcomponents\.{self.name}\b", self.type, self.text)))
        return documents[0] if documents else {}


@cache
def examples() -> tuple[Example, ...]:
    """All of them, by family and name."""
    found = []
    for family in families():
        module = import_module(f"components.{family}")
        for name in components(family):
            component = getattr(module, name)
            schema = component.get_model_cls().model_json_schema()
            found.append(Example(family, name, read_doc(component.__doc__).example, schema))
    return tuple(found)


def strict_examples() -> list[Example]:
    """Those of components of our own; a re-exported one has the schema that its vendor gave it."""
    return [example for example in examples() if example.family != "stock"]
