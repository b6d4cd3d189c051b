"""JSON schemas as all providers take them: structure in the schema, limits in words."""

from collections.abc import Mapping
from typing import Any

_KEPT = {"type", "enum", "const", "description", "anyOf", "required"}
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format")


def portable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without rules that some provider refuses; they are told in the description and checked by us."""
    found: dict[str, Any] = {key: value for key, value in schema.items() if key in _KEPT}
    if "anyOf" in schema:
        found["anyOf"] = [portable(one) for one in schema["anyOf"]]
    if "items" in schema:
        found["items"] = portable(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: portable(one) for name, one in schema["properties"].items()}
        found["additionalProperties"] = False
        found["required"] = list(schema["properties"])
    if limits := [f"{name} {schema[name]}" for name in _LIMITS if name in schema]:
        found["description"] = " ".join(filter(None, [found.get("description"), f"({', '.join(limits)})"]))
    return found
