"""JSON schemas for editors: one for the attributes of each component, one for a whole defs.yaml."""

import json
from pathlib import Path
from typing import Any

from .library import Entry

DRAFT = "https://json-schema.org/draft/2020-12/schema"
COMBINED = "defs.schema.json"


def write_schemas(entries: list[Entry], folder: Path) -> list[Path]:
    """The files written."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{entry.name}.json": {"$schema": DRAFT, **described(entry)} for entry in entries}
    texts[COMBINED] = defs_schema(entries)
    for name, schema in texts.items():
        (folder / name).write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def described(entry: Entry) -> dict[str, Any]:
    """The schema of a component's attributes, with what the component is for."""
    return {**entry.schema, "title": entry.name, "description": entry.doc.summary}


def defs_schema(entries: list[Entry]) -> dict[str, Any]:
    """The schema of one document of a defs.yaml: its ``type`` decides which attributes it takes."""
    from dagster.components.core.defs_module import ComponentFileModel

    schema = ComponentFileModel.model_json_schema()
    types = [entry.type for entry in entries]
    ours = {"enum": types, "description": "A component of the catalogue."}
    # Other packages' components may stand in the same file; their attributes are theirs to check.
    package = types[0].split(".")[0] if types else ""
    others = {"type": "string", "not": {"pattern": rf"^{package}\."}}
    schema["$schema"] = DRAFT
    schema["title"] = "One document of a defs.yaml"
    schema["properties"]["type"] = {"description": "Which component.", "anyOf": [ours, others] if types else [others]}
    schema["properties"]["attributes"] = {"type": ["object", "null"]}
    schema["$defs"] = schema.get("$defs", {}) | {entry.name: _within(entry.name, described(entry)) for entry in entries}
    schema["allOf"] = [_rule(entry) for entry in entries]
    return schema


def _rule(entry: Entry) -> dict[str, Any]:
    then: dict[str, Any] = {"properties": {"attributes": {"$ref": f"#/$defs/{entry.name}"}}}
    if entry.schema.get("required"):
        then["required"] = ["attributes"]
    return {"if": {"properties": {"type": {"const": entry.type}}, "required": ["type"]}, "then": then}


def _within(name: str, schema: Any) -> Any:
    """A schema whose references still hold when it stands under ``$defs`` of another one."""
    if isinstance(schema, dict):
        return {key: _moved(name, value) if key == "$ref" else _within(name, value) for key, value in schema.items()}
    return [_within(name, value) for value in schema] if isinstance(schema, list) else schema


def _moved(name: str, reference: Any) -> Any:
    if isinstance(reference, str) and reference.startswith("#/"):
        return f"#/$defs/{name}/{reference.removeprefix('#/')}"
    return _within(name, reference)
