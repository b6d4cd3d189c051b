"""Write docs/reference/ from the questions and the components themselves.

uv run python tools/reference.py            # write
uv run python tools/reference.py --check    # say what is out of date
"""

import inspect
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.rendering import asked_questions  # noqa: E402 the path comes first

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py; change the source instead. -->\n\n"
FAMILIES = ("warehouse", "ingestion", "dbt", "bi", "activation", "orchestration")


def questions_page() -> str:
    """Every question that is asked: help, choices, default, when."""
    parts = [
        NOTE,
        "# Questions\n\nIn the order asked. Each has a default: `copier copy --defaults` makes something that runs.\n",
    ]
    for name, question in asked_questions().items():
        if question.get("when") is False:
            continue
        parts.append(f"\n## `{name}`\n\n{question['help']}\n\n")
        if choices := question.get("choices"):
            parts += [f"- `{value}`: {label}\n" for label, value in choices.items()]
        parts.append(f"\nDefault: `{question['default']}`\n" if choices else f"Default: `{question['default']}`\n")
        if condition := re.search(r"\[= kind == '[a-z-]+' and (.+) =\]", str(question.get("when", ""))):
            parts.append(f"\nAsked only when `{condition[1]}`.\n")
    return "".join(parts)


def components_page() -> str:
    """Every component: purpose, and a table of attributes from its JSON schema."""
    parts = [
        NOTE,
        "# Components\n\nTheir type in a project is `<package>.components.NAME`; `dg list components` lists them.\n",
    ]
    for family in FAMILIES:
        module = import_module(f"components.{family}")
        for name in sorted(name for name in dir(module) if name.endswith("Component")):
            component = getattr(module, name)
            parts.append(f"\n## `{name}`\n\n{inspect.cleandoc(component.__doc__ or '')}\n")
            parts.append(attribute_table(component.get_model_cls().model_json_schema()))
    return "".join(parts)


def attribute_table(schema: dict[str, Any]) -> str:
    """The attributes of a schema as Markdown tables, nested groups after their parent."""
    definitions = schema.get("$defs", {})
    tables = [table("Attribute", schema)]
    shown: set[str] = set()
    queue = references(schema.get("properties", {}))
    while queue:
        name = queue.pop(0)
        if name in shown or "properties" not in definitions.get(name, {}):
            continue
        shown.add(name)
        tables.append(table(f"In `{name.removesuffix('Model')}`", definitions[name]))
        queue += references(definitions[name]["properties"])
    return "".join(tables)


def table(title: str, schema: dict[str, Any]) -> str:
    """One table: attribute, type, default, description."""
    if not schema.get("properties"):
        return "\nNo attributes.\n"
    rows = [f"\n| {title} | type | default | what it says |\n| --- | --- | --- | --- |\n"]
    required = set(schema.get("required", []))
    for name, prop in schema["properties"].items():
        default = "required" if name in required else shown_default(prop.get("default"))
        description = " ".join(str(prop.get("description", "")).split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {shown_type(prop)} | {default} | {description} |\n")
    return "".join(rows)


def shown_default(value: Any) -> str:
    """A default as a reader would type it; Dagster marks those it cannot serialise."""
    return "" if value in (None, "__DAGSTER_UNSET_DEFAULT__", "") else f"`{json.dumps(value)}`"


def shown_type(prop: dict[str, Any]) -> str:
    """The type of a property in a few words."""
    rule = prop.get("else", prop)
    if "enum" in rule:
        return ", ".join(f"`{value}`" for value in rule["enum"])
    if "$ref" in rule:
        return rule["$ref"].rsplit("/", 1)[-1].removesuffix("Model")
    if "anyOf" in rule:
        return " or ".join(dict.fromkeys(shown_type(alt) for alt in rule["anyOf"] if alt != {"type": "null"}))
    if rule.get("type") == "array":
        return f"list of {shown_type(rule.get('items', {}))}"
    if rule.get("type") == "object":
        values = rule.get("additionalProperties")
        return f"map to {shown_type(values)}" if isinstance(values, dict) else "map"
    return str(rule.get("type", "any"))


def references(value: Any) -> list[str]:
    """The names of all definitions that a schema part refers to, in order."""
    return re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(value))


def main() -> None:
    """Write both pages, or with --check compare them."""
    pages = {"questions.md": questions_page(), "components.md": components_page()}
    if "--check" in sys.argv:
        stale = [name for name, text in pages.items() if (REFERENCE / name).read_text() != text]
        if stale:
            sys.exit(f"docs/reference is out of date ({', '.join(stale)}): run tools/reference.py")
        return
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (REFERENCE / name).write_text(text)


if __name__ == "__main__":
    main()
