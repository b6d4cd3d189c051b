"""Write the JSON schemas that give an editor completion and checks in defs.yaml and policy.yaml.

    uv run python tools/schemas.py

They describe the components that are installed now, so git ignores them; run it again after changing a component.
"""

import json
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from dagster.components.core.defs_module import ComponentFileModel
from dagster.components.list import list_plugins

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"


def main() -> None:
    """Write both schemas.

    Raises:
        SystemExit: a component does not load.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]["project"]
    components = component_schemas(settings.get("registry_modules", []))
    policy = import_module(f"{settings['root_module']}.components.governance").policy_json_schema()
    SCHEMAS.mkdir(exist_ok=True)
    for name, schema in {"defs": defs_schema(components), "policy": policy}.items():
        path = SCHEMAS / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
        print(path.relative_to(ROOT))


def component_schemas(modules: list[str]) -> dict[str, dict[str, Any]]:
    """The schema of each component's attributes, by the name that ``type`` takes.

    Args:
        modules: Where the project's own components are, beside those that installed packages register.
    """
    found = list_plugins(entry_points=True, extra_modules=modules)
    if not hasattr(found, "objects"):
        sys.exit(f"The components do not load: {found.message}")
    components = [snap for snap in found.objects if snap.is_component]
    return {snap.key.to_typename(): described(snap.component_schema, snap.summary) for snap in components}


def described(schema: dict[str, Any] | None, summary: str | None) -> dict[str, Any]:
    """A component's schema with what the component is, for the editor's tooltip."""
    return {"description": summary, **(schema or {})} if summary else dict(schema or {})


def defs_schema(components: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The schema of one document of a defs.yaml: its ``type`` decides which ``attributes`` it takes."""
    schema = ComponentFileModel.model_json_schema()
    schema["title"] = "A component of the platform"
    schema["properties"]["type"] = {"description": "Which component.", "enum": sorted(components)}
    schema["properties"]["attributes"] = {"type": ["object", "null"]}
    schema["$defs"] = schema.get("$defs", {}) | {name: within(name, made) for name, made in components.items()}
    schema["allOf"] = [rule(name, made) for name, made in sorted(components.items())]
    return schema


def rule(name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """What holds where ``type`` is ``name``."""
    then: dict[str, Any] = {"properties": {"attributes": {"$ref": f"#/$defs/{name}"}}}
    if attributes.get("required"):
        then["required"] = ["attributes"]
    return {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": then}


def within(name: str, schema: Any) -> Any:
    """A schema whose references still hold when it stands under ``$defs`` of another one."""
    if isinstance(schema, dict):
        return {key: moved(name, value) if key == "$ref" else within(name, value) for key, value in schema.items()}
    return [within(name, value) for value in schema] if isinstance(schema, list) else schema


def moved(name: str, reference: Any) -> Any:
    """Where a reference leads after the move; a property that is called ``$ref`` is none."""
    if isinstance(reference, str) and reference.startswith("#/"):
        return f"#/$defs/{name}/{reference.removeprefix('#/')}"
    return within(name, reference)


if __name__ == "__main__":
    main()
